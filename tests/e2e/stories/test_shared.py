"""What several people tell of one matter, and what only few may know."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.e2e.stories.telling import Matter, Tale
from tests.e2e.town import until


@pytest.mark.story("F20", "2026-06-22 09:00")
def test_a_quarrel_between_neighbours(tale: Tale) -> None:
    """F20: a mediator is named; whoever is not in the owner chain sees class and community, wherever he looks."""
    worker, branch, community = tale.who("wangge09"), tale.who("zhibu09"), tale.who("shequ02")
    chief, mediator = tale.who("zhiban"), tale.who("sifasuo")
    case = worker.reports("2101", "三楼与四楼为漏水争吵多次", place_words="锦岚里8号楼")
    case.due("t0_response", "15:00").is_hidden_from("sifasuo", "zongzhi", "shequ01", "zhibu08", "hecha", "quji")
    case.shows_only_its_class_to("zhiban", "shouli", "lingdao")
    for login in ("zhiban", "shouli"):
        row = tale.who(login).finds(case)
        assert (row["category"]["name"], row["restricted"]) == ("邻里纠纷", True)
        assert not _words_in(row, "漏水", "锦岚里"), row
        assert tale.who(login).searches("漏水") == []

    branch.calls_up(case, "no_guidance")
    named = mediator.person.session["account_id"]
    community.does("name_mediator", case, person=named)
    case.is_shown_to("sifasuo").shows_only_its_class_to("zhiban").is_hidden_from("zongzhi", "shequ01")
    said = "双方同意各付一半维修费"
    mediator.notes_in_mediation(case, said)
    assert said not in str(case.seen())
    assert said in community.reads_mediation(case)
    assert chief.person.dispatch.get(f"/api/v1/cases/{case.no}/mediation").status_code == 403

    tale.clock.passes("06-23 09:00")  # the community has not answered within a working day
    case.becomes("at_street").is_shown_to("zhiban", "shouli", "sifasuo")
    clerk = tale.who("shouli")
    clerk.files_and_dispatches(case, "2101.1", "zongzhi", "sifasuo")
    case.is_shown_to("zongzhi").is_hidden_from("huanwei", "gongwei", "quji")
    tale.who("zongzhi").responds(case, "phone")
    tale.who("sifasuo").does("co_done", case, note="已达成调解")
    tale.who("zongzhi").feeds_back(case, "双方和解")
    tale.who("hecha").passes(case)
    case.closed_as("normal").city_hears("case.closed")
    for told in tale.city.of(case.no):
        assert told.data["category"]["name"] == "邻里纠纷"
        assert not _words_in(told.data, "漏水", "锦岚里", "和解", said)
        assert not any(told.data["location"].get(name) for name in ("cell_code", "lon", "lat", "address_redacted"))
    page = worker.opens_progress_page(case)
    assert not _words_in(page, "漏水", "锦岚里", "和解", said, "司法所")


def _words_in(anything: object, *words: str) -> list[str]:
    return [word for word in words if word in str(anything)]


@pytest.mark.story("F7", "2026-07-06 09:00")
def test_sewage_on_the_border_of_two_communities(tale: Tale) -> None:
    """F7: the hotline and the grid tell of one spill; the hotline's case becomes part of the grid's, which is as old
    as the first call from then on."""
    clerk, worker = tale.who("shouli"), tale.who("wangge05")
    body = {**tale.town.matter("wangge06", "0503"), "text": "污水从井里冒出来", "source": "hotline_12345"}
    sent = clerk.person.dispatch.post(
        "/api/v1/intake/reports", json=body, headers={"idempotency-key": str(uuid4())}
    ).raise_for_status()
    called = tale.takes_up(sent.json()["receipt_no"], clerk)
    called.is_("reported").due("whole", "07-08 09:00")

    tale.clock.moves_to("09:20")
    case = worker.reports("0503", "两个社区交界处污水外溢")
    tale.who("zhibu05").calls_up(case, "cross_community")
    tale.who("shequ01").calls_up(case, "cross_community", "管网跨两个社区")
    case.is_("at_street").due("whole", "07-08 09:20")
    tale.who("shequ02").is_offered(called, "merge")  # may ask for it
    clerk.does("merge", called, master=case.no, reason="other_source")
    called.is_("merged").stopped("t0_response", "whole")
    assert called.seen()["master"] == case.no
    case.is_("at_street").due("whole", "07-08 09:00")
    assert len(case.seen()["reports"]) == 2
    tale.who("zhibu06").is_not_offered(called, "call_up", "self_resolve_start")
    case.last("absorbed")

    clerk.files_and_dispatches(case, "0503.1", "shuiwu")
    pipes = tale.who("shuiwu")
    pipes.responds(case)
    pipes.feeds_back(case, "管道已疏通")
    worker.passes(case)
    _closed_for_both(case, called)
    case.city_hears("case.closed")
    called.city_hears()


def _closed_for_both(case: Matter, duplicate: Matter) -> None:
    until("it closes", lambda: case.seen()["state"] == "closed")
    duplicate.is_("merged")
