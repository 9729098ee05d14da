"""What was recorded of cases, and the rulebooks and calendars there have been: read for living cases again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.chassis.directory.tables import calendars, rulebooks
from services.dispatch.store import Tx
from services.dispatch.tables import case_facts, cases

Stored = tuple[bytes, bytes | None]
"""A fact, and with the first of an answer what had been asked."""


@dataclass(frozen=True, slots=True)
class Period:
    """Cases of a street that were opened from `since` on and before `until`."""

    street: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Selection:
    """The cases of a period, oldest first, and the moment of the last thing that happened to any of them."""

    case_ids: tuple[str, ...]
    last_at: datetime | None


async def select_cases(tx: Tx, period: Period) -> Selection:
    """Which cases there are."""
    chosen = sa.select(cases.c.id, cases.c.last_at).where(*_within(period)).order_by(cases.c.opened_at, cases.c.id)
    rows = list(await tx.execute(chosen))
    return Selection(tuple(str(row.id) for row in rows), max((row.last_at for row in rows), default=None))


async def facts_of_cases(tx: Tx, case_ids: Sequence[str]) -> list[list[Stored]]:
    """The facts of each case, oldest first, in the order of `case_ids`."""
    found: dict[str, list[Stored]] = {case_id: [] for case_id in case_ids}
    columns = (sa.cast(case_facts.c.body, sa.Text).label("body"), sa.cast(case_facts.c.asked, sa.Text).label("asked"))
    wanted = (
        sa.select(case_facts.c.case_id, *columns)
        .where(case_facts.c.case_id.in_(case_ids))
        .order_by(case_facts.c.case_id, case_facts.c.sequence)
    )
    for row in await tx.execute(wanted):
        found[str(row.case_id)].append((row.body.encode(), row.asked.encode() if row.asked is not None else None))
    return list(found.values())


async def rulebook_texts(tx: Tx, street: str) -> dict[str, str]:
    """Version → TOML, of every version that the street has had."""
    rows = await tx.execute(
        sa.select(rulebooks.c.version, rulebooks.c.body)
        .where(rulebooks.c.street == street)
        .order_by(rulebooks.c.version)
    )
    return {row.version: row.body for row in rows}


async def calendar_states(tx: Tx) -> tuple[Mapping[str, str], ...]:
    """The calendars (file name → TOML) as they stood after each change, oldest first."""
    rows = await tx.execute(sa.select(calendars).order_by(calendars.c.stored_at, calendars.c.name, calendars.c.rev))
    states: list[dict[str, str]] = []
    moment: datetime | None = None
    for row in rows:
        if row.stored_at != moment:
            states.append(dict(states[-1]) if states else {})
            moment = row.stored_at
        states[-1][row.name] = row.body
    return tuple(states)


def _within(period: Period) -> list[Any]:
    limits: list[Any] = [cases.c.street == period.street, cases.c.opened_at >= period.since]
    return [*limits, cases.c.opened_at < period.until] if period.until is not None else limits
