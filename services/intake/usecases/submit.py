"""Submitting reports: one transaction for many, one outcome for each, nothing acknowledged before COMMIT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from services.chassis.clock import monotonic
from services.chassis.db import Database, is_transient, sqlstate
from services.chassis.ids import IdSource
from services.chassis.statements import Statements, Within
from services.intake.store import Tx, submissions
from services.intake.store.submissions import LedgerEntry, NewReport, Stamp
from services.intake.usecases.draft import Draft
from services.intake.usecases.groupcommit import GroupCommit, Unavailable
from services.intake.usecases.identity import Sealer
from services.intake.usecases.refusal import Refusal
from services.intake.usecases.render import render
from services.intake.usecases.stamps import Stamps

WRITERS: Final = 2
"""One makes its rows ready while the database writes the other's."""


class RowRefused(Exception):
    """The database will never take this report; the message names the kind of fault and holds nothing of the row."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The report is stored. `answer` is the JSON of the first answer; `new` is False on a repeat."""

    report_id: UUID
    answer: str
    new: bool


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The caller's key already stands for another body."""


@dataclass(frozen=True, slots=True)
class AlreadyThere:
    """Another report came from the same source under the same number."""

    report_id: UUID


@dataclass(frozen=True, slots=True)
class IdTaken:
    """Somebody else's report carries this id; only a caller who chose his own id can meet this."""


Outcome = Accepted | KeyReused | AlreadyThere | IdTaken


class Submissions:
    """The way in for reports. `start` inside the running loop, `close` at the end."""

    def __init__(self, db: Database, ids: IdSource, sealer: Sealer) -> None:
        self._db = db
        self._ids = ids
        self._sealer = sealer
        self._stamps = Stamps(monotonic)
        self._lines = [db.line() for _ in range(WRITERS)]
        self._commits: GroupCommit[Draft, Outcome] = GroupCommit(self.write, is_transient, writers=WRITERS)

    @property
    def batches(self) -> int:
        """How many transactions were begun so far."""
        return self._commits.batches

    def start(self) -> None:
        self._commits.start()

    async def close(self) -> None:
        await self._commits.close()
        for line in self._lines:
            await line.close()

    async def submit(self, draft: Draft) -> Accepted:
        """Store one report. Raises Refusal `idempotency_key_reused`, or Unavailable when the database is away."""
        outcome = await self._settled(draft)
        if isinstance(outcome, IdTaken):  # keys belong to the caller: another's id must not keep him out
            outcome = await self._settled(replace(draft, report_id=self._ids.uuid7()))
        if isinstance(outcome, Accepted):
            return outcome
        raise Refusal("idempotency_key_reused", "Idempotency-Key")

    async def _settled(self, draft: Draft) -> Outcome:
        try:
            return await self._commits.submit(draft)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - the database's own words quote the row, which no log may hold
            raise RowRefused(f"{type(error).__name__} {sqlstate(error) or ''}".strip()) from None

    async def write(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """One transaction for all of `drafts`: the one statement that writes them."""
        line = self._lines.pop()
        try:
            async with line.statements() as speak:
                new, fresh = await self._written(speak, drafts)
        except BaseException:
            self._stamps.forget()
            raise
        finally:
            self._lines.append(line)
        if len(fresh) == len(new):
            return [Accepted(item.report.report_id, item.ledger.answer, new=True) for item in new]
        async with self._db.reading() as tx:
            return await _outcomes(tx, new, fresh)

    async def _written(self, speak: Statements, drafts: Sequence[Draft]) -> tuple[list[NewReport], set[UUID]]:
        """What was to be written, and the ids of what was new. One way to the database where a stamp is at hand."""
        count = len(drafts)
        stamp = self._stamps.take(count)
        while True:
            asked = stamp is None
            stamp = stamp or await submissions.stamp(speak, count)
            new = _rendered(drafts, stamp, self._ids, self._sealer)
            ahead = self._stamps.wanted(count)
            written = await submissions.write(speak, firsts(new), stamp, asked=asked, ahead=ahead)
            self._stamps.told(written.next)
            if written.fresh is not None:
                return new, written.fresh
            stamp = None


async def write_all(tx: Tx, drafts: Sequence[Draft], ids: IdSource, sealer: Sealer) -> list[Outcome]:
    """Write what is new as part of `tx`; one outcome per draft."""
    speak = Within(tx)
    stamp = await submissions.stamp(speak, len(drafts))
    new = _rendered(drafts, stamp, ids, sealer)
    written = await submissions.write(speak, firsts(new), stamp)
    assert written.fresh is not None, "a stamp that was asked for is not judged"
    return await _outcomes(tx, new, written.fresh)


def _rendered(drafts: Sequence[Draft], stamp: Stamp, ids: IdSource, sealer: Sealer) -> list[NewReport]:
    numbered = zip(drafts, stamp.numbers, strict=True)
    return [render(draft, stamp.now, number, ids, sealer) for draft, number in numbered]


async def _outcomes(tx: Tx, new: Sequence[NewReport], fresh: set[UUID]) -> list[Outcome]:
    """What was there before is found by key, source number or id."""
    outcomes: list[Outcome] = []
    for item in new:
        if item.report.report_id in fresh:
            fresh.discard(item.report.report_id)  # a twin later in this batch is a repeat
            outcomes.append(Accepted(item.report.report_id, item.ledger.answer, new=True))
        else:
            outcomes.append(judge(item, await submissions.in_the_way(tx, item.ledger)))
    return outcomes


def firsts(new: Sequence[NewReport]) -> list[NewReport]:
    """Without those that share an id, a key or a source number with an earlier one of the batch."""
    seen: set[object] = set()
    kept: list[NewReport] = []
    for item in new:
        row = item.ledger
        marks: list[object] = [row.report_id.int, (row.caller, row.key)]
        if row.source_event_id is not None:
            marks.append(("event", row.source, row.source_event_id))
        if seen.isdisjoint(marks):
            kept.append(item)
        seen.update(marks)
    return kept


def judge(item: NewReport, found: Sequence[LedgerEntry]) -> Outcome:
    """What it means that a report was not new. `found` comes in the order key, source number, id."""
    row = item.ledger
    for entry in found:
        if (entry.caller, entry.key) == (row.caller, row.key):
            same = "\\x" + entry.body_sha256.hex() == row.body_sha256
            return Accepted(entry.report_id, entry.answer, new=False) if same else KeyReused()
    for entry in found:
        if entry.report_id != row.report_id:
            return AlreadyThere(entry.report_id)
    return IdTaken()
