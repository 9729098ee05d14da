"""Every hole a rulebook can have, one at a time: what is said of it, and where; and what is just inside the lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.governance.cycle import ClockKind, Nature
from services.governance.errors import RulebookRefused
from services.governance.routing import CatalogueLine, Matter, route
from services.governance.rulebook import Rulebook
from services.governance.sla import over_limit
from services.governance.tiers import Ladder, LadderStep, RungAct
from services.governance.worktime import Budget, LimitUnit
from tests.support.governance import BOOK, HOME, LITTER, SCHEME, rulebook

NOTHING = Budget(0, LimitUnit.WORK_HOUR)
ONE = Budget(1, LimitUnit.WORK_HOUR)
HANDLING, VERIFY = ClockKind.HANDLING, ClockKind.VERIFY
FIRST = BOOK.catalogue[0]


def without(field: str, key: object) -> dict[str, object]:
    """The test street's table without one entry."""
    return {field: {k: v for k, v in getattr(BOOK, field).items() if k != key}}


def changed(field: str, key: object, **changes: object) -> dict[str, object]:
    """One entry of a table with other values."""
    table = getattr(BOOK, field)
    return {field: {**table, key: replace(table[key], **changes)}}


def moved(field: str, key: object, to: object) -> dict[str, object]:
    """One entry under another key."""
    table = getattr(BOOK, field)
    return {field: {**{k: v for k, v in table.items() if k != key}, to: table[key]}}


def added(field: str, key: object, value: object) -> dict[str, object]:
    return {field: {**getattr(BOOK, field), key: value}}


def line(**changes: object) -> dict[str, object]:
    """One more line of the catalogue."""
    return {"catalogue": (*BOOK.catalogue, replace(FIRST, **{"id": "L9", **changes}))}


STEP = LadderStep(RungAct.OVERDUE)
HOLES: dict[str, dict[str, object]] = {
    "clock_without_ladder verify": without("ladders", VERIFY),
    "clock_without_ladder close": changed("ladders", ClockKind.CLOSE, steps=()),
    "key_differs ladder:verify": added("ladders", VERIFY, Ladder(HANDLING, (STEP,))),
    "percent_out_of_range ladder:verify": changed("ladders", VERIFY, steps=(STEP, replace(STEP, percent=0))),
    "clock_without_limit verify": without("limits", VERIFY),
    "key_differs condition:heap": added("conditions", "heap", BOOK.conditions["litter"]),
    "condition_without_limit stall": changed("conditions", "stall", limit=NOTHING),
    "limit_not_positive stall:verify": changed("conditions", "stall", limits={HANDLING: ONE, VERIFY: NOTHING}),
    "condition_unknown danger:none": {"danger_condition": "none"},
    "condition_unknown unsure:none": {"unsure_condition": "none"},
    "danger_not_wall litter": {"danger_condition": "litter"},
    "key_differs source:papers": added("sources", "papers", BOOK.sources["media"]),
    "percent_out_of_range source:media": changed("sources", "media", visit_percent=101),
    "percent_out_of_range source:grid_worker": changed("sources", "grid_worker", visit_percent=-1),
    "key_differs category:0888": added("categories", "0888", BOOK.categories[LITTER]),
    "category_without_edition 0109": changed("categories", LITTER, scheme=""),
    "category_without_edition 0111": changed("categories", "0111", version=""),
    "category_without_condition 0109": changed("categories", LITTER, conditions=()),
    "condition_unknown 0109:none": changed("categories", LITTER, conditions=("litter", "none")),
    "line_twice L1": line(id="L1"),
    "unit_unknown L9:nobody": line(lead="nobody"),
    "unit_unknown L9:helper": line(co_units=("wuye", "helper")),
    "unit_unknown L9:later": line(next_units=("later",)),
    "lead_is_co_unit L9": line(co_units=("huanwei",)),
    "condition_unknown L9:none": line(conditions=("litter", "none")),
    "category_unknown L9:7777": line(categories=(LITTER, "7777")),
    "category_unknown L9:77*": line(categories=("01*", "77*")),
    "key_differs unit:other": added("units", "other", BOOK.units["wuye"]),
}


