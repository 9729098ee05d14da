"""街道统筹 and 分级响应: refusing, calling again, dispatching, returning, ruling, responding, whistling."""

from __future__ import annotations

import pytest

from tests.e2e.stories.telling import Matter, Tale


def at_street(tale: Tale, grid: int, community: int, code: str, text: str) -> Matter:
    """Reported, called up by branch and community: it stands at the street."""
    case = tale.who(f"wangge{grid:02}").reports(code, text)
    tale.who(f"zhibu{grid:02}").calls_up(case, "no_enforcement")
    tale.who(f"shequ{community:02}").calls_up(case, "no_enforcement", "社区上门，处理不了")
    return case


@pytest.mark.story("F18", "2026-01-26 09:00")
def test_declined_called_once_more_and_decided_by_the_duty_chief(tale: Tale) -> None:
    """F18: the clerk declines; the community calls once more; now it is the duty chief's to decide, and he files."""
    clerk, chief, community = tale.who("shouli"), tale.who("zhiban"), tale.who("shequ01")
    case = at_street(tale, 4, 1, "0302", "围挡占了半边人行道").is_("at_street").due("street_answer", "10:00")
    case.due("whole", "01-28 15:00")  # 4 hours of the grid, a day of the community, a day of the condition

    tale.clock.moves_to("09:30")
    clerk.does("decline", case, reason="not_street_matter", note="建议联系施工方")
    case.is_("not_filed").stopped("street_answer", "whole")
    assert case.seen()["closed_as"] == "declined"
    assert case.last("declined")["note"] == "建议联系施工方"

    tale.clock.moves_to("11:00")
    community.does("call_up", case, note="施工方已失联，行人只能走车道")
    case.is_("at_street").running("whole").due("whole", "01-28 15:00")
    clerk.is_not_offered(case, "decline")
    clerk.cannot("decline", case, "not_permitted", reason="not_street_matter", note="再次不予受理")
    chief.is_offered(case, "decline", "file", "not_file")
    chief.files(case, "0302.1")
    case.is_("filed").due("dispatch", "14:00")
    clerk.dispatches(case, "zhifadui")
    unit = tale.who("zhifadui")
    unit.responds(case, "phone")
    unit.feeds_back(case, "围挡已后移")
    tale.who("wangge04").passes(case)
    case.closed_as("normal").city_hears("case.closed").skips_nothing()
    community.is_not_offered(case, "call_up")
    case.reads("上报 · 呼叫社区 · 呼叫街道 · 不予受理 · 呼叫街道 · 立案 · 派遣 · 到场响应 · 处置反馈 · 核查通过 · 结案")


@pytest.mark.story("F21", "2026-02-09 09:00")
def test_dispatched_by_the_machine_taken_back_and_dispatched_by_hand(tale: Tale) -> None:
    """F21: one catalogue line and a staff reporter: filed and dispatched at once; recalled; another unit by hand."""
    clerk = tale.who("shouli")
    case = at_street(tale, 9, 2, "0117", "绿地里有建筑垃圾")
    case.is_("dispatched").due("handling", "15:00").due("response", "10:00")
    for step in ("filed", "dispatched"):
        assert case.did_by_machine(step, "auto_dispatch")["actor_name"] is None
    seen = case.seen()
    assert (seen["lead_unit"], seen["routing"]["line"]) == ("huanwei", "L01")
    assert tale.who("huanwei").looks_at(case).status_code == 200

    tale.clock.moves_to("09:08")
    clerk.does("recall", case, note="属园林养护范围")
    case.is_("at_street").stopped("handling", "response").running("street_answer")
    assert case.seen()["lead_unit"] is None
    tale.who("huanwei").is_not_offered(case, "sign", "respond", "feedback")

    clerk.files_and_dispatches(case, "0117.1", "yuanlin", reason="line_unfit")
    case.is_("dispatched").due("handling", "15:08").due("response", "10:08")
    gardeners = tale.who("yuanlin")
    gardeners.responds(case)
    gardeners.feeds_back(case, "已清走")
    tale.who("wangge09").passes(case)
    case.closed_as("normal")
    case.reads(
        "上报 · 呼叫社区 · 呼叫街道 · 立案 · 派遣 · 撤回自动处理 · 立案 · 派遣 · 到场响应 · 处置反馈 · 核查通过 · 结案"
    )


