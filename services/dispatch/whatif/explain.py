"""Why a case is what it is under a rulebook: two explanations with the same parts, to be read side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.dispatch.usecases.routing import routing_of
from services.dispatch.usecases.words import Words
from services.dispatch.whatif.compare import Pair
from services.dispatch.whatif.model import Compared, Side
from services.governance.acts import Fact
from services.governance.case import Case
from services.governance.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Part:
    """One question answered on both sides. `differs`: the answers are not the same."""

    label: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Told:
    """A case as one side tells it."""

    case: Case
    facts: tuple[Fact, ...]
    book: Rulebook
    side: Side


def explain_pair(one: Compared, pair: Pair, books: tuple[Rulebook, Rulebook], words: Words) -> tuple[Part, ...]:
    """Unit, way through the tiers, each limit that differs, and what the machine did."""
    if one.before is None or one.after is None:
        return ()
    before = Told(pair.before, pair.facts_before, books[0], one.before)
    after = Told(pair.after, pair.facts_after, books[1], one.after)
    parts = [
        Part(words.labels.text("whatif.part.unit"), _unit(before, after, words), _unit(after, before, words)),
        Part(words.labels.text("whatif.part.tiers"), (tiers(one.before, words),), (tiers(one.after, words),)),
        *_limits(one, before, after, words),
    ]
    own = _machine(before, words), _machine(after, words)
    parts.append(Part(words.labels.text("whatif.part.machine"), _only(own[0], own[1]), _only(own[1], own[0])))
    return tuple(part for part in parts if part.before or part.after)


def unit_name(code: str | None, book: Rulebook, words: Words) -> str:
    """A unit by its name; no unit is the queue where no rule fits."""
    if not code:
        return words.labels.text("whatif.no_unit")
    known = book.units.get(code)
    return known.name if known is not None else words.place(code)


def tiers(side: Side, words: Words) -> str:
    """The way through the tiers: 网格 → 社区 → 街道."""
    return " → ".join(words.word("tier", tier) for tier in side.tiers)


def _unit(told: Told, other: Told, words: Words) -> tuple[str, ...]:
    """The unit, the line with what it rests on, and why not the line that the other side took."""
    routing, text = routing_of(told.case, told.book, words), words.labels.text
    units = [unit_name(told.side.unit, told.book, words)]
    units += [unit_name(code, told.book, words) for code in told.side.co_units]
    lines = [" + ".join(units)]
    if routing is not None and routing.line:
        kind = words.word("routing", routing.basis)
        basis = f" · {routing.line_basis}" if routing.line_basis else ""
        lines.append(text("whatif.line", kind=kind, line=routing.line) + basis)
        lines += routing.because
    taken = other.side.line
    if routing is not None and taken is not None and taken != told.side.line:
        why = next((reason.why for reason in routing.reasons if reason.line == taken), text("routing.not.gone"))
        lines.append(text("whatif.not_line", line=taken, why=why))
    return tuple(lines)


def _limits(one: Compared, before: Told, after: Told, words: Words) -> Iterator[Part]:
    ids = [shift.clock_id for shift in one.shifts]
    ids += sorted(before.side.late.symmetric_difference(after.side.late) - set(ids))
    for clock_id in ids:
        kind = next(due.kind for side in (before.side, after.side) for due in side.dues if due.clock_id == clock_id)
        yield Part(words.word("clock_kind", kind), _limit(clock_id, before, words), _limit(clock_id, after, words))


def _limit(clock_id: str, told: Told, words: Words) -> tuple[str, ...]:
    clock = next((each for each in told.case.clocks if each.clock_id == clock_id), None)
    if clock is None:
        return (words.labels.text("whatif.no_clock"),)
    sentence, _ = words.why_due(told.case, clock, told.facts, told.book)
    kept = "whatif.late" if clock_id in told.side.late else "whatif.in_time"
    due = words.labels.text("whatif.due", at=words.moment(clock.due_at), kept=words.labels.text(kept))
    return due, sentence


def _machine(told: Told, words: Words) -> list[str]:
    return [
        f"{words.moment(fact.at)} {words.word('rule', fact.rule.rule)}: {_what(fact, words)}"
        for fact in told.facts
        if fact.rule is not None and fact.actor.account is None
    ]


def _what(fact: Fact, words: Words) -> str:
    happened = words.word("fact", fact.kind)
    of_clock = f"clock_kind.{fact.reason}" in words.labels
    return f"{happened} ({words.word('clock_kind', fact.reason or '')})" if of_clock else happened


def _only(own: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """What only one side tells."""
    return tuple(line for line in own if line not in other)
