"""What it is, how dangerous, whose work: the class of a case, its route, and its due times when the class changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.governance import sla
from services.governance.acts import (
    Absorbed,
    CategoryRef,
    Change,
    Classified,
    Clock,
    ClockChanged,
    ClockState,
    Counted,
    FlagDropped,
    FlagRaised,
    OpenCase,
    Routed,
)
from services.governance.case.model import Case, clock_of
from services.governance.case.terms import capped, strict
from services.governance.case.turn import Turn
from services.governance.cycle import ClockKind, Flag, Urgency
from services.governance.errors import MissingInput
from services.governance.routing import Matter, route
from services.governance.rulebook import Category, Condition, Rulebook
from services.governance.sla import Allowance
from services.governance.tiers import is_urgent
from services.governance.worktime import Basis, spent

_BY_DATE = frozenset({ClockKind.REVIEW, ClockKind.SUPERVISION, ClockKind.MORE, ClockKind.RETURN_WINDOW})


# --- the class proposed when a report comes in ----------------------------------------------------------------------
def propose(command: OpenCase, book: Rulebook) -> Classified:
    """Category as reported, the condition that fits the danger, urgency by danger alone."""
    category = book.category_of(command.category)
    danger = command.danger or command.life
    condition = _proposed_condition(category, danger, book)
    urgency = Urgency.CRITICAL if command.life else Urgency.URGENT if danger else Urgency.ORDINARY
    if condition is not None and not danger:
        urgency = condition.urgency
    restricted = is_restricted(category, command.source, (), book)
    ref = category.ref if category is not None else command.category
    return Classified(ref, condition.id if condition else None, urgency, restricted, proposed=True)


def is_restricted(category: Category | None, source_id: str, duplicates: Sequence[Absorbed], book: Rulebook) -> bool:
    """By its class, by where it came from, or for as long as a restricted matter is part of it."""
    source = book.sources.get(source_id)
    own = (category is not None and category.restricted) or (source is not None and source.restricted)
    return own or any(duplicate.restricted for duplicate in duplicates)


def _proposed_condition(category: Category | None, danger: bool, book: Rulebook) -> Condition | None:
    if category is None:
        return book.conditions[book.danger_condition] if danger else None
    own = [book.conditions[c] for c in category.conditions]
    dangerous = (c for c in own if is_urgent(c.urgency))
    return next(dangerous, own[0]) if danger else own[0]


def matter_of(what: Case | OpenCase, classified: Classified, book: Rulebook) -> Matter:
    """What routing looks at, of a case or of a report that has just come in."""
    known = book.category_of(classified.category)
    danger = what.danger or (isinstance(what, OpenCase) and what.life)
    return Matter(known.code if known else None, classified.condition, what.spot, what.nature, what.source, danger)


def routed_for(what: Case | OpenCase, classified: Classified, book: Rulebook, recorded: str | None = None) -> Routed:
    """The routes' choice under a class, with why every other line was not taken; a unit named by an imported file is
    kept as the lead."""
    return route(matter_of(what, classified, book), book.catalogue, book.version, what.imported_unit or recorded)


def rule_flag(case: Case, routed: Routed) -> list[Change]:
    """Whether no line of the catalogue matched, as a flag."""
    none = routed.line is None
    if none and Flag.NO_RULE not in case.flags:
        return [FlagRaised(Flag.NO_RULE)]
    if not none and Flag.NO_RULE in case.flags:
        return [FlagDropped(Flag.NO_RULE)]
    return []


def recurs(book: Rulebook, times: int, known: int = 0) -> list[Change]:
    """Here again, so many times more; from the rulebook's number on it is a hard one, whose root is looked for."""
    hard = times > 0 and known + times + 1 >= book.settings.recur_hard
    return [*[Counted("recurrence")] * times, *([FlagRaised(Flag.HARD)] if hard else [])]


