"""Jobs that count due times anew: asked for, gone through with a cursor, done."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from services.dispatch.store import Tx
from services.dispatch.store.bulk import as_json

_SPACE: Final = zlib.crc32(b"recompute of dispatch") & 0x7FFF_FFFF
_DUE = "coalesce(c.last_work_due, 'infinity'::timestamptz)"
_ASK = f"""
INSERT INTO dispatch.recomputes (reason, before, since, asked_by, total)
SELECT :reason, CAST(:before AS jsonb), :since, :by,
  (SELECT count(*) FROM dispatch.cases c WHERE live AND {_DUE} >= :since)
RETURNING id"""  # noqa: S608 - our own words
_JOBS = """
SELECT id, reason, before, since, asked_by, asked_at, total, looked, changed, ended_at FROM dispatch.recomputes
WHERE ended_at IS NULL ORDER BY id"""
_NEXT = f"""
SELECT c.id, {_DUE}::text AS due FROM dispatch.recomputes j, LATERAL (
  SELECT id, last_work_due FROM dispatch.cases c
  WHERE live AND {_DUE} >= j.since
    AND ({_DUE}, id) < (coalesce(j.cursor_due, 'infinity'), coalesce(j.cursor_id, CAST(:last AS uuid)))
  ORDER BY {_DUE} DESC, id DESC LIMIT :most) c
WHERE j.id = :job ORDER BY {_DUE} DESC, c.id DESC"""  # noqa: S608 - our own words
_MOVE_ON = """
UPDATE dispatch.recomputes SET looked = looked + :looked, changed = changed + :changed,
  cursor_due = CAST(:due AS timestamptz), cursor_id = CAST(:id AS uuid) WHERE id = :job
RETURNING looked, changed"""
_END = "UPDATE dispatch.recomputes SET ended_at = directory.grid_now() WHERE id = :job AND ended_at IS NULL"
_CALENDARS = """
SELECT c.name, c.body FROM directory.calendars c
JOIN json_each_text(CAST(:revisions AS json)) r ON r.key = c.name AND r.value::int = c.rev"""
_REVISIONS = "SELECT name, max(rev) AS rev FROM directory.calendars GROUP BY name ORDER BY name"
# Rows of the last half minute: an older one waits for the broker or for a person, not for us.
_WAITS = """
SELECT coalesce(extract(epoch FROM max(directory.grid_now() - o.created_at)), 0)::float8 FROM (
  SELECT created_at FROM dispatch.outbox WHERE published_at IS NULL ORDER BY id DESC LIMIT 1000) o
WHERE o.created_at > directory.grid_now() - interval '30 seconds'"""
_LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@dataclass(frozen=True, slots=True)
class Job:
    """`before`: calendar file → its revision until then. `looked` of about `total` cases, `changed` of them."""

    id: int
    reason: str
    before: Mapping[str, int]
    since: datetime
    asked_by: str
    asked_at: datetime
    total: int
    looked: int
    changed: int
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: behind this case, in the order of the last due times."""

    due: str
    id: str


async def ask(tx: Tx, reason: str, before: Mapping[str, int], since: datetime, by: str) -> int:
    """A new job; it is gone through after those asked for earlier."""
    values = {"reason": reason, "before": as_json(dict(before)), "since": since, "by": by}
    return int((await tx.execute(text(_ASK), values)).scalar_one())


async def unfinished(tx: Tx) -> list[Job]:
    """Oldest first: they are gone through one at a time."""
    return [Job(**row) for row in (await tx.execute(text(_JOBS))).mappings()]


async def next_page(tx: Tx, job: int, most: int) -> list[Place]:
    """The next cases that it may concern, the latest due first; what moves later is not met twice."""
    rows = await tx.execute(text(_NEXT), {"job": job, "most": most, "last": _LAST_ID})
    return [Place(row.due, str(row.id)) for row in rows]


async def move_on(tx: Tx, job: int, to: Place, looked: int, changed: int) -> tuple[int, int]:
    """The cursor behind `to`; answers how many it has looked at and changed by now."""
    values = {"job": job, "due": to.due, "id": to.id, "looked": looked, "changed": changed}
    row = (await tx.execute(text(_MOVE_ON), values)).one()
    return row.looked, row.changed


async def end(tx: Tx, job: int) -> None:
    """Nothing is left of it."""
    await tx.execute(text(_END), {"job": job})


async def calendar_texts(tx: Tx, revisions: Mapping[str, int]) -> dict[str, str]:
    """The files of the calendars as they stood at these revisions."""
    rows = await tx.execute(text(_CALENDARS), {"revisions": as_json({k: str(v) for k, v in revisions.items()})})
    return {row.name: row.body for row in rows}


async def calendar_revisions(tx: Tx) -> dict[str, int]:
    """The newest revision of each calendar file."""
    return {row.name: row.rev for row in await tx.execute(text(_REVISIONS))}


async def waits(tx: Tx) -> float:
    """Seconds that the oldest event of dispatch has been waiting for the relay."""
    return float((await tx.execute(text(_WAITS))).scalar_one())


async def take_turn(session: Tx) -> bool:
    """Whether this session may go through jobs: one at a time. The lock goes with the session."""
    return bool((await session.execute(text("SELECT pg_try_advisory_lock(:space, 0)"), {"space": _SPACE})).scalar_one())
