"""The turns beside the main road: whistle, return, dispute and ruling, reclassification, settled in the grid, danger,
and what the machine does by itself and can be told to take back."""

from __future__ import annotations

from tests.e2e.city import City
from tests.e2e.town import Town, facts_are_dense, kinds_of, until

FOREIGN = ("shequ02", "zhibu06", "wangge06", "yuanlin")


def at_street(town: Town, code: str = "0302") -> str:
    """A case of the first grid that its community has called up."""
    no = town.report("wangge01", code)
    town.person("zhibu01").act(no, "call_up", reason="no_enforcement")
    town.person("shequ01").act(no, "call_up", reason="no_enforcement", note="劝过")
    return no


def dispatched(town: Town, code: str = "0302", lead: str = "zhifadui") -> str:
    no = at_street(town, code)
    chief, clerk = town.person("zhiban"), town.person("shouli")
    chief.act(no, "file", condition=f"{code}.1")
    reason = {} if chief.case(no)["routing"]["lead"] == lead else {"reason": "line_unfit"}
    clerk.act(no, "dispatch", lead_unit=lead, **reason)
    return no


def test_a_whistle_is_asked_signed_answered_and_fed_back_by_the_district(town: Town, city: City) -> None:
    chief, leader, district = town.person("zhiban"), town.person("lingdao"), town.person("quji")
    no = dispatched(town)
    lead = town.person("zhifadui")
    lead.act(no, "respond", means="on_site")
    assert district.look(no).status_code == 404

    chief.act(no, "whistle", kind="street_cannot", note="街道无权拆除")
    case = chief.case(no)
    assert (case["state"], case["owner"]["role"]) == ("handling", "HU"), "asking moves nothing"
    assert "approve" not in chief.offers(no), "who asks does not sign"
    assert district.look(no).status_code == 404
    leader.act(no, "approve")

    unseen = (*FOREIGN, "huanwei", "hecha")
    case = town.expect(
        no,
        "at_district",
        "response",
        may={"quji": {"answer_whistle"}, "shouli": {"answer_whistle"}, "zhiban": {"answer_whistle"}},
        unseen_by=unseen,
    )
    assert (case["tier"], case["owner"]["role"], case["lead_unit"]) == ("T3", "DI", None)
    told = until("the city hears the whistle", lambda: city.of(no))
    assert [(one.kind, one.data["intent"]) for one in told] == [("case.escalated", "whistle")]
    assert told[0].signed_with(city.secret)

    district.act(no, "answer_whistle", note="区住建局承接")
    feeding = {login: {"feedback"} for login in ("quji", "shouli", "zhiban")}
    town.expect(no, "district_handling", "disposal", may=feeding, unseen_by=unseen)
    district.act(no, "feedback", close_condition_met=True, note="已拆除")
    assert chief.case(no)["state"] == "fed_back"
    town.person("wangge01").act(no, "verify_pass", means="on_site")
    case = chief.case(no)
    assert (case["state"], case["closed_as"]) == ("closed", "normal")
    facts_are_dense(case)
    until("the city hears the end", lambda: city.kinds(no) == [("case.escalated", "whistle"), ("case.closed", None)])


def test_a_refused_whistle_comes_back_to_the_dispatcher(town: Town) -> None:
    chief, leader = town.person("zhiban"), town.person("lingdao")
    no = dispatched(town)
    town.person("zhifadui").act(no, "respond", means="phone")
    chief.act(no, "whistle", kind="joint_enforcement", note="请区里牵头")
    denied = leader.act(no, "deny", note="街道先做")
    assert denied["state"] == "handling"
    chief.act(no, "whistle", kind="joint_enforcement", note="再请")
    leader.act(no, "approve")
    town.person("quji").act(no, "refuse", reason="street_can", note="属街道职责")
    case = chief.case(no)
    assert (case["state"], case["tier"]) == ("filed", "T2")
    assert "dispatch" in town.person("shouli").offers(no)
    facts_are_dense(case)


