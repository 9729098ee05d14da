"""Import jobs: their cursor, the words behind codes, and whether live work is waiting."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.chassis.db import Database
from services.intake.store import Tx
from services.intake.tables import import_jobs, import_mappings, ledger

_LOCK: Final = sa.text("SELECT pg_try_advisory_lock(hashtext('intake bulk job'), 0)")
_NOW: Final = sa.text("directory.grid_now()")
_NAMES: Final = sa.text("""
INSERT INTO intake.import_names (system, kind, code, name, parent)
SELECT r.* FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS r(system text, kind text, code text, name text, parent text)
ON CONFLICT DO NOTHING
""")
# The bulk's own reports do not count: they may wait as long as they like.
_LIVE_WAIT: Final = sa.text("""
SELECT extract(epoch FROM directory.grid_now() - o.created_at)
FROM (SELECT id, topic, key, created_at FROM intake.outbox WHERE published_at IS NULL ORDER BY id LIMIT 5000) o
LEFT JOIN intake.reports r ON o.topic = 'grid.report.v1' AND r.report_id = convert_from(o.key, 'UTF8')::uuid
WHERE r.import_job IS NULL
ORDER BY o.id LIMIT 1
""")


class JobRunning(Exception):
    """Another bulk job is at work; there is one at a time."""


@dataclass(frozen=True, slots=True)
class NameRow:
    """A code of a file and a name it goes by."""

    system: str
    kind: str
    code: str
    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """How far a job has come. Counts are over the job's whole life, restarts included."""

    job_id: UUID
    cursor: int
    accepted: int
    refused: int
    known: int


@asynccontextmanager
async def alone(db: Database) -> AsyncIterator[None]:
    """Hold the one place for bulk jobs. Raises JobRunning."""
    async with db.session() as session:
        if not (await session.execute(_LOCK)).scalar_one():
            raise JobRunning("another import is running")
        yield


async def open_job(tx: Tx, job_id: UUID, sha256: str, name: str, system: str, clock: str) -> Job:
    """The unfinished job of this very file, or a new one under `job_id`."""
    same = sa.and_(
        import_jobs.c.file_sha256 == sha256,
        import_jobs.c.system == system,
        import_jobs.c.clock == clock,
        import_jobs.c.finished_at.is_(None),
    )
    columns = (
        import_jobs.c.job_id,
        import_jobs.c.cursor,
        import_jobs.c.accepted,
        import_jobs.c.refused,
        import_jobs.c.known,
    )
    found = (await tx.execute(sa.select(*columns).where(same).order_by(import_jobs.c.started_at))).first()
    if found is not None:
        return Job(*found)
    await tx.execute(
        sa.insert(import_jobs).values(
            job_id=job_id,
            file_sha256=sha256,
            file_name=name,
            system=system,
            clock=clock,
            cursor=0,
            accepted=0,
            refused=0,
            known=0,
            started_at=_NOW,
        )
    )
    return Job(job_id, 0, 0, 0, 0)


async def advance(tx: Tx, job: Job) -> None:
    """Store the cursor and counts, in the transaction that wrote the rows before it."""
    values = {"cursor": job.cursor, "accepted": job.accepted, "refused": job.refused, "known": job.known}
    await tx.execute(sa.update(import_jobs).where(import_jobs.c.job_id == job.job_id).values(**values))


async def finish(tx: Tx, job: Job) -> None:
    """The file has been dealt with to its end."""
    await tx.execute(sa.update(import_jobs).where(import_jobs.c.job_id == job.job_id).values(finished_at=_NOW))


async def keep_names(tx: Tx, names: Sequence[NameRow]) -> None:
    """Remember what the codes of a file are called; a code may have several names."""
    if names:
        await tx.execute(_NAMES, {"doc": orjson.dumps(list(names)).decode()})


async def live_wait_s(tx: Tx) -> float:
    """Seconds that the oldest live event has been waiting for its relay; 0 when none waits."""
    return float((await tx.execute(_LIVE_WAIT)).scalar_one_or_none() or 0.0)


async def known(tx: Tx, caller: str, keys: Sequence[str]) -> dict[str, str]:
    """Those of `keys` that are in the ledger, with the digest of what was taken; PostgreSQL's hex form."""
    found = await tx.execute(
        sa.select(ledger.c.key, ledger.c.body_sha256).where(ledger.c.caller == caller, ledger.c.key.in_(list(keys)))
    )
    return {row.key: "\\x" + bytes(row.body_sha256).hex() for row in found}


# --- mappings by name -------------------------------------------------------------------------------------------------
async def save_mapping(tx: Tx, name: str, body: str) -> None:
    """Keep a mapping under a name; one that stands under it already is replaced."""
    statement = insert(import_mappings).values(name=name, body=body)
    fresh = {"body": body, "saved_at": _NOW}
    await tx.execute(statement.on_conflict_do_update(index_elements=["name"], set_=fresh))


async def mapping_named(tx: Tx, name: str) -> str | None:
    """The text of a saved mapping."""
    query = sa.select(import_mappings.c.body).where(import_mappings.c.name == name)
    found: str | None = (await tx.execute(query)).scalar_one_or_none()
    return found


async def mapping_names(tx: Tx) -> list[tuple[str, datetime]]:
    """Saved mappings by name, with when each was saved."""
    query = sa.select(import_mappings.c.name, import_mappings.c.saved_at).order_by(import_mappings.c.name)
    return [(row.name, row.saved_at) for row in await tx.execute(query)]
