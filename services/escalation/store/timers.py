"""Timers: arm, move and disarm as facts arrive; claim what is due.

Only the next rung of a clock is armed. The claim has no lower bound on `due_at`: a timer armed in the past fires too.

One process fires at a time, whoever has the turn in its transaction; the others stand by. What is due is fired in the
order of its planned time: rungs that have come due behind a claimed one fire with it, and a timer waits while an
earlier one of its case cannot be had.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.events.case import ClockV1
from services.chassis.db import grid_now
from services.governance.acts import ClockState

_SPACE: Final = zlib.crc32(b"timers of escalation") & 0x7FFF_FFFF
_TURN: Final = text("SELECT pg_try_advisory_xact_lock(:space, 0)")
_LOCK: Final = text(
    "SELECT id FROM escalation.sla_timers WHERE state = 'armed'"
    " AND case_id IN (SELECT c FROM json_array_elements_text(CAST(:cases AS json)) AS r(c))"
    " ORDER BY case_id, id FOR UPDATE"
)
_DISARM: Final = text(
    "UPDATE escalation.sla_timers AS t SET state = 'disarmed'"
    " FROM json_to_recordset(CAST(:clocks AS json))"
    " AS c(case_id text, clock text, rev int, running boolean, fired jsonb)"
    " WHERE t.state = 'armed' AND t.case_id = c.case_id AND t.clock_id = c.clock"
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
    " WHERE sla_timers.state <> 'armed'"
)
_CLAIM: Final = text(
    "SELECT id, case_id, clock_id, kind, rev, rung, due_at, rungs FROM escalation.sla_timers"
    " WHERE state = 'armed' AND due_at <= directory.grid_now() ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED"
)
# What a case has due before the others and was not had: somebody holds it, or has just armed it.
_KEPT_BACK: Final = text(
    "SELECT case_id, min(due_at) AS at FROM escalation.sla_timers WHERE state = 'armed' AND due_at < :horizon"
    " AND case_id = ANY (:cases) AND NOT id = ANY (:ids) GROUP BY case_id"
)
_ALREADY: Final = text(
    "SELECT f.clock_id, f.rev, f.rung FROM escalation.firings f"
    " JOIN json_to_recordset(CAST(:rungs AS json)) AS r(clock text, rev int, rung smallint)"
    " ON f.clock_id = r.clock AND f.rev = r.rev AND f.rung = r.rung"
)
_FIRED: Final = text(
    "WITH timers AS (UPDATE escalation.sla_timers AS t SET state = 'fired', fired_at = :now"
    " WHERE t.id = ANY (:ids)),"
    " fired AS (SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r(case_id text, clock text, kind text, rev int,"
    " rung smallint, due timestamptz, event uuid, followed boolean)),"
    " followers AS (INSERT INTO escalation.sla_timers"
    " (case_id, clock_id, kind, rev, rung, due_at, rungs, state, fired_at)"
    " SELECT case_id, clock, kind, rev, rung, due, '[]', 'fired', :now FROM fired WHERE followed"
    " ON CONFLICT (clock_id, rev, rung) DO UPDATE SET state = 'fired', fired_at = excluded.fired_at)"
    " INSERT INTO escalation.firings (clock_id, rev, rung, case_id, due_at, fired_at, event_id)"
    " SELECT clock, rev, rung, case_id, due, :now, event FROM fired"
)
_NEXT_DUE: Final = text(
    "SELECT extract(epoch FROM min(due_at) - directory.grid_now()) FROM escalation.sla_timers WHERE state = 'armed'"
)


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A claimed timer; its row stays locked until the transaction ends. `later`: the rungs after this one.

    `followed`: it has no row of its own yet, since it came due behind another rung of its clock.
    """

    id: int
    case_id: str
    clock_id: str
    kind: str
    rev: int
    rung: int
    due_at: datetime
    later: tuple[dict[str, Any], ...]
    followed: bool = False


@dataclass(frozen=True, slots=True)
class Rungs:
    """Rungs of a clock that have not fired, in the order of their times; the first of them is to be armed."""

    case_id: str
    clock_id: str
    kind: str
    rev: int
    open: tuple[dict[str, Any], ...]

    @property
    def first_at(self) -> datetime:
        return datetime.fromisoformat(self.open[0]["at"])


@dataclass(frozen=True, slots=True)
class Claim:
    """What may be fired at `now`, in this order. `full`: there may be more; `standby`: another process fires."""

    now: datetime | None = None
    due: tuple[DueTimer, ...] = ()
    full: bool = False
    standby: bool = False


async def follow(tx: AsyncConnection, clocks: Sequence[tuple[str, ClockV1]]) -> None:
    """Make the armed timers agree with these clocks, given as (case_id, clock) in their newest standing.

    Rungs that dispatch has settled itself (an act came in just after they were due) are not fired any more.
    """
    if not clocks:
        return
    known = [
        {
            "case_id": case_id,
            "clock": clock.clock_id,
            "rev": clock.rev,
            "running": clock.state is ClockState.RUNNING,
            "fired": list(clock.fired),
        }
        for case_id, clock in clocks
    ]
    await lock_armed(tx, [case_id for case_id, _ in clocks])
    await tx.execute(_DISARM, {"clocks": _json(known)})
    await arm(tx, [rungs for case_id, clock in clocks for rungs in _wanted(case_id, clock)])