def test_returned_once_dispatched_again_returned_twice_ruled(town: Town) -> None:
    no = dispatched(town)
    chief, clerk, lead = town.person("zhiban"), town.person("shouli"), town.person("zhifadui")
    ground = {"reason": "not_our_duty", "note": "属市容管理", "suggested_unit": "chengguanban"}
    handling = _due(lead.case(no), "handling")

    lead.act(no, "return", **ground)
    assert lead.look(no).status_code == 200, "who had a share keeps the sight of it"
    again = {"shouli": {"dispatch"}, "zhiban": {"dispatch"}}
    town.expect(no, "filed", "coordination", may=again, unseen_by=(*FOREIGN, "huanwei", "hecha", "quji"))
    clerk.act(no, "dispatch", lead_unit="chengguanban", reason="line_unfit")
    assert _due(clerk.case(no), "handling") == handling, "a return does not give more time"

    second = town.person("chengguanban")
    second.act(no, "return", **{**ground, "suggested_unit": "zhifadui"})
    ruling = {"zhiban": {"rule"}}
    town.expect(no, "disputed", "coordination", may=ruling, unseen_by=(*FOREIGN, "huanwei", "hecha", "quji"))
    chief.act(no, "rule", lead_unit="zhifadui", note="按执法目录由执法队办理")
    case = lead.case(no)
    assert (case["state"], case["lead_unit"]) == ("dispatched", "zhifadui")
    assert "return" not in lead.offers(no), "a ruling is final"
    refused = lead.ask(no, "return", case["version"], ground)
    assert (refused.status_code, refused.json()["code"]) == (409, "limit_reached")
    assert _due(case, "handling") == handling
    assert kinds_of(case).count("returned") == 2
    facts_are_dense(case)


def test_reclassified_the_due_times_change_from_the_original_start(town: Town) -> None:
    no = dispatched(town)
    clerk = town.person("shouli")
    before = _clock(clerk.case(no), "handling")
    clerk.act(no, "reclassify", reason="wrong_class", category="0206", condition="0206.1")
    case = clerk.case(no)
    after = _clock(case, "handling")
    assert case["category"]["code"] == "0206"
    assert case["state"] == "dispatched"
    assert case["lead_unit"] == "zhifadui", "another class does not take the case from its unit"
    assert after["started_at"] == before["started_at"]
    assert after["due_at"] > before["due_at"]
    facts_are_dense(case)


def test_reclassified_as_danger_it_stands_at_the_street_at_once(town: Town) -> None:
    no = town.report("wangge01", "0307")
    town.person("zhibu01").act(no, "reclassify", reason="danger_changed", category="0307", condition="0307.2")
    case = town.person("shouli").case(no)
    assert (case["state"], case["urgency"]) == ("at_street", "U1")
    assert {one["stage"]: one["skipped"] for one in case["stages"]}["community_call"]
    facts_are_dense(case)


def test_settled_in_the_grid_in_the_same_submission(town: Town, city: City) -> None:
    no = town.report("wangge01", "0110", on_the_spot={"act": "sao", "note": "当场清扫"})
    case = town.person("zhibu01").case(no)
    assert (case["state"], case["closed_as"], case["actions"]) == ("closed", "self", case["actions"])
    assert kinds_of(case) == ["reported", "self_resolved"]
    skipped = {one["stage"] for one in case["stages"] if one["skipped"]}
    assert skipped == {"community_call", "coordination", "response", "disposal"}
    facts_are_dense(case)
    (told,) = until("the city is told", lambda: city.of(no))
    assert (told.kind, told.data["closed_as"]) == ("case.closed", "self")


def test_a_secretary_says_with_his_report_who_handles_it(town: Town) -> None:
    secretary = town.person("zhibu01")
    own = secretary.case(town.report("zhibu01", "0302", in_grid=True))
    assert (own["state"], kinds_of(own)) == ("grid_handling", ["reported", "self_resolving"])
    assert "self_resolve_done" in {one["action"] for one in own["actions"]}
    called = secretary.case(town.report("zhibu01", "0302", call_now=True))
    assert (called["state"], kinds_of(called)) == ("at_community", ["reported", "called"])
    refused = town.person("wangge01").send(town.matter("wangge01", "0302", in_grid=True))
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")


def test_settled_by_the_community(town: Town) -> None:
    no = town.report("wangge01", "0136")
    community = town.person("shequ01")
    town.person("zhibu01").act(no, "call_up", reason="no_means")
    community.act(no, "accept")
    unseen = (*FOREIGN, "zhifadui", "huanwei", "hecha", "quji")
    town.expect(no, "community_handling", "community_call", may={"shequ01": {"feedback"}}, unseen_by=unseen)
    community.act(no, "feedback", note="物业已清", close_condition_met=True)
    refused = community.ask(no, "verify_pass", community.case(no)["version"], {"means": "on_site"})
    assert (refused.status_code, refused.json()["code"]) == (403, "separation_of_duties")
    town.person("wangge01").act(no, "verify_pass", means="on_site")
    case = community.case(no)
    assert case["state"] == "closed"
    assert {one["stage"] for one in case["stages"] if one["skipped"]} == {"coordination", "response"} | (
        {"disposal"} if any(one["stage"] == "disposal" and one["skipped"] for one in case["stages"]) else set()
    )
    facts_are_dense(case)


