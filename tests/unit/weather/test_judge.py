"""The judge of the crowd finds what could go wrong, each by its name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.e2e.weather.crowd import Promise
from tests.e2e.weather.judge import Found, PhotoFound, judge

PROMISE = Promise("k1", "一", "wangge01", {"p1": "aa"})
WELL = Found(
    reports=[("一", "r1", "k1")],
    photos=[PhotoFound("r1", "p1", "aa", "stored")],
    told=["p1"],
    cases=[("r1", "c1")],
    unsent=0,
)


def test_nothing_is_wrong_where_all_is_well() -> None:
    assert judge([PROMISE], {"k1": "r1"}, WELL) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (replace(WELL, reports=[], photos=[], cases=[]), "there 0 times"),
        (replace(WELL, reports=[("一", "r1", "k1"), ("一", "r2", "k2")]), "there 2 times"),
        (replace(WELL, reports=[*WELL.reports, ("二", "r9", "k9")]), "nobody promised it"),
        (replace(WELL, cases=[]), "in 0 cases"),
        (replace(WELL, cases=[("r1", "c1"), ("r1", "c2")]), "in 2 cases"),
        (replace(WELL, photos=[]), "photo p1 is unknown"),
        (replace(WELL, photos=[PhotoFound("r1", "p1", "aa", "named")]), "photo p1 is named"),
        (replace(WELL, photos=[PhotoFound("r1", "p1", "bb", "stored")]), "another picture"),
        (replace(WELL, told=["p1", "p1"]), "announced 2 times"),
    ],
)
def test_each_fault_is_named(found: Found, said: str) -> None:
    assert any(said in one for one in judge([PROMISE], {"k1": "r1"}, found))


@pytest.mark.parametrize(("receipts", "said"), [({}, "no receipt"), ({"k1": "r7"}, "the receipt is for r7")])
def test_receipts_that_are_missing_or_for_another_report(receipts: dict[str, str], said: str) -> None:
    assert any(said in one for one in judge([PROMISE], receipts, WELL))