@pytest.mark.story("F22", "2026-03-04 10:00")
def test_reclassified_after_dispatch(tale: Tale) -> None:
    """F22: another class after dispatch: due times count from where they started, and the trace keeps the old ones."""
    clerk, unit = tale.who("shouli"), tale.who("zhifadui")
    case = at_street(tale, 10, 3, "0302", "人行道上堆着脚手架")
    clerk.files_and_dispatches(case, "0302.1", "zhifadui")
    unit.responds(case)
    case.due("handling", "03-05 10:00").due("whole", "03-05 10:00")
    tale.clock.moves_to("16:00")
    clerk.does("reclassify", case, reason="wrong_class", category="0206", condition="0206.1")
    case.is_("handling").due("handling", "03-06 10:00").due("whole", "03-06 10:00")
    assert case.clock("handling")["started_at"][:16] == "2026-03-04T02:00"
    trace = case.last("reclassified")
    assert (trace["reason"], trace["actor_name"]) == ("类别有误", clerk.person.session["name"])
    unit.feeds_back(case, "牌匾已整改")
    tale.who("wangge10").passes(case)
    case.closed_as("normal")
    case.reads("上报 · 呼叫社区 · 呼叫街道 · 立案 · 派遣 · 到场响应 · 改类/改级 · 处置反馈 · 核查通过 · 结案")


@pytest.mark.story("F16", "2026-03-09 14:00")
def test_signed_at_once_and_nobody_comes(tale: Tale) -> None:
    """F16: signing stops nothing; after ten minutes the next unit of the line is alerted, then the response is late."""
    clerk, unit = tale.who("shouli"), tale.who("yingjiban")
    case = tale.who("wangge11").reports("2201", "消防通道被货车堵住")
    case.is_("at_street").due("street_answer", "14:15")
    clerk.files_and_dispatches(case, "2201.1", "yingjiban", "zhifadui")
    unit.signs(case)
    case.is_("dispatched").has("signed").running("response", "handling")
    case.due("response", "14:30").due("handling", "16:00")

    tale.clock.passes("14:10")
    case.did_by_machine("reminded", "ladder")
    assert tale.told(case, "reminded") >= {("HU", "paichusuo"), ("unit_head", "")}
    case.is_("dispatched").belongs_to("T2", "HU").has_not("overdue")

    tale.clock.passes("14:30")
    case.did_by_machine("overdue", "ladder")
    case.has("overdue").belongs_to("T2", "HU").running("response")
    assert case.seen()["lead_unit"] == "yingjiban", "lateness moves nobody"
    case.city_hears("case.overdue notice")

    tale.clock.moves_to("14:40")
    unit.responds(case)
    case.is_("handling").stopped("response").running("handling").due("handling", "16:00")
    tale.who("zhifadui").does("co_done", case, note="已劝离")
    unit.feeds_back(case, "通道已清空")
    tale.who("wangge11").is_not_offered(case, "verify_pass")
    tale.who("hecha").passes(case)
    case.closed_as("normal").city_hears("case.overdue notice", "case.closed")
    case.reads(
        "上报 · 呼叫街道 · 立案 · 派遣 · 签收 · 时限提醒 · 超期 · 到场响应 · 协办完成 · 处置反馈 · 核查通过 · 结案"
    )


