"""网格发现 and 社区呼叫: what the grid settles, what the community settles, and what happens when they are silent."""

from __future__ import annotations

import pytest

from tests.e2e.stories.telling import DIRECT, IN_COMMUNITY, IN_GRID, Tale


@pytest.mark.story("F2", "2026-01-05 09:00")
def test_litter_swept_up_on_the_spot(tale: Tale) -> None:
    """F2: 暴露垃圾, settled with 扫 and one line; no photo is asked for, nobody else has to do anything."""
    worker = tale.who("wangge01")
    case = worker.reports("0110", "楼下有一袋垃圾", on_the_spot={"act": "sao", "note": "已扫净"})
    case.closed_as("self").reads("上报 · 网格内办结", "Reported · Settled in the grid")
    case.skips(IN_GRID, "网格内办结", "Settled in the grid", "community_call", "coordination", "response", "disposal")
    assert case.last("self_resolved")["reason"] == "扫"
    case.city_hears("case.closed")
    case.is_shown_to("zhibu01", "shequ01", "zhiban").is_hidden_from("huanwei", "shequ02", "zhibu02")


@pytest.mark.story("F15", "2026-01-12 09:00")
def test_branch_and_community_are_silent(tale: Tale) -> None:
    """F15: two calls by the machine; the community takes the second one back within ten minutes and does the work."""
    worker, community = tale.who("wangge02"), tale.who("shequ01")
    case = worker.reports("0101", "楼顶正在加盖")
    case.is_("reported").due("t0_response", "09:30").stands_in("discovery", "网格发现", "Found in the grid")

    tale.clock.passes("09:30")
    case.becomes("at_community").belongs_to("T1", "CS").due("t1_response", "10:30")
    called = case.did_by_machine("called", "auto_call_up_t0")
    assert (called["label"], called["reason"]) == ("呼叫社区", "超时未应答，自动呼叫")
    assert called["recall_until"]
    community.has_in("community_calls", case)

    tale.clock.passes("10:30")
    case.becomes("at_street").belongs_to("T2", "IC").stopped("t1_response").due("street_answer", "10:45")
    case.did_by_machine("called", "auto_call_up_t1")

    tale.clock.moves_to("10:38")
    tale.who("zhibu02").is_not_offered(case, "recall")
    community.does("recall", case, note="正在现场，由社区处理")
    case.is_("at_community").belongs_to("T1", "CS").stopped("street_answer")
    community.does("accept", case)
    case.is_("community_handling").due("t1_disposal", "12:38")
    community.is_not_offered(case, "recall")

    tale.clock.moves_to("12:00")
    community.feeds_back(case, "户主自行拆除")
    worker.passes(case)
    case.closed_as("normal").city_hears("case.closed")
    case.skips(IN_COMMUNITY, "社区内办结", "Settled in the community", "response", "disposal")
    case.reads(
        "上报 · 呼叫社区 · 呼叫街道 · 撤回自动处理 · 社区处置 · 处置反馈 · 核查通过 · 结案",
        "Reported · Community called · Street called · Automatic step recalled · Community handles it"
        " · Reported handled · Check passed · Closed",
    )


@pytest.mark.story("F17", "2026-01-20 10:00")
def test_a_community_settles_it_with_two_units_of_its_own(tale: Tale) -> None:
    """F17: 楼道堆物; the community takes it on with the property company and the cleaners (社区内办结)."""
    worker, community = tale.who("wangge03"), tale.who("shequ01")
    property_company, cleaners = tale.who("wuye-yunxi"), tale.who("huanwei")
    case = worker.reports("0136", "三楼楼道堆满旧家具")
    tale.who("zhibu03").calls_up(case, "no_supervision")
    case.is_("at_community").is_hidden_from("wuye-yunxi", "huanwei", "shequ02", "zhifadui")
    community.does("accept", case, co_units=["wuye-yunxi", "huanwei"])
    case.is_("community_handling").belongs_to("T1", "CS")
    case.due("t1_disposal", "01-21 10:00").due("co_task", "01-21 10:00")
    case.is_shown_to("wuye-yunxi", "huanwei").is_hidden_from("zhifadui", "shequ02")
    property_company.has_in("co_tasks", case)

    shown = community.person.show(case.no)
    done = {"note": "已清空", "close_condition_met": True, "evidence": [shown]}
    open_still = community.cannot("feedback", case, "co_tasks_open", **done)
    assert open_still["title"] == "尚有 2 个协办任务未完成"

    tale.clock.moves_to("15:00")
    property_company.does("co_done", case, note="已通知住户清理")
    community.cannot("feedback", case, "co_tasks_open", **done)
    cleaners.does("co_done", case, note="大件已运走")
    community.does("feedback", case, **done)
    case.is_("fed_back").stopped("t1_disposal", "co_task").stands_in("closing", "核查结案", "Check and close")
    community.is_not_offered(case, "verify_pass", "verify_fail")

    worker.passes(case)
    case.closed_as("normal")
    case.skips(
        IN_COMMUNITY, "社区内办结", "Settled in the community", "coordination", "response", "disposal"
    ).city_hears("case.closed")
    case.reads("上报 · 呼叫社区 · 社区处置 · 协办完成 · 协办完成 · 处置反馈 · 核查通过 · 结案")


