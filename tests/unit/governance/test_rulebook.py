"""A rulebook with holes is refused with all of them; routing explains every line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.governance.acts import CategoryRef
from services.governance.case import offers
from services.governance.cycle import Action, ClockKind, Nature, State, Tier
from services.governance.errors import (
    Complaint,
    InvalidInput,
    RulebookRefused,
    UnknownCategory,
    UnknownCondition,
    UnknownUnit,
)
from services.governance.routing import CatalogueLine, Matter, RouteKind, match, route
from services.governance.tiers import TIERS
from tests.support.governance import (
    BOOK,
    CATALOGUE,
    COMMUNITY,
    COVER,
    EDITION,
    HEAP,
    HOME,
    LITTER,
    SCHEME,
    SECRETARY,
    STALL,
    Walk,
    categories,
    rulebook,
)


def refused(**changes: object) -> set[tuple[str, str]]:
    with pytest.raises(RulebookRefused) as error:
        rulebook(**changes)
    return {(c.code, c.subject) for c in error.value.complaints}


def test_every_hole_is_named_at_once() -> None:
    ladders = {k: v for k, v in BOOK.ladders.items() if k is not ClockKind.VISIT}
    limits = {k: v for k, v in BOOK.limits.items() if k is not ClockKind.FILE}
    lines = (*CATALOGUE, CatalogueLine("L1", "nobody", ("nobody",), categories=("0000",), conditions=("none",)))
    empty = {c.code: replace(c, conditions=()) if c.code == STALL else c for c in categories()}
    found = refused(ladders=ladders, limits=limits, catalogue=lines, categories=empty, danger_condition="unsure")
    assert found == {
        ("clock_without_ladder", "visit"),
        ("clock_without_limit", "file"),
        ("line_twice", "L1"),
        ("unit_unknown", "L1:nobody"),
        ("lead_is_co_unit", "L1"),
        ("category_unknown", "L1:0000"),
        ("condition_unknown", "L1:none"),
        ("category_without_condition", STALL),
        ("danger_not_wall", "unsure"),
    }


def test_keys_and_ids_are_the_same() -> None:
    assert ("key_differs", "unit:other") in refused(units={**BOOK.units, "other": BOOK.units["zhifa"]})
    assert ("condition_unknown", "unsure:none") in refused(unsure_condition="none")


def test_a_code_counts_only_with_its_scheme_and_edition() -> None:
    assert BOOK.category_of(CategoryRef(SCHEME, EDITION, LITTER)) is not None
    assert BOOK.category_of(CategoryRef("CJ/T 214", "2007", LITTER)) is None
    assert BOOK.category_of(None) is None


def test_questions_about_unknown_things_are_refused() -> None:
    with pytest.raises(UnknownCategory):
        BOOK.require_category("9999")
    with pytest.raises(UnknownCondition):
        BOOK.require_condition("stall", BOOK.require_category(LITTER))
    with pytest.raises(UnknownUnit):
        BOOK.require_unit("nobody")


def test_wall_or_working_time_follows_from_the_condition() -> None:
    assert BOOK.limit_of(BOOK.conditions["stall"], ClockKind.RESPONSE).unit.value == "urgent_minute"
    assert BOOK.limit_of(BOOK.conditions["litter"], ClockKind.RESPONSE).unit.value == "work_hour"
    assert BOOK.limit_of(BOOK.conditions["litter"], ClockKind.HANDLING) == BOOK.conditions["litter"].limit


def test_a_visit_is_the_same_answer_for_the_same_case() -> None:
    assert BOOK.visit_due("hotline_12345", "x")
    assert not BOOK.visit_due("grid_worker", "x")
    assert not BOOK.visit_due("unheard_of", "x")
    half = rulebook(sources={"s": replace(BOOK.sources["grid_worker"], id="s", visit_percent=50)})
    share = sum(half.visit_due("s", str(n)) for n in range(2000))
    assert 900 < share < 1100


def test_every_line_that_does_not_match_says_why() -> None:
    matter = Matter(COVER, "cover.cracked", HOME, Nature.COMPLAINT, "grid_worker", danger=False)
    lines = (
        *CATALOGUE,
        CatalogueLine("area", "sifa", areas=("441802009",)),
        CatalogueLine("nature", "sifa", natures=(Nature.HELP,)),
        CatalogueLine("source", "sifa", sources=("media",)),
        CatalogueLine("danger", "sifa", danger=True),
        CatalogueLine("condition", "sifa", conditions=("litter",)),
        CatalogueLine("last", "sifa", kind=RouteKind.FALLBACK),
    )
    found = match(matter, lines)
    assert [line.id for line in found.lines] == ["L3"]
    assert set(found.unmatched) >= {
        "L1:category",
        "area:area",
        "nature:nature",
        "source:source",
        "danger:danger",
        "condition:condition",
    }
    assert found.kind is RouteKind.CATALOGUE


def test_the_duty_list_decides_before_the_catalogue_and_that_before_the_owner() -> None:
    matter = Matter(COVER, "cover.cracked", HOME, Nature.COMPLAINT, "grid_worker", danger=True)
    kinds = (RouteKind.FALLBACK, RouteKind.OWNERSHIP, RouteKind.CATALOGUE, RouteKind.DUTY)
    lines = tuple(CatalogueLine(kind.value, kind.value, kind=kind) for kind in kinds)
    for number in range(len(kinds), 0, -1):
        routed = route(matter, lines[:number])
        assert routed.basis == routed.lead == kinds[number - 1]
        assert set(routed.unmatched) == {f"{kind}:order" for kind in kinds[: number - 1]}


def test_a_choice_names_the_inputs_that_its_line_asked_for() -> None:
    matter = Matter(COVER, "cover.cracked", HOME, Nature.COMPLAINT, "grid_worker", danger=False)
    line = CatalogueLine(
        "own", "zhifa", categories=("02*",), areas=(COMMUNITY,), natures=(Nature.COMPLAINT,), danger=False
    )
    routed = route(matter, (line, CatalogueLine("also", "zhifa")), "v1")
    assert routed.matched == (f"category:{COVER}", f"area:{HOME.cell}", "nature:complaint", "danger:no")
    assert (routed.line, routed.unmatched, routed.rulebook) == ("own", ("also:order",), "v1")


def test_a_code_of_another_table_finds_the_category() -> None:
    other = CategoryRef("CJ/T 214", "2007", "0102")
    book = rulebook(categories={c.code: replace(c, also=(other,)) if c.code == HEAP else c for c in categories()})
    found = book.category_of(other)
    assert found is not None
    assert found.code == HEAP
    assert book.category_of(CategoryRef("CJ/T 214", "2007", "0103")) is None


def test_the_last_resort_is_marked_and_an_imported_unit_is_kept_beside() -> None:
    matter = Matter(None, None, HOME, Nature.COMPLAINT, "grid_worker", danger=False)
    lines = (*CATALOGUE, CatalogueLine("last", "chengguan", kind=RouteKind.FALLBACK))
    assert route(matter, lines).basis == "fallback"
    assert route(matter, lines, "v1").rulebook == "v1"
    assert route(matter, CATALOGUE).basis == "none"
    kept = route(Matter(STALL, "stall", HOME, Nature.COMPLAINT, "import", danger=False), lines, "v1", "wuye")
    assert (kept.lead, kept.basis, kept.rulebook_lead, kept.line) == ("wuye", "import", "zhifa", "L2")


def test_every_rung_of_ownership_has_one_next_and_the_last_none() -> None:
    assert set(TIERS) == set(Tier)
    assert [TIERS[t].up for t in Tier] == [Tier.COMMUNITY, Tier.STREET, Tier.DISTRICT, None]


def test_complaints_are_params_not_prose() -> None:
    error = RulebookRefused([Complaint("unit_unknown", "L1:x")])
    assert error.params == {"complaints": ("unit_unknown:L1:x",)}


def test_a_street_gives_its_own_list_of_reasons() -> None:
    """Its reasons stand in the form and are taken; those it left out are refused, whatever the built-in list says."""
    book = rulebook(reasons={"call_up@community": {"no_means": "缺经费", "flood": "汛期"}})
    walk = Walk(book=book)
    offer = next(o for o in offers(walk.case, SECRETARY, book, walk.now) if o.action is Action.CALL_UP)
    assert next(field.choices for field in offer.inputs if field.name == "reason") == ("no_means", "flood")
    with pytest.raises(InvalidInput) as refused:
        walk.act(SECRETARY, Action.CALL_UP, reason="recurring")
    assert refused.value.params["choices"] == ("no_means", "flood")
    walk.act(SECRETARY, Action.CALL_UP, reason="flood")
    assert walk.case.state is State.AT_COMMUNITY