def complaints(book: dict[str, object]) -> set[str]:
    with pytest.raises(RulebookRefused) as refused:
        rulebook(**book)
    assert refused.value.params == {
        "complaints": tuple(f"{one.code}:{one.subject}" for one in refused.value.complaints)
    }
    return {f"{one.code} {one.subject}" for one in refused.value.complaints}


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_is_named_and_nothing_else(hole: str) -> None:
    assert complaints(HOLES[hole]) == {hole}


INSIDE: dict[str, dict[str, object]] = {
    "one per cent": changed("ladders", VERIFY, steps=(replace(STEP, percent=1),)),
    "a limit of one": changed("conditions", "stall", limit=ONE, limits={VERIFY: ONE}),
    "every report visited": changed("sources", "media", visit_percent=100),
    "no report visited": changed("sources", "media", visit_percent=0),
    "a line that takes everything": line(categories=(), conditions=(), co_units=()),
    "a prefix": line(categories=("01*",)),
}


@pytest.mark.parametrize("name", INSIDE)
def test_what_is_just_inside_the_lines_is_taken(name: str) -> None:
    assert isinstance(rulebook(**INSIDE[name]), Rulebook)


# --- questions --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("percent", "due"), [(0, 0), (1, 1), (50, 50), (100, 100)])
def test_so_many_of_a_hundred_kinds_of_case_are_visited(percent: int, due: int) -> None:
    """The share is of the remainders of a checksum; a thousand ids come near it, the same ones each time."""
    book = rulebook(**changed("sources", "media", visit_percent=percent))
    visited = [n for n in range(5000) if book.visit_due("media", f"case-{n}")]
    assert abs(len(visited) / 50 - due) < (0.5 if percent in (1,) else 2.0)
    assert visited == [n for n in range(5000) if book.visit_due("media", f"case-{n}")]
    assert not book.visit_due("nowhere", "case-1")


def test_a_category_of_another_scheme_or_edition_is_not_this_one() -> None:
    ref = BOOK.categories[LITTER].ref
    assert BOOK.category_of(ref) is BOOK.categories[LITTER]
    assert BOOK.category_of(replace(ref, scheme="CJ/T 214")) is None
    assert BOOK.category_of(replace(ref, version="2021")) is None
    assert BOOK.category_of(replace(ref, code="none")) is None
    assert (ref.scheme, ref.code) == (SCHEME, LITTER)


@pytest.mark.parametrize(
    ("used", "budget", "ratio"), [(0, 3600, -1.0), (3600, 3600, 0.0), (7300, 3600, 1.03), (5, 1, 4.0), (3, 0, 3.0)]
)
def test_how_many_times_over_its_limit(used: int, budget: int, ratio: float) -> None:
    assert over_limit(used, budget) == ratio


def test_a_unit_of_an_imported_file_leads_whatever_the_lines_say() -> None:
    matter = Matter(LITTER, None, HOME, Nature.HELP, "grid_worker", danger=False)
    nowhere = route(replace(matter, category=None), BOOK.catalogue, "rb1", "zhifa")
    assert (nowhere.lead, nowhere.co_units, nowhere.line, nowhere.basis) == ("zhifa", (), None, "import")
    assert (nowhere.rulebook_lead, nowhere.matched, nowhere.rulebook) == (None, (), "rb1")
    beside = route(matter, BOOK.catalogue, "rb1", "zhifa")
    assert (beside.lead, beside.co_units, beside.line, beside.basis) == ("zhifa", (), "L1", "import")
    assert beside.rulebook_lead == "huanwei"


def test_a_choice_without_a_rulebook_names_none() -> None:
    matter = Matter(None, None, HOME, Nature.HELP, "grid_worker", danger=False)
    assert route(matter, (CatalogueLine("L", "zhifa"),)).rulebook == ""