@pytest.mark.story("F4", "2026-03-16 09:00")
def test_returned_twice_ruled_late_and_appealed(tale: Tale) -> None:
    """F4: a dispute that two units return; the ruling is final; late, it stays whose it is; two persons decide the
    appeal, and what was measured stays."""
    clerk, chief = tale.who("shouli"), tale.who("zhiban")
    mediation, justice = tale.who("zongzhi"), tale.who("sifasuo")
    case = at_street(tale, 12, 3, "2102", "业主与物业为停车费争执")
    chief.files(case, "2102.1")
    clerk.dispatches(case, "sifasuo")
    case.is_("dispatched").due("handling", "03-31 09:00")
    ground = {"reason": "not_our_duty", "note": "应先由综治中心受理", "suggested_unit": "zongzhi"}
    justice.does("return", case, **ground)
    case.is_("filed").running("handling").due("handling", "03-31 09:00")
    clerk.dispatches(case, "zongzhi", reason="line_unfit")
    mediation.does("return", case, reason="not_our_duty", note="属物业纠纷", suggested_unit="sifasuo")
    case.is_("disputed").running("handling").due("ruling", "15:00")
    chief.has_in("disputes", case)
    clerk.is_not_offered(case, "dispatch")
    chief.does("rule", case, lead_unit="sifasuo", note="按目录由司法所办理")
    case.is_("dispatched").due("handling", "03-31 09:00").belongs_to("T2", "HU")
    justice.is_not_offered(case, "return")
    justice.cannot("return", case, "limit_reached", **ground)
    justice.responds(case, "phone")

    tale.clock.passes("03-27 15:00")
    case.did_by_machine("reminded", "ladder")
    tale.clock.passes("03-31 09:00")
    case.did_by_machine("overdue", "ladder")
    case.has("overdue").is_("handling").belongs_to("T2", "HU")
    assert case.seen()["lead_unit"] == "sifasuo"
    case.is_hidden_from("quji")

    tale.clock.moves_to("03-31 16:00")
    justice.feeds_back(case, "双方签订调解协议")
    tale.who("hecha").passes(case)
    case.closed_as("overdue").city_hears("case.overdue notice", "case.overdue notice", "case.closed")
    for told in tale.city.of(case.no):
        place = told.data["location"]
        assert not any(place.get(name) for name in ("cell_code", "lon", "lat", "address_redacted")), place

    first, second = tale.who("paiqian"), tale.who("shouli02")
    justice.does("appeal_overdue", case, reason="third_party", note="当事人出差两周")
    second.is_not_offered(case, "approve")
    first.does("approve", case)
    case.has_not("overdue_exempt")
    second.does("approve", case)
    case.closed_as("overdue").has("overdue_exempt", "overdue")
    justice.is_not_offered(case, "appeal_overdue")


@pytest.mark.story("F12", "2026-06-08 09:00")
def test_a_whistle_is_refused_and_blown_again(tale: Tale) -> None:
    """F12: the district refuses with its ground; the street asks once more, a leader signs again, it takes over."""
    clerk, chief, leader, district = (tale.who(name) for name in ("shouli", "zhiban", "lingdao", "quji"))
    case = at_street(tale, 13, 3, "0101", "沿街搭建钢架")
    clerk.files_and_dispatches(case, "0101.1", "zhifadui")
    tale.who("zhifadui").responds(case)
    case.due("handling", "06-10 09:00")
    chief.does("whistle", case, kind="street_cannot", note="街道无强制拆除权")
    case.is_("handling").is_hidden_from("quji")
    chief.is_not_offered(case, "approve")
    leader.does("approve", case)
    case.is_("at_district").belongs_to("T3", "DI").due("district_response", "09:30")
    case.stands_in("response", "分级响应", "Tiered response").city_hears("case.escalated whistle")

    tale.clock.moves_to("09:20")
    district.does("refuse", case, reason="street_can", note="违建面积不足立案标准")
    case.is_("filed").belongs_to("T2", "DP").running("handling").due("handling", "06-10 09:00")
    assert case.last("whistle_refused")["note"] == "违建面积不足立案标准"
    chief.does("whistle", case, kind="joint_enforcement", note="补充实测面积")
    leader.does("approve", case)
    case.is_("at_district").due("district_response", "09:50")

    tale.clock.moves_to("09:40")
    district.does("answer_whistle", case, note="区住建局承接")
    case.is_("district_handling").stopped("district_response").stands_in("disposal", "协同处置", "Joint handling")
    district.does("feedback", case, close_condition_met=True, note="已拆除")
    tale.who("wangge13").passes(case)
    case.closed_as("normal").city_hears("case.escalated whistle", "case.escalated whistle", "case.closed")
    case.reads(
        "上报 · 呼叫社区 · 呼叫街道 · 立案 · 派遣 · 到场响应 · 提请吹哨 · 向区级吹哨 · 不予应哨 · 提请吹哨 · 向区级吹哨"
        " · 应哨 · 处置反馈 · 核查通过 · 结案"
    )
