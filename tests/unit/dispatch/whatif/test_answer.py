"""Many answers added up, and what is written of them: always the same for the same answers."""

from __future__ import annotations

import argparse
import re
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from io import StringIO
from typing import Any
from xml.etree import ElementTree

import pytest

from schemas.labels import LANGUAGES, Labels
from services.chassis.directory import Directory
from services.dispatch.usecases.words import Words
from services.dispatch.whatif.arguments import moment
from services.dispatch.whatif.charts import columns, pairs
from services.dispatch.whatif.compare import compare
from services.dispatch.whatif.data import as_data
from services.dispatch.whatif.explain import explain_pair
from services.dispatch.whatif.figures import EDGES, Figures, figures_of
from services.dispatch.whatif.model import Compared, Due, Shift, Side, Verdict
from services.dispatch.whatif.page import page
from services.dispatch.whatif.terminal import show
from services.dispatch.whatif.view import Bar, Question, View, Writer
from tests.support.governance import BOOK, at
from tests.unit.dispatch.whatif.test_compare import _one_form, with_lead

SIDE = Side(
    "huanwei", (), "L1", "huanwei", (), ("T0", "T1"), (Due("c:h", "handling", at("2026-03-06 15:00"), late=False),)
)
SAME = Compared(
    "c", "FC-1", "0109", "rb1", at("2026-03-06 09:00"), False, False, Verdict.COMPARED, before=SIDE, after=SIDE
)


def shifted(number: int, seconds: int, **changes: Any) -> Compared:
    due = at("2026-03-06 15:00")
    shift = Shift("c:h", "handling", due, due + timedelta(seconds=seconds))
    return replace(SAME, case_no=f"FC-{number}", shifts=(shift,), **changes)


def late(side: Side) -> Side:
    return replace(side, dues=tuple(replace(due, late=True) for due in side.dues))


def test_the_sums_are_those_of_the_cases() -> None:
    answers = [
        SAME,
        shifted(2, -7200, after=late(SIDE)),
        replace(
            SAME,
            case_no="FC-3",
            after=replace(SIDE, choice="zhifa", lead="zhifa"),
            verdict=Verdict.DIVERGED,
            why="unit",
        ),
        replace(SAME, case_no="FC-4", verdict=Verdict.NOT_REPRODUCIBLE, why="fact:case.filed", before=None, after=None),
        replace(SAME, case_no="FC-5", before=late(SIDE)),
    ]
    figures = figures_of(answers, 10)
    assert (figures.cases, figures.compared, figures.diverged, figures.not_reproducible) == (5, 3, 1, 1)
    assert (figures.unit, figures.tier, figures.due, figures.route) == (1, 0, 1, 0)
    assert (figures.breaches_before, figures.breaches_after) == (1, 1)
    assert (figures.breaches_gone, figures.breaches_come) == (1, 1)
    assert [(load.unit, load.before, load.after) for load in figures.loads] == [("huanwei", 4, 3), ("zhifa", 0, 1)]
    assert [one.case_no for one in figures.listed] == ["FC-2", "FC-5", "FC-3"]
    assert figures.faults == (("fact:case.filed", 1),)
    assert figures.parted == (("unit", 1),)


def test_every_shift_falls_into_one_column() -> None:
    seconds = [edge + more for edge in EDGES for more in (-1, 0, 1) if edge + more]
    figures = figures_of([shifted(n, s) for n, s in enumerate(seconds)], 0)
    assert sum(each.count for each in figures.shifts) == len(seconds)
    one_day = next(each for each in figures_of([shifted(1, 86400)], 0).shifts if each.count)
    assert (one_day.low, one_day.high) == (8 * 3600, 86400), "a day is up to a day"
    day_early = next(each for each in figures_of([shifted(1, -86400)], 0).shifts if each.count)
    assert (day_early.low, day_early.high) == (-86400, -8 * 3600)


def test_restricted_matters_are_counted_and_not_listed() -> None:
    figures = figures_of([shifted(1, 60, restricted=True), shifted(2, 60)], 10)
    assert figures.due == 2
    assert [one.case_no for one in figures.listed] == ["FC-2"]
    assert figures.unlisted == 1


@pytest.mark.parametrize("most", [0, 1, 3])
def test_so_many_are_listed_largest_first(most: int) -> None:
    answers = [shifted(n, n * 60) for n in (1, 3, 2)]
    assert [one.case_no for one in figures_of(answers, most).listed] == ["FC-3", "FC-2", "FC-1"][:most]


# --- written ----------------------------------------------------------------------------------------------------------
def answered(lang: str) -> tuple[Question, Figures, list[Compared], View]:
    record, changed = _one_form().record, with_lead("chengguan")
    one, pair = compare(record, lambda _: BOOK, lambda _: changed, record.asks[-1].now + timedelta(days=9))
    assert pair is not None
    directory = Directory(0)
    words = Words(Labels(lang), directory)
    question = Question(changed, "new <b>.toml", (("2026.1", 1),), at("2026-03-01 00:00"), at("2026-03-09 00:00"))
    figures = figures_of([one], 10)
    view = Writer(question, figures, words).view([(one, explain_pair(one, pair, (BOOK, changed), words))])
    return question, figures, [one], view


@pytest.mark.parametrize("lang", LANGUAGES)
def test_both_explanations_stand_side_by_side(lang: str) -> None:
    view = answered(lang)[3]
    (listed,) = view.listed
    unit = listed.parts[0]
    assert unit.differs
    assert unit.before[0].startswith("环卫公司")
    assert unit.after[0].startswith("城管办")
    out = StringIO()
    show(view, out)
    assert listed.case_no in out.getvalue()
    assert "环卫公司" in out.getvalue()
    assert "\x1b" not in out.getvalue(), "no colours in a file"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_needs_nothing_beside_itself(lang: str) -> None:
    html = page(answered(lang)[3])
    assert "<script" not in html
    assert not re.search(r"\b(src|href)=|url\(|@import|\sstyle=|\son\w+=", html)
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in html
    assert "new &lt;b&gt;.toml" in html
    assert f'<html lang="{lang}">' in html
    assert html.count("<details>") == 1


def test_the_same_answer_is_the_same_bytes() -> None:
    once, again = answered("zh-CN"), answered("zh-CN")
    assert as_data(*once) == as_data(*again)
    assert page(once[3]) == page(again[3])


def test_bars_are_drawn_in_proportion() -> None:
    drawn = ElementTree.fromstring(pairs([Bar("一", 10, 5), Bar("二", 0, 0)], "t", "b", "a"))
    wide = [float(bar.get("width") or 0) for bar in drawn.iter("rect")]
    assert wide[0] == 2 * wide[1]
    assert wide[2:] == [0, 0]
    high = [
        float(bar.get("height") or 0) for bar in ElementTree.fromstring(columns([("a", 1), ("b", 4)], "t")).iter("rect")
    ]
    assert high[1] == 4 * high[0]
    assert ElementTree.fromstring(pairs([], "t", "b", "a")).get("role") == "img"


def test_moments_are_those_of_the_street() -> None:
    assert moment("2026-10-01") == at("2026-10-01 00:00")
    assert moment("2026-10-01T08:30") == at("2026-10-01 08:30")
    assert moment("2026-10-01T00:30+00:00") == at("2026-10-01 08:30")
    with pytest.raises(argparse.ArgumentTypeError, match="no date"):
        moment("yesterday")