def test_danger_goes_to_the_street_at_once_and_branch_and_community_see_it(town: Town) -> None:
    no = town.report("wangge01", "0505", danger=True, text="路面塌陷，车辆无法通行")
    held = {"shouli": {"answer", "file_dispatch"}, "zhiban": {"answer", "file"}}
    unseen = (*FOREIGN, "zhifadui", "huanwei", "hecha", "quji")
    case = town.expect(no, "at_street", "coordination", may=held, unseen_by=unseen)
    assert case["urgency"] == "U1"
    assert kinds_of(case) == ["reported", "called"]
    assert case["timeline"][0]["at"] == case["timeline"][1]["at"], "in the commit of the report"
    assert (case["timeline"][1]["machine"], case["timeline"][1]["rule"]) == (True, "alert_u01")
    assert {one["stage"]: one["skipped"] for one in case["stages"]}["community_call"]
    verifier_only = town.person("shouli")
    verifier_only.act(no, "file_dispatch", condition="0505.1", lead_unit="chengguanban")
    unit = town.person("chengguanban")
    unit.act(no, "respond", means="on_site")
    unit.act(no, "feedback", note="围护到位", close_condition_met=True, evidence=[unit.show(no)])
    assert "verify_pass" not in town.person("wangge01").offers(no), "danger is checked by the verifier"
    town.person("hecha").act(no, "verify_pass", means="on_site")
    assert town.person("zhiban").case(no)["state"] == "closed"
    facts_are_dense(town.person("zhiban").case(no))


def test_the_machine_dispatches_where_one_line_fits_and_takes_it_back_when_told(town: Town) -> None:
    no = at_street(town, "0128")
    clerk = town.person("shouli")
    case = clerk.case(no)
    assert (case["state"], case["lead_unit"]) == ("dispatched", "zhifadui")
    filed, sent = case["timeline"][-2:]
    assert [(one["kind"], one["machine"], one["rule"]) for one in (filed, sent)] == [
        ("case.filed", True, "auto_dispatch"),
        ("case.dispatched", True, "auto_dispatch"),
    ]
    assert sent["recall_until"] > sent["at"]
    unit = town.person("zhifadui")
    assert unit.look(no).status_code == 200
    assert "recall" in clerk.offers(no)
    assert "recall" not in town.person("quji").session.get("desks", [])
    clerk.act(no, "recall", note="先到现场看")
    case = clerk.case(no)
    assert case["state"] == "at_street"
    assert case["lead_unit"] is None
    assert kinds_of(case)[-1] == "recalled"
    assert {one["kind"]: one["state"] for one in case["clocks"]}["handling"] == "stopped" or "handling" not in {
        one["kind"] for one in case["clocks"]
    }
    assert "recall" not in clerk.offers(no)
    facts_are_dense(case)


def test_nothing_is_taken_back_once_somebody_has_acted(town: Town) -> None:
    no = at_street(town, "0129")
    clerk, unit = town.person("shouli"), town.person("zhifadui")
    assert "recall" in clerk.offers(no)
    unit.act(no, "respond", means="phone")
    assert "recall" not in clerk.offers(no)
    late = clerk.ask(no, "recall", clerk.case(no)["version"], {})
    assert late.status_code == 409, late.text
    assert clerk.case(no)["state"] == "handling"


def test_a_second_report_of_the_same_does_not_let_the_machine_dispatch(town: Town) -> None:
    pin = town.pin_of("wangge01")
    first = town.report("wangge01", "0405", position=pin)
    second = town.report("bjiao01", "0405", position=pin)
    for no in (first, second):
        town.person("zhibu01").act(no, "call_up", reason="no_enforcement")
        town.person("shequ01").act(no, "call_up", reason="no_enforcement", note="劝过")
    assert town.person("shouli").case(second)["state"] == "at_street", "a duplicate near by is for a person to judge"


def test_what_a_person_alone_decides_has_a_person_behind_it(town: Town) -> None:
    """Declined by the clerk, called once more by the branch, not filed by the chief: a person stands behind each."""
    no = at_street(town)
    clerk, chief = town.person("shouli"), town.person("zhiban")
    clerk.act(no, "decline", reason="not_street_matter", note="属区级事项")
    assert clerk.case(no)["state"] == "not_filed"
    town.person("zhibu01").act(no, "call_up", note="是街道道路")
    assert "decline" not in clerk.offers(no)
    chief.act(no, "not_file", reason="already_settled", note="已办结")
    case = chief.case(no)
    assert case["state"] == "not_filed"
    for fact in case["timeline"]:
        if fact["kind"] in ("case.declined", "case.not_filed"):
            assert fact["actor_name"]
            assert not fact["machine"]
    facts_are_dense(case)


def _clock(case: dict[str, object], kind: str) -> dict[str, str]:
    clocks = case["clocks"]
    assert isinstance(clocks, list)
    found: dict[str, str] = next(one for one in clocks if one["kind"] == kind)
    return found


def _due(case: dict[str, object], kind: str) -> str:
    return _clock(case, kind)["due_at"]
