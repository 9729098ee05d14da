"""`grid rulebook`: a rulebook file checked for holes, and what it would do with one kind of matter."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from schemas.rulebook import RulebookFileError, load_rulebook
from services.chassis.clock import SystemClock
from services.governance.acts import Spot
from services.governance.cycle import ClockKind, Nature
from services.governance.errors import GovernanceError
from services.governance.routing import Matter, route
from services.governance.rulebook import Condition, Rulebook
from services.governance.worktime import seconds_of, shift


@dataclass(frozen=True, slots=True)
class Question:
    """A matter somebody asks about."""

    category: str | None
    condition: str | None
    area: str
    source: str
    danger: bool
    since: datetime | None


def check_rulebook(file: Path, calendars: Path | None) -> int:
    """0 and one line about it, or 1 and every fault."""
    book = _load(file, calendars)
    if book is None:
        return 1
    counts = (
        f"{len(book.categories)} categories",
        f"{len(book.conditions)} conditions",
        f"{len(book.catalogue)} catalogue lines",
        f"{len(book.units)} units",
    )
    sys.stdout.write(f"{book.street.name} {book.street.code}, version {book.version}: {', '.join(counts)}. No holes.\n")
    return 0


def explain_rulebook(file: Path, calendars: Path | None, question: Question) -> int:
    """Which unit and which limits, each with its reason; 1 where the rulebook does not know what was asked."""
    book = _load(file, calendars)
    if book is None:
        return 1
    try:
        for line in _answer(book, question):
            sys.stdout.write(line + "\n")
    except GovernanceError as error:
        sys.stderr.write(f"grid: {error.code}: {error}\n")
        return 1
    return 0


def _answer(book: Rulebook, asked: Question) -> Iterator[str]:
    category = book.require_category(asked.category) if asked.category else None
    chosen = asked.condition or (category.conditions[0] if category else None)
    if chosen is not None:
        book.require_condition(chosen, category)
    condition = book.condition_of(chosen, asked.danger)
    spot = Spot(street=book.street.code, community=asked.area or None)
    matter = Matter(asked.category, condition.id, spot, Nature.COMPLAINT, asked.source, asked.danger)
    routed = route(matter, book.catalogue)
    yield f"category   {category.code + ' ' + category.name if category else '(none)'}"
    yield f"condition  {condition.id} {condition.text}"
    yield f"lead unit  {_unit(book, routed.lead)}  by {routed.basis} {routed.line or ''}".rstrip()
    yield f"co-units   {', '.join(_unit(book, unit) for unit in routed.co_units) or '(none)'}"
    yield from _limits(book, condition, asked.since or SystemClock().now())
    for unmatched in routed.unmatched:
        line, _, why = unmatched.partition(":")
        yield f"not        {line}: {why}"


def _limits(book: Rulebook, condition: Condition, since: datetime) -> Iterator[str]:
    kinds = [kind for kind in ClockKind if kind is ClockKind.HANDLING or kind in book.limits]
    for kind in kinds:
        budget = book.limit_of(condition, kind)
        seconds = seconds_of(budget, since, book.calendar, book.settings.convention)
        due = book.calendar.local(shift(since, seconds, budget.basis, book.calendar))
        yield f"limit      {kind.value:<18} {budget.value} {budget.unit.value:<12} due {due:%Y-%m-%d %H:%M}"


def _unit(book: Rulebook, code: str | None) -> str:
    if code is None:
        return "(no rule)"
    unit = book.units.get(code)
    return f"{code} {unit.name}" if unit else code


def _load(file: Path, calendars: Path | None) -> Rulebook | None:
    folder = calendars or file.parent / "calendars"
    texts = {each.name: each.read_text() for each in sorted(folder.glob("*.toml"))}
    try:
        return load_rulebook(file.read_text(), texts)
    except RulebookFileError as error:
        for problem in error.problems:
            sys.stderr.write(f"{error.name}: {problem}\n")
        return None
