"""What the timers must be, read from the cases' own clocks, beside what is armed; and the book of such comparisons.

The clocks come from `dispatch.case_clocks`, the one view of dispatch that escalation may read. A case counts only when
its last fact has been heard here: what is on its way is no difference.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.topics import CASE
from services.escalation.store.timers import Rungs, arm, lock_armed
from services.escalation.tables import timer_checks, timer_repairs
from services.governance.acts import ClockState

CONSUMER: Final = "grid-escalation"
TELLER: Final = "grid/dispatch"
KEPT_DAYS: Final = 90
MOST_NAMED: Final = 500
"""Cases without a next step that a check names; it counts them all."""

_TURN: Final = text("SELECT pg_try_advisory_lock(:space, 0)")
_ASKED: Final = {"consumer": CONSUMER, "teller": TELLER, "topic": CASE.name}
_LIVE: Final = text(
    "SELECT id FROM dispatch.case_clocks WHERE live AND id > CAST(:after AS uuid) ORDER BY id LIMIT :most"
)
_ARMED_CASES: Final = text(
    "SELECT DISTINCT case_id FROM (SELECT case_id FROM escalation.sla_timers WHERE state = 'armed' AND case_id > :after"
    " ORDER BY case_id LIMIT :most) a ORDER BY case_id"
)
_NOT_LIVE: Final = text(
    "SELECT i FROM unnest(CAST(:ids AS text[])) i WHERE NOT EXISTS"
    " (SELECT FROM dispatch.case_clocks c WHERE c.live AND c.id ="
    " CASE WHEN i ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN CAST(i AS uuid) END)"
)
# A case that dispatch does not know, or no longer keeps clocks of, wants nothing.
_CLOCKS: Final = text(
    "SELECT i AS case_id, c.case_no, coalesce(c.clocks::text, '[]') AS clocks,"
    " c.id IS NULL OR EXISTS (SELECT FROM escalation.stream_positions p WHERE p.consumer = :consumer"
    " AND p.source = :teller AND p.topic = :topic AND p.key = convert_to(i, 'UTF8')"
    " AND p.last_seq = c.sequence) AS heard"
    " FROM unnest(CAST(:ids AS text[])) i LEFT JOIN dispatch.case_clocks c ON c.id ="
    " CASE WHEN i ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN CAST(i AS uuid) END"
)
_ARMED: Final = text(
    "SELECT case_id, clock_id, rev, rung, due_at FROM escalation.sla_timers"
    " WHERE state = 'armed' AND case_id = ANY (:ids)"
)
_FIRED: Final = text("SELECT clock_id, rev, rung FROM escalation.firings WHERE clock_id = ANY (:clocks)")
_HOLD: Final = text(
    "SELECT FROM escalation.stream_positions WHERE consumer = :consumer AND source = :teller AND topic = :topic"
    " AND key IN (SELECT convert_to(i, 'UTF8') FROM unnest(CAST(:ids AS text[])) i) ORDER BY key FOR UPDATE"
)
_DISARM: Final = text(
    "UPDATE escalation.sla_timers SET state = 'disarmed' WHERE state = 'armed' AND case_id = ANY (:ids)"
)

Point = tuple[str, int, int]
"""Clock, revision, rung."""


@dataclass(frozen=True, slots=True)
class Case:
    """A case as the comparison sees it: what must be armed next, by point, and what is."""

    case_id: str
    case_no: str | None
    heard: bool
    wanted: dict[Point, Rungs]
    armed: dict[Point, datetime]
    late: bool
    """Whether a clock of its own has passed its due time."""
    acting: bool
    """Whether a rung has fired that dispatch has not acted on yet: what comes after it is not told so far."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A rung that was not armed as it must be: `missing`, `surplus`, or `moved` to another time."""

    what: str
    case_id: str
    point: Point
    due_at: datetime


