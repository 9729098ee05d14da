"""One import from first row to last: small transactions, a stored cursor, and a step aside for live work.

A row counts once: its key (system and id) is in the ledger. So a second run, a resumed one, or one whose COMMIT
answer was lost meets what is there and says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol, TypeVar

from services.chassis.db import Database, is_transient
from services.chassis.ids import IdSource
from services.intake.imports.drafts import Translation
from services.intake.imports.mapping import ImportMapping
from services.intake.imports.rows import BadRow, GoodRow, Row
from services.intake.store import Tx
from services.intake.store import imports as store
from services.intake.store.imports import Job, NameRow
from services.intake.usecases.identity import Sealer
from services.intake.usecases.submit import Accepted, AlreadyThere, Outcome, write_all

T = TypeVar("T")

ROWS_PER_TRANSACTION = 500
LIVE_WAIT_S = 0.2  # live work older than this goes first
_PAUSE_S = 0.1
_AWAY_PAUSE_S = 2.0


class Reporter(Protocol):
    """Whoever shows how the job goes on."""

    def bad(self, row: BadRow) -> None:
        """A row that was not taken."""
        ...

    def at(self, job: Job) -> None:
        """The job has come so far."""
        ...

    def waiting(self, why: str) -> None:
        """The job stands aside or waits: 'live' or 'database'."""
        ...


@dataclass(slots=True)
class Unknown:
    """Units that the directory does not know, with how many rows name them."""

    rows: dict[tuple[str, str], int] = field(default_factory=dict)

    def saw(self, code: str, name: str | None) -> None:
        key = (code, name or code)
        self.rows[key] = self.rows.get(key, 0) + 1


@dataclass(slots=True)
class Importer:
    """Brings rows in. `settle` decides about one chunk and moves the cursor with it."""

    db: Database
    ids: IdSource
    translation: Translation
    reporter: Reporter
    sealer: Sealer
    unknown: Unknown = field(default_factory=Unknown)

    async def run(self, rows: Iterable[Row], job: Job) -> Job:
        """Everything behind the job's cursor; answers the finished job."""
        every = iter(rows)
        for row in islice(every, job.cursor):
            if isinstance(row, BadRow):  # the end may have come between the commit and the file of bad rows
                self.reporter.bad(row)
        for chunk in chunks(every, ROWS_PER_TRANSACTION):
            await self._stand_aside()
            job = await self._settle(chunk, job)
            self.reporter.at(job)
        await self._patiently(lambda tx: store.finish(tx, job))
        return job

    async def _settle(self, chunk: Sequence[Row], job: Job) -> Job:
        """One transaction for a chunk; where the data of a row are at fault, its halves apart."""
        while True:
            try:
                return await self._write(chunk, job)
            except Exception as error:
                if is_transient(error):
                    self.reporter.waiting("database")
                    await asyncio.sleep(_AWAY_PAUSE_S)
                elif len(chunk) > 1:
                    half = len(chunk) // 2
                    job = await self._settle(chunk[:half], job)
                    chunk = chunk[half:]
                elif isinstance(chunk[0], GoodRow):
                    row = chunk[0]
                    chunk = [BadRow(row.line, "", "refused_by_database", type(error).__name__, row.cells)]
                else:
                    raise

    async def _write(self, chunk: Sequence[Row], job: Job) -> Job:
        good = [row for row in chunk if isinstance(row, GoodRow)]
        bad = [row for row in chunk if isinstance(row, BadRow)]
        async with self.db.transaction() as tx:
            drafts = [self.translation.draft(row) for row in good]
            outcomes = await write_all(tx, drafts, self.ids, self.sealer) if drafts else []
            await store.keep_names(tx, names_of(self.translation.mapping, good))
            changed = [_changed(row) for row, outcome in zip(good, outcomes, strict=True) if _differs(outcome)]
            accepted = sum(isinstance(outcome, Accepted) and outcome.new for outcome in outcomes)
            job = replace(
                job,
                cursor=job.cursor + len(chunk),
                accepted=job.accepted + accepted,
                refused=job.refused + len(bad) + len(changed),
                known=job.known + len(good) - accepted - len(changed),
            )
            await store.advance(tx, job)
        for row in sorted((*bad, *changed), key=lambda row: row.line):
            self.reporter.bad(row)
        self._note_units(good)
        return job

    def _note_units(self, rows: Sequence[GoodRow]) -> None:
        known = self.translation.directory.units
        for row in rows:
            unit = self.translation.unit(row)
            if unit is not None and unit not in known:
                self.unknown.saw(unit, row.unit_name)

    async def _stand_aside(self) -> None:
        """Wait while live events wait for their relay."""
        while await self._patiently(store.live_wait_s) > LIVE_WAIT_S:
            self.reporter.waiting("live")
            await asyncio.sleep(_PAUSE_S)

    async def _patiently(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """`work` in a transaction, again until the database is there."""
        while True:
            try:
                async with self.db.transaction() as tx:
                    return await work(tx)
            except Exception as error:
                if not is_transient(error):
                    raise
                self.reporter.waiting("database")
                await asyncio.sleep(_AWAY_PAUSE_S)


def chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """So many rows at a time, in order."""
    while chunk := list(islice(rows, size)):
        yield chunk


def _differs(outcome: Outcome) -> bool:
    return not isinstance(outcome, Accepted | AlreadyThere)


def _changed(row: GoodRow) -> BadRow:
    return BadRow(row.line, "", "changed_since", row.id, row.cells)


def names_of(mapping: ImportMapping, rows: Sequence[GoodRow]) -> list[NameRow]:
    """The names behind the codes of a chunk, each once."""
    system = mapping.system
    found: dict[NameRow, None] = {}
    for row in rows:
        for kind, code, name, parent in (
            ("street", row.street, row.street_name, None),
            ("community", row.community, row.community_name, row.street),
            ("category", row.category, row.category_name, row.category_path.rpartition("/")[0] or None),
            ("unit", row.unit, row.unit_name, None),
        ):
            if code is not None and name is not None:
                found[NameRow(system, kind, code, name, parent)] = None
    return list(found)
