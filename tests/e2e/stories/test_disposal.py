"""协同处置 and 核查结案: joint work, conference, rework, extension, suspension, and time that passes over holidays."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.e2e.stories.telling import Matter, Moment, Tale


def handled(tale: Tale, grid: int, community: int, code: str, lead: str, *co_units: str) -> Matter:
    """At work: reported, called up twice, filed, dispatched, and the lead has responded."""
    case = tale.who(f"wangge{grid:02}").reports(code, "巡查发现")
    tale.who(f"zhibu{grid:02}").calls_up(case, "no_means")
    tale.who(f"shequ{community:02}").calls_up(case, "no_means", "社区无力处理")
    tale.who("shouli").files_and_dispatches(case, f"{code}.1", lead, *co_units)
    tale.who(lead).responds(case)
    return case.is_("handling")


@pytest.mark.story("F9", "2026-04-13 09:00")
def test_extended_then_suspended_then_resumed(tale: Tale) -> None:
    """F9: what was granted before a suspension is not lost, and thirty days of standing still give back exactly the
    working time that remained, no more."""
    clerk, chief, unit = tale.who("shouli"), tale.who("zhiban"), tale.who("gongfuban")
    case = handled(tale, 14, 3, "P0407", "gongfuban").due("handling", "04-20 09:00")

    tale.clock.moves_to("04-15 09:00")
    unit.does("extend_request", case, reason="material", note="木料未到")
    case.due("handling", "04-20 09:00")
    unit.is_not_offered(case, "approve")
    clerk.does("approve", case)
    case.due("handling", "04-27 09:00", original="04-20 09:00")

    tale.clock.moves_to("04-16 09:00")
    unit.does("suspend_request", case, reason="third_party", note="等地铁围挡拆除", until=Moment("05-18 09:00"))
    case.is_("handling").running("handling")
    clerk.is_not_offered(case, "approve")
    chief.does("approve", case)
    case.is_("suspended").paused("handling", "whole").due("review", "05-18 09:00")
    case.stands_in("disposal", "协同处置", "Joint handling")
    unit.is_not_offered(case, "feedback")

    tale.clock.passes("05-18 09:00")
    case.becomes("handling").did_by_machine("resumed", "resume_review")
    case.due("handling", "05-27 09:00", original="04-20 09:00").running("handling", "whole").stopped("review")

    tale.clock.moves_to("05-19 10:00")
    unit.feeds_back(case, "座椅已更换")
    tale.who("wangge14").passes(case)
    case.closed_as("normal")
    case.reads(
        "上报 · 呼叫社区 · 呼叫街道 · 立案 · 派遣 · 到场响应 · 申请延期 · 同意延期 · 申请挂账 · 挂账 · 恢复办理"
        " · 处置反馈 · 核查通过 · 结案"
    )


@pytest.mark.story("F11", "2026-06-01 09:00")
def test_the_check_fails_twice_and_they_sit_down_together(tale: Tale) -> None:
    """F11: back to the unit with what time remains, never under two hours; after the second time a conference."""
    worker, chief, unit = tale.who("wangge15"), tale.who("zhiban"), tale.who("zhifadui")
    case = handled(tale, 15, 4, "0206", "zhifadui").due("handling", "06-03 09:00")
    tale.clock.moves_to("06-03 08:30")
    unit.feeds_back(case, "招牌已加固")
    unit.is_not_offered(case, "verify_pass", "verify_fail")

    tale.clock.moves_to("06-03 09:50")
    worker.fails(case, "右侧仍松动")
    case.is_("handling").has("rework").due("handling", "06-03 11:50", original="06-03 09:00")
    tale.clock.moves_to("06-03 11:00")
    unit.feeds_back(case, "右侧已加固")
    case.has_not("rework")

    tale.clock.moves_to("06-03 15:00")
    worker.fails(case, "上沿又脱落")
    case.is_("handling").due("handling", "06-03 17:00")
    case.is_hidden_from("gongwei")
    chief.does("call_conference", case, note="如何一次修好", co_units=["chengguanban", "zhifadui"])
    case.has("in_conference").is_shown_to("gongwei").due("handling", "06-03 17:00")
    tale.who("gongwei").is_not_offered(case, "rule", "dispatch", "approve")

    tale.clock.moves_to("06-03 16:30")
    unit.feeds_back(case, "整块更换")
    worker.passes(case)
    case.closed_as("overdue").city_hears("case.overdue notice", "case.closed")  # the whole case took longer
    case.reads(
        "上报 · 呼叫社区 · 呼叫街道 · 立案 · 派遣 · 到场响应 · 时限提醒 · 处置反馈 · 超期 · 核查不通过 · 处置反馈"
        " · 核查不通过 · 提请会商 · 处置反馈 · 核查通过 · 结案"
    )


@pytest.mark.story("F5", "2026-06-15 09:00")
def test_a_flea_market_takes_one_lead_and_four_others(tale: Tale) -> None:
    """F5, from the conference on: a proposal about a flea market; one lead, four co-units, a visit before closing."""
    clerk, chief, lead = tale.who("shouli"), tale.who("zhiban"), tale.who("zhifadui")
    others = ("chengguanban", "shijiansuo", "paichusuo", "huanwei")
    body = {**tale.town.matter("wangge16", "0302"), "text": "南坑跳蚤市场占道，建议多部门整治", "source": "proposal"}
    sent = clerk.person.dispatch.post(
        "/api/v1/intake/reports", json=body, headers={"idempotency-key": str(uuid4())}
    ).raise_for_status()
    case = tale.takes_up(sent.json()["receipt_no"], clerk)
    tale.who("zhibu16").calls_up(case, "many_departments")
    tale.who("shequ04").calls_up(case, "many_departments", "社区无权清理")
    chief.files(case, "0302.1")
    clerk.dispatches(case, "zhifadui", *others)
    lead.responds(case)
    lead.does("call_conference", case, note="分区、分时、分工", co_units=[*others])
    case.has_not("in_conference").is_hidden_from("gongwei")  # the unit asks, who may call one decides
    chief.does("approve", case)
    case.is_("handling").has("in_conference").is_shown_to("gongwei", *others).is_hidden_from("yuanlin", "shequ01")
    case.due("handling", "06-16 09:00").due("co_task", "06-16 09:00")

    for unit in others:
        lead.is_not_offered(case, "feedback")
        tale.who(unit).does("co_done", case, note="本单位事项已完成")
    lead.feeds_back(case, "摊位已全部进入疏导点")
    tale.who("wangge16").passes(case)
    case.is_("verified").running("visit")
    chief.is_not_offered(case, "close")
    tale.who("hecha02").does("visit", case, grade="satisfied", note="提案人满意")
    chief.does("close", case)
    case.closed_as("normal").city_hears("case.closed").skips_nothing()
    case.reads(
        "上报 · 呼叫社区 · 呼叫街道 · 立案 · 派遣 · 到场响应 · 提出申请 · 提请会商 · 协办完成 · 协办完成"
        " · 协办完成 · 协办完成 · 处置反馈 · 核查通过 · 回访 · 结案"
    )


@pytest.mark.story("F8", "2026-09-30 17:00")
def test_the_eve_of_a_long_holiday(tale: Tale) -> None:
    """F8: 违建 in progress is on the wall clock, so the holiday does not stop it; loose cables and a hole in the road
    of the same hour wait for the working days after it."""
    building = handled(tale, 17, 4, "0101", "zhifadui", "chengguanban")
    building.due("handling", "10-02 17:00").skips_nothing()
    road = handled(tale, 18, 4, "0113", "chengguanban")
    road.due("handling", "10-13 17:00")  # 1 hour, then 8, 9, 10 (a make-up Saturday) and 12 in full, 7 on the 13th
    cables = handled(tale, 16, 4, "2202", "wuye-heyuan")
    cables.due("handling", "10-08 11:00")
    assert {one.seen()["urgency"] for one in (building, road, cables)} == {"U2"}

    unit = tale.who("zhifadui")
    tale.clock.moves_to("10-02 09:30")
    building.did_by_machine("reminded", "ladder")
    tale.who("chengguanban").does("co_done", building, note="已责令停工")
    unit.feeds_back(building, "已停工并自拆")
    tale.who("wangge17").passes(building)
    building.closed_as("normal")
    tale.clock.moves_to("10-08 10:50")
    tale.who("wuye-heyuan").feeds_back(cables, "飞线已拆")
    tale.who("wangge16").passes(cables)
    cables.closed_as("normal")
    tale.who("chengguanban").feeds_back(road, "路面已补")
    tale.who("wangge18").passes(road)
    road.closed_as("normal")
