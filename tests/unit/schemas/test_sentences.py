"""The sentence of a deadline, word for word, on the sample street's rulebook and the calendars of the notices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schemas.labels import LANGUAGES, Labels
from schemas.rulebook import load_rulebook
from schemas.sentences import sentence
from services.governance.acts import Clock, FactKind
from services.governance.cycle import Action, ClockKind
from services.governance.explain import explain
from services.governance.rulebook import Rulebook
from services.governance.worktime import DayConvention
from tests.support.governance import CHIEF, CLERK, COMMUNITY_SECRETARY, LEAD, SECRETARY, VERIFIER, Walk, at, report

FOLDER = Path(__file__).parents[3] / "deploy" / "rulebooks"
BOOK = load_rulebook(
    (FOLDER / "fengcheng.toml").read_text("utf-8"),
    {path.name: path.read_text("utf-8") for path in (FOLDER / "calendars").glob("*.toml")},
)
LITTER, HANGING, FITNESS, GULLY = ("0110", "0110.1"), ("0107", "0107.1"), ("P0146", "P0146.1"), ("P0104", "P0104.1")
ZH, EN = LANGUAGES


def dispatched(matter: tuple[str, str], start: str, book: Rulebook = BOOK) -> Walk:
    """A case that goes up to the street and to its unit in one and the same minute."""
    category, condition = matter
    walk = Walk(report(category, at(start), staff=False), book)
    walk.act(SECRETARY, Action.CALL_UP, reason="no_means")
    walk.act(COMMUNITY_SECRETARY, Action.CALL_UP, reason="no_enforcement", note="tried to talk")
    walk.act(CLERK, Action.ANSWER)
    walk.act(CHIEF, Action.FILE, condition=condition)
    walk.act(CLERK, Action.DISPATCH, lead_unit="huanwei", co_units=(), reason="on_duty")
    return walk


def last(walk: Walk, kind: ClockKind = ClockKind.HANDLING) -> Clock:
    return [clock for clock in walk.case.clocks if clock.kind is kind][-1]


def said(walk: Walk, kind: ClockKind = ClockKind.HANDLING, lang: str = ZH) -> str:
    return sentence(explain(walk.case, last(walk, kind), walk.facts, walk.book), Labels(lang), walk.book.calendar)


def by(convention: DayConvention) -> Rulebook:
    return replace(BOOK, settings=replace(BOOK.settings, convention=convention))


def extended_and_suspended() -> Walk:
    walk = dispatched(FITNESS, "2026-03-02 09:00")
    walk.act(LEAD, Action.RESPOND, means="on_site")
    wish = {"reason": "weather", "note": "rain"}
    walk.until("2026-03-03 10:00").act(LEAD, Action.EXTEND_REQUEST, until=at("2026-03-20 10:00"), **wish)
    walk.until("2026-03-03 11:00").act(CLERK, Action.APPROVE, request=walk.case.requests[-1].request_id)
    walk.until("2026-03-04 15:00").act(LEAD, Action.SUSPEND_REQUEST, until=at("2026-04-07 15:00"), **wish)
    walk.until("2026-03-04 16:00").act(CHIEF, Action.APPROVE, request=walk.case.requests[-1].request_id)
    return walk


def handled(until: str) -> Walk:
    walk = dispatched(LITTER, "2026-03-06 09:00")
    walk.act(LEAD, Action.RESPOND, means="on_site")
    walk.until(until).act(LEAD, Action.FEEDBACK, note="cleaned", close_condition_met=True, evidence=("photo1",))
    return walk


# --- one by one ------------------------------------------------------------------------------------------------------
def test_over_a_holiday() -> None:
    walk = dispatched(LITTER, "2026-09-30 17:00")
    assert said(walk) == (
        "9月30日（周三）17:00派遣起计，当日计1小时；10月1日至7日国庆放假不计；10月8日8:00续计3小时；"
        "应于10月8日11:00前办结。依据：暴露垃圾（0110）立案条件1，4工作时，规则2026.2。"
    )
    assert said(walk, lang=EN) == (
        "Counted from dispatch on Wed 30 Sep, 17:00, 1 h that day; 1 to 7 Oct not counted (National Day holiday); "
        "3 h more from 8 Oct, 8:00; to be settled by 8 Oct, 11:00. "
        "Basis: 暴露垃圾 (0110) filing condition 1, 4 h of working time, rules 2026.2."
    )


def test_on_the_wall_clock() -> None:
    assert said(dispatched(HANGING, "2026-03-06 23:00")) == (
        "3月6日（周五）23:00派遣起计；连续计2小时，不分昼夜和节假日；应于3月7日1:00前办结。"
        "依据：沿街晾挂（0107）立案条件1，2紧急工作时，规则2026.2。"
    )


def test_several_days_with_a_make_up_day_and_a_long_holiday() -> None:
    assert said(dispatched(FITNESS, "2026-02-13 09:00")) == (
        "2月13日（周五）9:00派遣起计，当日计7小时（9:00–12:00、14:00–18:00）；"
        "2月14日（周六，春节调休上班）8:00续计8小时；2月15日至23日春节放假不计；"
        "2月24日至26日3个工作日计24小时；2月27日8:00续计1小时；应于2月27日9:00前办结。"
        "依据：户外健身设施（P0146）立案条件1，5工作日（每工作日按8小时计），规则2026.2。"
    )


def test_a_year_without_a_notice_says_so() -> None:
    told = said(dispatched(FITNESS, "2026-12-30 16:00"))
    assert "2027年1月1日元旦放假不计；2027年1月2日至3日周末不计；2027年1月4日至6日3个工作日计24小时；" in told
    assert "应于2027年1月7日16:00前办结。" in told
    assert told.endswith("暂定时限（2027年放假安排未公布）。")


def test_beginning_on_a_make_up_day() -> None:
    assert said(dispatched(LITTER, "2026-02-14 16:00")).startswith(
        "2月14日（周六，春节调休上班）16:00派遣起计，当日计2小时；2月15日至23日春节放假不计；2月24日8:00续计2小时；"
    )


def test_after_hours_before_a_weekend() -> None:
    assert said(dispatched(LITTER, "2026-03-06 18:30")).startswith(
        "3月6日（周五）18:30派遣起计，当日已下班，不计；3月7日至8日周末不计；3月9日8:00起计4小时；应于3月9日12:00前办结。"
    )


def test_over_lunch_the_hours_are_told() -> None:
    assert said(dispatched(LITTER, "2026-03-06 11:30")).startswith(
        "3月6日（周五）11:30派遣起计，当日计4小时（11:30–12:00、14:00–17:30）；应于3月6日17:30前办结。"
    )


def test_days_to_the_same_time() -> None:
    assert said(dispatched(GULLY, "2026-10-11 10:00", by(DayConvention.SAME_TIME))) == (
        "10月11日（周日）10:00派遣起计；10月11日周末不计；10月12日8:00起计8小时；应于10月13日8:00前办结。"
        "依据：雨水箅子（P0104）立案条件1，1工作日（至末个工作日的同一时刻为止），规则2026.2。"
    )


def test_days_to_the_evening() -> None:
    assert said(dispatched(GULLY, "2026-09-30 17:00", by(DayConvention.DAY_END))) == (
        "9月30日（周三）17:00派遣起计，当日计1小时；10月1日至7日国庆放假不计；10月8日8:00续计8小时；"
        "应于10月8日18:00前办结。"
        "依据：雨水箅子（P0104）立案条件1，1工作日（至末个工作日下班为止，起计当日不算作一日），规则2026.2。"
    )


def test_extended_suspended_and_resumed() -> None:
    walk = extended_and_suspended()
    until_then = (
        "3月2日（周一）9:00派遣起计，当日计7小时（9:00–12:00、14:00–18:00）；3月3日8:00续计8小时；"
        "3月3日11:00获准延期增加40小时；3月4日8:00续计6小时（8:00–12:00、14:00–16:00）；"
        "3月4日16:00挂账暂停，已计21小时；"
    )
    basis = "依据：户外健身设施（P0146）立案条件1，5工作日（每工作日按8小时计），规则2026.2。"
    assert said(walk) == f"{until_then}暂停中，恢复后还有59小时；原定3月9日9:00。{basis}"
    walk.until("2026-04-07 15:00").act(CHIEF, Action.RESUME)
    assert said(walk) == (
        f"{until_then}4月7日15:00挂账解除恢复计时；4月7日15:00续计3小时；4月8日至10日3个工作日计24小时；"
        f"4月11日至12日周末不计；4月13日至16日4个工作日计32小时；应于4月16日18:00前办结；原定3月9日9:00。{basis}"
    )


def test_a_stopped_clock_says_by_how_much_it_was_late() -> None:
    walk = handled("2026-03-06 17:00")
    assert "3月6日17:00反馈停止计时，共用6小时，超时0.50倍；应于3月6日15:00前办结。" in said(walk)


def test_rework_gets_no_less_than_the_rulebook_says() -> None:
    walk = handled("2026-03-06 15:00")
    walk.until("2026-03-06 15:30").act(
        VERIFIER, Action.VERIFY_FAIL, reason="not_found_fixed", note="x", evidence=("p2",)
    )
    assert "3月6日15:00反馈停止计时，共用4小时；3月6日15:30返工恢复计时；3月6日15:30返工增加2小时；" in said(walk)
    assert "应于3月6日17:30前办结" in said(walk)


# --- all of them ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_clock_of_a_long_way_has_its_sentence(lang: str) -> None:
    walk = extended_and_suspended()
    for clock in walk.case.clocks:
        text = sentence(explain(walk.case, clock, walk.facts, BOOK), Labels(lang), BOOK.calendar)
        assert "2026.2" in text
        assert "{" not in text


def test_without_its_history_a_clock_tells_what_it_knows() -> None:
    walk = extended_and_suspended()
    walk.until("2026-04-07 15:00").act(CHIEF, Action.RESUME)
    text = sentence(explain(walk.case, last(walk), (), BOOK), Labels(ZH), BOOK.calendar)
    assert text.startswith("3月2日（周一）9:00起计；此前已计21小时；4月7日15:00起计3小时；")


def test_every_clock_has_its_verb_in_both_languages() -> None:
    assert [kind for kind in ClockKind if f"explain.act.{kind.value}" not in Labels(ZH)] == []
    words = [key.removeprefix("explain.by.") for key in Labels(ZH).under("explain.by.")]
    assert set(words) <= {kind.value for kind in FactKind}