async def claim_due(tx: AsyncConnection, limit: int) -> Claim:
    """Take the turn and lock up to `limit` timers that are due by the database's clock, oldest first, with what has
    come due behind them."""
    if not (await tx.execute(_TURN, {"space": _SPACE})).scalar_one():
        return Claim(standby=True)
    rows = (await tx.execute(_CLAIM, {"limit": limit})).all()
    if not rows:
        return Claim()
    claimed = [
        DueTimer(row.id, row.case_id, row.clock_id, row.kind, row.rev, row.rung, row.due_at, tuple(row.rungs))
        for row in rows
    ]
    now = await grid_now(tx)  # after the claim, so that nothing is fired before its time
    full = len(claimed) == limit
    horizon = claimed[-1].due_at if full else now
    bars = await _kept_back(tx, claimed, horizon)
    free = [timer for timer in claimed if _in_turn(timer, bars)]
    behind = [one for timer in free for one in _followers(timer, horizon) if _in_turn(one, bars)]
    due = sorted([*free, *await _unfired(tx, behind)], key=lambda timer: (timer.due_at, timer.id, timer.rung))
    return Claim(now, tuple(due), full=full and bool(due))


async def _kept_back(tx: AsyncConnection, claimed: Sequence[DueTimer], horizon: datetime) -> dict[str, datetime]:
    """By case: when the earliest timer is due that could not be had."""
    cases = list({timer.case_id for timer in claimed})
    asked = {"cases": cases, "ids": [timer.id for timer in claimed], "horizon": horizon}
    return {row.case_id: row.at for row in await tx.execute(_KEPT_BACK, asked)}


def _in_turn(timer: DueTimer, bars: Mapping[str, datetime]) -> bool:
    bar = bars.get(timer.case_id)
    return bar is None or timer.due_at <= bar


async def _unfired(tx: AsyncConnection, followers: Sequence[DueTimer]) -> list[DueTimer]:
    """Without those that were fired once; a rung never fires twice, however often its clock comes by."""
    if not followers:
        return []
    rows = [{"clock": timer.clock_id, "rev": timer.rev, "rung": timer.rung} for timer in followers]
    already = {tuple(row) for row in await tx.execute(_ALREADY, {"rungs": _json(rows)})}
    return [timer for timer in followers if (timer.clock_id, timer.rev, timer.rung) not in already]


def _followers(timer: DueTimer, horizon: datetime) -> Iterator[DueTimer]:
    for number, rung in enumerate(timer.later, 1):
        moment = datetime.fromisoformat(rung["at"])
        if moment > horizon:
            return
        later = tuple(islice(timer.later, number, None))
        yield DueTimer(
            timer.id, timer.case_id, timer.clock_id, timer.kind, timer.rev, rung["rung"], moment, later, followed=True
        )


async def mark_fired(tx: AsyncConnection, fired: Sequence[tuple[DueTimer, str]], now: datetime) -> None:
    """Record the firings (timer, event id) and arm each clock's next rung."""
    rows = [
        {
            "case_id": timer.case_id,
            "clock": timer.clock_id,
            "kind": timer.kind,
            "rev": timer.rev,
            "rung": timer.rung,
            "due": timer.due_at.isoformat(),
            "event": event_id,
            "followed": timer.followed,
        }
        for timer, event_id in fired
    ]
    ids = [timer.id for timer, _ in fired if not timer.followed]
    await tx.execute(_FIRED, {"rows": _json(rows), "ids": ids, "now": now})
    last = {(timer.clock_id, timer.rev): timer for timer, _ in fired}
    await arm(tx, [Rungs(t.case_id, t.clock_id, t.kind, t.rev, t.later) for t in last.values()])


async def seconds_to_next(tx: AsyncConnection) -> float | None:
    """Seconds until the next armed timer is due, negative when late; None without any."""
    value = (await tx.execute(_NEXT_DUE)).scalar_one()
    return None if value is None else float(value)


async def lock_armed(tx: AsyncConnection, cases: Iterable[str]) -> None:
    """Lock every armed timer of these cases, in one order."""
    await tx.execute(_LOCK, {"cases": _json(sorted(set(cases)))})


async def arm(tx: AsyncConnection, wanted: Sequence[Rungs]) -> None:
    """Arm the first rung of each that has never fired."""
    rows = [
        {
            "case_id": one.case_id,
            "clock": one.clock_id,
            "kind": one.kind,
            "rev": one.rev,
            "rung": rung["rung"],
            "at": rung["at"],
            "rungs": one.open[number:],
        }
        for one in wanted
        for number, rung in enumerate(one.open, 1)
    ]
    if rows:
        await tx.execute(_ARM, {"wanted": _json(rows)})


def _wanted(case_id: str, clock: ClockV1) -> Iterator[Rungs]:
    if clock.state is ClockState.RUNNING:
        left = sorted((r for r in clock.rungs if r.rung not in clock.fired), key=lambda r: (r.at, r.rung))
        stored = tuple({"rung": rung.rung, "at": rung.at.isoformat()} for rung in left)
        yield Rungs(case_id, clock.clock_id, clock.kind.value, clock.rev, stored)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
