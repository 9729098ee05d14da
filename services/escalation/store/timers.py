"""Timers: arm, move and disarm as facts arrive; claim what is due.

Only the next rung of a clock is armed. The claim has no lower bound on `due_at`: a timer armed in the past fires too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.events.case import ClockV1
from services.governance.acts import ClockState

_LOCK: Final = text(
    "SELECT id FROM escalation.sla_timers WHERE state = 'armed'"
    " AND clock_id IN (SELECT c FROM json_array_elements_text(CAST(:clocks AS json)) AS r(c))"
    " ORDER BY case_id, id FOR UPDATE"
)
_DISARM: Final = text(
    "UPDATE escalation.sla_timers AS t SET state = 'disarmed'"
    " FROM json_to_recordset(CAST(:clocks AS json)) AS c(clock text, rev int, running boolean, fired jsonb)"
    " WHERE t.state = 'armed' AND t.clock_id = c.clock"
    " AND (NOT c.running OR t.rev <> c.rev OR c.fired @> to_jsonb(t.rung))"
)
_ARM: Final = text(
    "INSERT INTO escalation.sla_timers (case_id, clock_id, kind, rev, rung, due_at, rungs, state)"
    " SELECT DISTINCT ON (w.clock) w.case_id, w.clock, w.kind, w.rev, w.rung, w.at, w.rungs, 'armed'"
    " FROM json_to_recordset(CAST(:wanted AS json))"
    " AS w(case_id text, clock text, kind text, rev int, rung smallint, at timestamptz, rungs jsonb)"
    " WHERE NOT EXISTS (SELECT FROM escalation.firings f"
    " WHERE f.clock_id = w.clock AND f.rev = w.rev AND f.rung = w.rung)"
    " ORDER BY w.clock, w.at, w.rung"
    " ON CONFLICT (clock_id, rev, rung) DO UPDATE SET state = 'armed', due_at = excluded.due_at, rungs = excluded.rungs"
    " WHERE sla_timers.state = 'disarmed'"
)
_CLAIM: Final = text(
    "SELECT id, case_id, clock_id, kind, rev, rung, due_at, rungs FROM escalation.sla_timers"
    " WHERE state = 'armed' AND due_at <= directory.grid_now() ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED"
)
_FIRED: Final = text(
    "WITH fired AS (SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r(id bigint, event uuid)),"
    " timers AS (UPDATE escalation.sla_timers AS t SET state = 'fired', fired_at = :now FROM fired"
    " WHERE t.id = fired.id RETURNING t.*, fired.event)"
    " INSERT INTO escalation.firings (clock_id, rev, rung, case_id, due_at, fired_at, event_id)"
    " SELECT clock_id, rev, rung, case_id, due_at, :now, event FROM timers"
)
_NEXT_DUE: Final = text(
    "SELECT extract(epoch FROM min(due_at) - directory.grid_now()) FROM escalation.sla_timers WHERE state = 'armed'"
)


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A claimed timer; its row stays locked until the transaction ends. `later`: the rungs after this one."""

    id: int
    case_id: str
    clock_id: str
    kind: str
    rev: int
    rung: int
    due_at: datetime
    later: tuple[dict[str, Any], ...]


async def follow(tx: AsyncConnection, clocks: Sequence[tuple[str, ClockV1]]) -> None:
    """Make the armed timers agree with these clocks, given as (case_id, clock) in their newest standing.

    Rungs that dispatch has settled itself (an act came in just after they were due) are not fired any more.
    """
    if not clocks:
        return
    known = [
        {
            "clock": clock.clock_id,
            "rev": clock.rev,
            "running": clock.state is ClockState.RUNNING,
            "fired": list(clock.fired),
        }
        for _, clock in clocks
    ]
    await tx.execute(_LOCK, {"clocks": _json([row["clock"] for row in known])})
    await tx.execute(_DISARM, {"clocks": _json(known)})
    await _arm(tx, [row for case_id, clock in clocks for row in _wanted(case_id, clock)])


async def claim_due(tx: AsyncConnection, limit: int) -> tuple[DueTimer, ...]:
    """Lock up to `limit` timers that are due by the database's clock, oldest first."""
    rows = (await tx.execute(_CLAIM, {"limit": limit})).all()
    return tuple(
        DueTimer(row.id, row.case_id, row.clock_id, row.kind, row.rev, row.rung, row.due_at, tuple(row.rungs))
        for row in rows
    )


async def mark_fired(tx: AsyncConnection, fired: Sequence[tuple[DueTimer, str]], now: datetime) -> None:
    """Record the firings (timer, event id) and arm each clock's next rung."""
    rows = [{"id": timer.id, "event": event_id} for timer, event_id in fired]
    await tx.execute(_FIRED, {"rows": _json(rows), "now": now})
    await _arm(tx, [row for timer, _ in fired for row in _successor(timer)])


async def seconds_to_next(tx: AsyncConnection) -> float | None:
    """Seconds until the next armed timer is due, negative when late; None without any."""
    value = (await tx.execute(_NEXT_DUE)).scalar_one()
    return None if value is None else float(value)


async def _arm(tx: AsyncConnection, wanted: Sequence[dict[str, Any]]) -> None:
    if wanted:
        await tx.execute(_ARM, {"wanted": _json(wanted)})


def _wanted(case_id: str, clock: ClockV1) -> list[dict[str, Any]]:
    if clock.state is not ClockState.RUNNING:
        return []
    open_rungs = sorted((r for r in clock.rungs if r.rung not in clock.fired), key=lambda r: (r.at, r.rung))
    stored = [{"rung": rung.rung, "at": rung.at.isoformat()} for rung in open_rungs]
    return [
        _row(case_id, clock.clock_id, clock.kind.value, clock.rev, rung, stored[index + 1 :])
        for index, rung in enumerate(stored)
    ]


def _successor(timer: DueTimer) -> list[dict[str, Any]]:
    if not timer.later:
        return []
    head, *rest = timer.later
    return [_row(timer.case_id, timer.clock_id, timer.kind, timer.rev, head, rest)]


def _row(
    case_id: str, clock_id: str, kind: str, rev: int, rung: dict[str, Any], later: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "case_id": case_id,
        "clock": clock_id,
        "kind": kind,
        "rev": rev,
        "rung": rung["rung"],
        "at": rung["at"],
        "rungs": list(later),
    }


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
