"""A case as it was recorded: its facts, and every question the rules were asked on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schemas.asked import Asked, load_asked
from schemas.cases import load_fact
from services.dispatch.whatif.derive import Deriving, Unknowable
from services.governance.acts import Act, Fact, OpenCase, Opened, TimerFired

_INSTANT = timedelta(microseconds=1)
Stored = tuple[bytes, bytes | None]
"""A fact and, with the first of an answer, what had been asked."""


@dataclass(frozen=True, slots=True)
class Record:
    """One case. `firsts`: where in `facts` the answer to each question begins. `derived`: some question was not kept
    and had to be read off the facts."""

    opening: OpenCase
    rulebook: str
    facts: tuple[Fact, ...]
    asks: tuple[Asked, ...]
    firsts: tuple[int, ...]
    derived: bool = False


def record_of(rows: Sequence[Stored]) -> Record:
    """What was recorded of one case, oldest first. Raises Unknowable where a question can not be found out."""
    facts = tuple(load_fact(body) for body, _ in rows)
    first = facts[0].changes[0] if facts else None
    if not isinstance(first, Opened):
        raise Unknowable("no_opening")
    deriving = Deriving(first.command, facts)
    asks: list[tuple[int, Asked]] = []
    last: Asked | None = None  # of those that were kept
    for index, (fact, (_, kept)) in enumerate(zip(facts, rows, strict=True)):
        if kept is not None:
            last = load_asked(kept)
            asks.append((index, last if last.command is not None else replace(last, command=first.command)))
        elif last is None or not _answers(fact, last):
            asks += [(index, asked) for asked in deriving.asked(index)]
    firsts = tuple(index for index, _ in asks)
    return Record(
        first.command, first.rulebook, facts, tuple(_once_passed(ask) for _, ask in asks), firsts, deriving.used
    )


def until(record: Record, end: datetime) -> Record:
    """The record as it stood at `end`: what was asked later has not happened."""
    kept = sum(1 for ask in record.asks if ask.now <= end)
    if kept == len(record.asks):
        return record
    facts = record.facts[: record.firsts[kept]]
    return replace(record, asks=record.asks[:kept], firsts=record.firsts[:kept], facts=facts)


def _answers(fact: Fact, asked: Asked) -> bool:
    """Whether the fact belongs to the answer that began before it: by the same act, or by nobody's act."""
    return fact.op_id is None or (isinstance(asked.command, Act) and fact.op_id == asked.command.op_id)


def _once_passed(asked: Asked) -> Asked:
    """A timer counts as fired once its point has passed, whatever the clock of its sender said."""
    if not isinstance(asked.command, TimerFired):
        return asked
    return replace(asked, now=max(asked.now, asked.command.due_at + _INSTANT))