@pytest.mark.story("F19", "2026-02-02 09:00")
def test_nobody_answers_what_was_asked_and_nothing_is_found(tale: Tale) -> None:
    """F19: ask_more unanswered for one working day; the community's clock runs on, and then nothing is found."""
    community = tale.who("shequ02")
    case = tale.who("wangge06").reports("0125", "河面有漂浮垃圾")
    tale.who("zhibu06").calls_up(case, "no_means")
    case.due("t1_response", "02-03 09:00")
    tale.clock.moves_to("10:00")
    community.does("ask_more", case, note="具体是哪一段河道？")
    case.is_("at_community").has("awaiting_more").paused("t1_response").running("whole").due("more", "02-03 10:00")
    community.is_not_offered(case, "ask_more")

    tale.clock.passes("02-03 10:00")
    resumed = case.did_by_machine("resumed", "ladder")
    assert resumed["reason"] == "超时未应答"
    case.is_("at_community").has_not("awaiting_more").running("t1_response").due("t1_response", "02-04 09:00")

    tale.clock.moves_to("16:00")
    community.does("unfounded", case, note="全段查看，未见垃圾", evidence=[community.person.show(case.no)])
    case.closed_as("unfounded").stopped("t1_response", "whole").city_hears("case.closed")
    case.skips(IN_COMMUNITY, "社区内办结", "Settled in the community", "coordination", "response", "disposal")
    case.reads("上报 · 呼叫社区 · 退回补充 · 恢复办理 · 查无此情")


@pytest.mark.story("F3", "2026-03-14 19:00")
def test_a_stall_on_a_saturday_evening(tale: Tale) -> None:
    """F3: 店外经营, ordinary but on the wall clock: persuading fails; grid → community → street; the officers come."""
    worker, community, officers = tale.who("wangge07"), tale.who("shequ02"), tale.who("zhifadui")
    case = worker.reports("0405", "烧烤店把桌子摆上人行道")
    case.is_("reported").due("t0_response", "19:30")
    assert (case.seen()["urgency"], case.clock("t0_response")["basis"]) == ("U2", "wall")
    worker.does("self_resolve_start", case, note="上门劝说")
    case.is_("grid_handling").due("t0_disposal", "21:00")

    tale.clock.moves_to("19:30")
    tale.who("zhibu07").calls_up(case, "no_enforcement", "劝说无效")
    case.is_("at_community").due("t1_response", "20:30").stopped("t0_disposal")
    community.answers(case)
    case.is_("at_community").stopped("t1_response").has("answered")

    tale.clock.moves_to("19:50")
    community.calls_up(case, "no_enforcement", "社区再劝，仍不收")
    case.is_("dispatched").due("handling", "21:50").due("response", "20:20").skips_nothing()
    assert case.seen()["lead_unit"] == "zhifadui"
    for step in ("filed", "dispatched"):
        case.did_by_machine(step, "auto_dispatch")

    tale.clock.moves_to("20:10")
    officers.signs(case)
    officers.responds(case)
    case.is_("handling").stopped("response").due("handling", "21:50")
    tale.clock.moves_to("21:10")
    officers.feeds_back(case, "桌椅已收回店内")
    worker.passes(case)
    case.closed_as("normal").city_hears("case.closed")
    case.reads(
        "上报 · 网格自办 · 呼叫社区 · 应答 · 呼叫街道 · 立案 · 派遣 · 签收 · 到场响应 · 处置反馈 · 核查通过 · 结案"
    )


@pytest.mark.story("F1", "2026-06-19 19:40")
def test_a_manhole_without_a_cover_on_a_holiday_evening(tale: Tale) -> None:
    """F1: danger on a holiday evening: at the street in the commit of the report, every limit on the wall clock."""
    worker, clerk, unit, checker = (tale.who(name) for name in ("wangge08", "shouli", "shuiwu", "hecha"))
    case = worker.reports("P0101", "井盖不见了", danger=True, direct=True)
    case.is_("at_street").belongs_to("T2", "IC").due("street_answer", "19:55").due("whole", "21:40")
    assert case.seen()["urgency"] == "U1"
    case.skips(DIRECT, "紧急直呼，未经社区", "Urgent direct call, community not involved", "community_call")
    case.stands_in("coordination", "街道统筹", "Street coordinates").is_shown_to("zhibu08", "shequ02", "zhiban")
    clerk.has_in("red", case)
    for login in ("zhibu08", "shequ02"):
        tale.who(login).is_not_offered(case, "self_resolve_start", "accept", "call_up")
    clerk.is_not_offered(case, "send_down")

    tale.clock.moves_to("19:45")
    clerk.files_and_dispatches(case, "P0101.1", "shuiwu")
    case.is_("dispatched").due("response", "20:00").due("handling", "21:45")
    case.stands_in("response", "分级响应", "Tiered response")
    tale.clock.moves_to("19:52")
    unit.responds(case)
    tale.clock.moves_to("21:00")
    unit.feeds_back(case, "井盖已复位")
    worker.is_not_offered(case, "verify_pass")
    checker.passes(case)
    case.closed_as("normal").city_hears("case.closed")
    case.reads(
        "上报 · 呼叫街道 · 立案 · 派遣 · 到场响应 · 处置反馈 · 核查通过 · 结案",
        "Reported · Street called · Filed · Dispatched · Responded · Reported handled · Check passed · Closed",
    )