# --- the class a person chooses -------------------------------------------------------------------------------------
def chosen(turn: Turn) -> Classified:
    """The class by the inputs; what is not given stays as it is. Raises where it does not exist."""
    case, book, given = turn.case, turn.book, turn.inputs
    category = book.require_category(given.category) if given.category else book.category_of(case.category)
    if category is None:
        raise MissingInput("category")
    condition = _chosen_condition(case, book, given.condition, category)
    urgency = given.urgency
    if urgency is None:
        keeps = case.danger or condition.id == case.condition
        urgency = case.urgency if keeps else condition.urgency
    restricted = is_restricted(category, case.source, case.absorbed, book)
    ref = CategoryRef(category.scheme, category.version, category.code)
    return Classified(ref, condition.id, urgency, restricted, proposed=False)


def _chosen_condition(case: Case, book: Rulebook, given: str | None, category: Category) -> Condition:
    if given:
        return book.require_condition(given, category)
    if case.condition in category.conditions:
        return book.conditions[case.condition]
    return book.conditions[category.conditions[0]]


# --- due times under another class ----------------------------------------------------------------------------------
def recomputed(turn: Turn, classified: Classified, spare: Sequence[ClockKind] = ()) -> list[Change]:
    """Every clock that is not stopped nor spared, with the allowance of the new class from its original start."""
    book = turn.book
    condition = book.condition_of(classified.condition, turn.case.danger)
    changes: list[Change] = []
    for clock in turn.case.clocks:
        if clock.state is ClockState.STOPPED or clock.kind in _BY_DATE or clock.kind in spare:
            continue
        allowance = allowed(turn, clock, condition, classified.urgency, turn.case.absorbed)
        moved = sla.recompute(clock, allowance, book, classified.urgency)
        if moved.due_at != clock.due_at or moved.basis != clock.basis or moved.rungs != clock.rungs:
            changes.append(ClockChanged(moved, "recomputed"))
    return changes


def allowed(
    turn: Turn, clock: Clock, condition: Condition, urgency: Urgency, duplicates: Sequence[Absorbed]
) -> Allowance:
    """What a clock may take from its start under a condition and the terms of the duplicates."""
    strictest = strict(condition, duplicates, clock.started_at, turn.book)
    return capped(_anew(turn, clock, strictest, urgency), clock, duplicates, turn.book)


def _anew(turn: Turn, clock: Clock, condition: Condition, urgency: Urgency) -> Allowance:
    book, start = turn.book, clock.started_at
    if clock.kind is ClockKind.WHOLE:
        return whole_from_filing(turn, clock, condition, urgency)
    if clock.kind is ClockKind.CO_TASK:
        parent = clock_of(turn.case, ClockKind.HANDLING) or clock_of(turn.case, ClockKind.COMMUNITY_DISPOSAL)
        if parent is not None:
            kind = parent.kind
            due = sla.recompute(
                parent, sla.allow(book.limit_of(condition, kind), parent.started_at, book), book, urgency
            )
            return Allowance(max(1, spent(start, due.due_at, due.basis, book.calendar)), Basis(due.basis))
    return sla.allow(book.limit_of(condition, clock.kind), start, book)


def whole_from_filing(turn: Turn, clock: Clock, condition: Condition, urgency: Urgency) -> Allowance:
    """The whole-case allowance: before filing with the capped time of grid and community, from filing on the
    condition's own limit beside the time already spent."""
    book = turn.book
    first = next((c for c in turn.case.clocks if c.kind is ClockKind.DISPATCH), None)
    if first is None:
        return sla.whole_case(condition, urgency, clock.started_at, book)
    return counted_from(clock, condition, first.started_at, book)


def counted_from(clock: Clock, condition: Condition, filed_at: datetime, book: Rulebook) -> Allowance:
    """Time from the clock's start to filing, and the condition's limit after it."""
    limit = sla.allow(condition.limit, filed_at, book)
    before = spent(clock.started_at, filed_at, limit.basis, book.calendar)
    return Allowance(before + limit.seconds, limit.basis)


def chosen_by_machine(case: Case, book: Rulebook) -> Classified:
    """The class as proposed, taken as it is."""
    condition = book.condition_of(case.condition, case.danger)
    return Classified(case.category, condition.id, case.urgency, case.restricted, proposed=True)