@dataclass(slots=True)
class Found:
    """What one comparison has seen so far."""

    cases: int = 0
    unheard: int = 0
    armed: int = 0
    missing: int = 0
    surplus: int = 0
    moved: int = 0
    overdue: int = 0
    stepless: int = 0
    stepless_cases: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison as it is told. `started_at` None: asked for; `ended_at` None: under way, or broken off."""

    id: int
    asked_at: datetime
    asked_by: str | None
    started_at: datetime | None
    ended_at: datetime | None
    found: Found


# --- reading what is and what must be -------------------------------------------------------------------------------
async def take_turn(session: AsyncConnection) -> bool:
    """Whether this session is the one that compares; until it ends nobody else is."""
    space = zlib.crc32(b"comparison of the timers") & 0x7FFF_FFFF
    return bool((await session.execute(_TURN, {"space": space})).scalar_one())


async def live_cases(tx: AsyncConnection, after: UUID, most: int) -> list[UUID]:
    """The next live cases after this one, in the order of their ids."""
    return list((await tx.execute(_LIVE, {"after": str(after), "most": most})).scalars())


async def armed_cases(tx: AsyncConnection, after: str, most: int) -> tuple[list[str], list[str]]:
    """The next cases that have a timer, and those of them that are not live: nobody else would look at these."""
    cases = list((await tx.execute(_ARMED_CASES, {"after": after, "most": most})).scalars())
    return cases, list((await tx.execute(_NOT_LIVE, {"ids": cases})).scalars()) if cases else []


async def compare(tx: AsyncConnection, ids: Sequence[str], now: datetime) -> list[Case]:
    """These cases, as they stand in one snapshot."""
    told = (await tx.execute(_CLOCKS, {**_ASKED, "ids": list(ids)})).all()
    clocks = {row.case_id: [c for c in orjson.loads(row.clocks) if c["state"] == ClockState.RUNNING] for row in told}
    running = [clock["clock_id"] for each in clocks.values() for clock in each]
    fired = {tuple(row) for row in await tx.execute(_FIRED, {"clocks": running})} if running else set()
    armed: dict[str, dict[Point, datetime]] = {}
    for row in await tx.execute(_ARMED, {"ids": list(ids)}):
        armed.setdefault(row.case_id, {})[(row.clock_id, row.rev, row.rung)] = row.due_at
    return [
        Case(
            row.case_id,
            row.case_no,
            row.heard,
            _wanted(row.case_id, clocks[row.case_id], fired),
            armed.get(row.case_id, {}),
            any(datetime.fromisoformat(clock["due_at"]) < now for clock in clocks[row.case_id]),
            _acting(clocks[row.case_id], fired),
        )
        for row in told
    ]


def _acting(clocks: Sequence[dict[str, Any]], fired: set[tuple[Any, ...]]) -> bool:
    return any(
        rung["rung"] not in clock["fired"] and (clock["clock_id"], clock["rev"], rung["rung"]) in fired
        for clock in clocks
        for rung in clock["rungs"]
    )


def _wanted(case_id: str, clocks: Sequence[dict[str, Any]], fired: set[tuple[Any, ...]]) -> dict[Point, Rungs]:
    """The next rung of each clock that has neither fired nor been settled, with those behind it."""
    wanted = {}
    for clock in clocks:
        left = [
            {"rung": rung["rung"], "at": rung["at"]}
            for rung in sorted(clock["rungs"], key=lambda r: (datetime.fromisoformat(r["at"]), r["rung"]))
            if rung["rung"] not in clock["fired"] and (clock["clock_id"], clock["rev"], rung["rung"]) not in fired
        ]
        if left:
            point = (clock["clock_id"], clock["rev"], left[0]["rung"])
            wanted[point] = Rungs(case_id, clock["clock_id"], clock["kind"], clock["rev"], tuple(left))
    return wanted


def differences(case: Case) -> list[Difference]:
    """What is not armed as it must be; nothing is said of a case that has not been heard of to its end."""
    if not case.heard:
        return []
    moments = {point: rungs.first_at for point, rungs in case.wanted.items()}
    return [
        *(Difference("missing", case.case_id, point, at) for point, at in moments.items() if point not in case.armed),
        *(Difference("surplus", case.case_id, point, at) for point, at in case.armed.items() if point not in moments),
        *(
            Difference("moved", case.case_id, point, at)
            for point, at in moments.items()
            if point in case.armed and case.armed[point] != at
        ),
    ]


# --- mending --------------------------------------------------------------------------------------------------------
async def hold(tx: AsyncConnection, ids: Sequence[str]) -> None:
    """Keep the facts of these cases waiting until the transaction ends, and nothing of theirs from firing."""
    await tx.execute(_HOLD, {**_ASKED, "ids": list(ids)})
    await lock_armed(tx, ids)


async def mend(tx: AsyncConnection, cases: Sequence[Case]) -> None:
    """Arm exactly what must be armed of these cases, which are held."""
    await tx.execute(_DISARM, {"ids": [case.case_id for case in cases]})
    await arm(tx, [rungs for case in cases for rungs in case.wanted.values()])


# --- the book -------------------------------------------------------------------------------------------------------
async def begin(tx: AsyncConnection) -> int:
    """The next comparison: one that was asked for, else a new one. Old ones go."""
    old = select(timer_checks.c.id).where(
        timer_checks.c.asked_at < func.directory.grid_now() - text(f"interval '{KEPT_DAYS} days'")
    )
    await tx.execute(delete(timer_repairs).where(timer_repairs.c.check_id.in_(old)))
    await tx.execute(delete(timer_checks).where(timer_checks.c.id.in_(old)))
    waiting = await asked_for(tx)
    if waiting is None:
        fresh = insert(timer_checks).values(started_at=func.directory.grid_now()).returning(timer_checks.c.id)
        return int((await tx.execute(fresh)).scalar_one())
    this = timer_checks.c.started_at.is_(None)
    await tx.execute(update(timer_checks).where(this).values(started_at=func.directory.grid_now()))
    return waiting


async def asked_for(tx: AsyncConnection) -> int | None:
    """A comparison that somebody waits for; None: nobody does."""
    waiting = select(func.max(timer_checks.c.id)).where(timer_checks.c.started_at.is_(None))
    found: int | None = (await tx.execute(waiting)).scalar_one()
    return found


async def ask(tx: AsyncConnection, account_id: str) -> int:
    """Ask for a comparison now; who asks while one waits waits with it."""
    waiting = await asked_for(tx)
    if waiting is not None:
        return waiting
    made = insert(timer_checks).values(asked_by=account_id).returning(timer_checks.c.id)
    return int((await tx.execute(made)).scalar_one())


async def note(tx: AsyncConnection, check_id: int, found: Found, mended: Sequence[Difference] = ()) -> None:
    """What has been seen so far, and what has just been mended."""
    await tx.execute(update(timer_checks).where(timer_checks.c.id == check_id).values(**asdict(found)))
    if mended:
        rows = [
            dict(zip(("clock_id", "rev", "rung"), one.point, strict=True))
            | {"check_id": check_id, "what": one.what, "case_id": one.case_id, "due_at": one.due_at}
            for one in mended
        ]
        await tx.execute(insert(timer_repairs), rows)


async def end(tx: AsyncConnection, check_id: int) -> None:
    """It has come to its end."""
    done = update(timer_checks).where(timer_checks.c.id == check_id).values(ended_at=func.directory.grid_now())
    await tx.execute(done)


async def newest(tx: AsyncConnection, most: int) -> list[Check]:
    """The last comparisons, newest first."""
    rows = await tx.execute(select(timer_checks).order_by(timer_checks.c.id.desc()).limit(most))
    return [
        Check(
            row["id"],
            row["asked_at"],
            row["asked_by"],
            row["started_at"],
            row["ended_at"],
            Found(**{name: row[name] for name in Found.__dataclass_fields__}),
        )
        for row in rows.mappings()
    ]


async def repairs_of(tx: AsyncConnection, ids: Sequence[int]) -> dict[int, list[Difference]]:
    """What these comparisons mended."""
    found: dict[int, list[Difference]] = {}
    query = select(timer_repairs).where(timer_repairs.c.check_id.in_(ids)).order_by(timer_repairs.c.id)
    for row in await tx.execute(query):
        one = Difference(row.what, row.case_id, (row.clock_id, row.rev, row.rung), row.due_at)
        found.setdefault(row.check_id, []).append(one)
    return found
