"""The tail of the outbox in one process.

A subscriber hears every change committed after his cursor at least once. A cursor says what an earlier look at the
database could see (`store.feed`), so it holds in every process and after restarts, and no transaction that stays open
anywhere delays anybody. Nothing is kept per subscriber but what waits for him.

Every event is made of one look at the database, and a reader is told of looks in their order only: of a case nobody
hears an older standing after a newer one. Rows and counts of one look agree.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta

from schemas.api.dispatch import BeatEvent, CaseChangedEvent, CaseGoneEvent
from services.chassis.clock import monotonic
from services.chassis.db import Database, is_transient
from services.chassis.directory import DirectoryCache
from services.chassis.telemetry import logger
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.weather import Weather
from services.dispatch.live.counting import Counting
from services.dispatch.live.cursor import Cursor, Reset
from services.dispatch.live.presence import Attendance
from services.dispatch.live.readers import Event, Look, Subscription, closed, event
from services.dispatch.settings import DispatchSettings
from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope, scope_of
from services.dispatch.store.feed import Change, anything_after, changes_after, edge, newest
from services.dispatch.store.lists import rows_of
from services.dispatch.usecases.rows import row_out, rulebooks_of
from services.governance.acts import Actor

TICK_LIMIT = 10_000
"""Changes between two looks; with more of them loading anew is quicker than being told."""
BEAT_S = 5.0
"""So often a reader is told that nothing else has happened: else he could not tell quiet from deaf."""
ADMITTED = 2
"""Readers caught up at the same time: after a restart all come at once, and others need the database too."""
_MARGIN = timedelta(minutes=5)  # a row may have been stamped this long before its transaction could be read
_RETRY_S = 1.0


class Feed:
    """The tail of one process. `run` it, `subscribe` to it.

    `rights_every_s`: how often a stream asks whether its reader may still read; with the sign-in's own cache of five
    seconds a reader who lost his rights hears nothing more within 30 s.
    """

    def __init__(self, db: Database, cache: DirectoryCache, settings: DispatchSettings) -> None:
        self._db = db
        self._cache = cache
        self.rights_every_s = settings.feed_rights_s
        self._tick_s = settings.feed_tick_s
        self._backlog = settings.feed_backlog
        self._window = timedelta(hours=settings.feed_window_h)
        self._groups: dict[Scope, list[Subscription]] = {}  # by what everybody with the same posts sees
        self._counting = Counting()
        self.attendance = Attendance(db, cache)
        self._at: Cursor | None = None
        self._beat_at = float("-inf")
        self._looks = 0
        self._looking = asyncio.Lock()
        self._admitting = asyncio.Semaphore(ADMITTED)
        self._line = db.line()
        self.pulse = Pulse("feed", Weather(db).excuse)

    # --- the tail -----------------------------------------------------------------------------------------------
    async def run(self, stop: asyncio.Event) -> None:
        """Read and hand out until `stop`. While the database is away readers simply hear nothing."""
        try:
            while not stop.is_set():
                self.pulse.turn()
                pause = await self._turn()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause)
        finally:
            await self._line.close()

    async def _turn(self) -> float:
        """One look, if there is something to see; seconds to rest: half as long as it took, at least a tick."""
        began = monotonic()
        try:
            await self._tick()
        except Exception as error:
            if not is_transient(error):
                raise
            logger("feed").warning("feed_waits", error=type(error).__name__)
            return _RETRY_S
        return max(self._tick_s, (monotonic() - began) / 2)

    async def _tick(self) -> None:
        """Nothing is read while nobody listens."""
        if self._at is None or not self._groups:
            self._at = None
            return
        since = self._at.at - _MARGIN
        if not self._counting.waits and monotonic() - self._beat_at < BEAT_S:
            async with self._line.statements() as statements:
                if not await anything_after(statements, self._at.seen, since):
                    return
        async with self._look() as (tx, look):
            changes = await changes_after(tx, self._at.seen, since, TICK_LIMIT + 1)
            await self._tell(tx, changes, look)
            await self._counting.tell(tx, look)
        self._beat(look)
        self._at = look.cursor

    async def _tell(self, tx: Tx, changes: Sequence[Change], look: Look) -> None:
        """Everybody what concerns him."""
        for sight, readers in list(self._groups.items()):
            if len(changes) > TICK_LIMIT:
                for reader in readers:
                    reader.cut()
                continue
            concerned = [change for change in changes if change.concerns(sight)]
            personal = [reader for reader in readers if _in_person(reader, changes)]
            told = closed(await self._events(tx, concerned, sight, look), look)
            for reader in list(readers):
                own = await self._own(tx, changes, reader, look) if reader in personal else told
                reader.offer(own)
                if own:
                    self._counting.mark([reader])

    async def _own(self, tx: Tx, changes: Sequence[Change], reader: Subscription, look: Look) -> list[Event]:
        """For one whom some of the cases concern in person: all of it as he alone sees it."""
        concerned = [change for change in changes if change.concerns(reader.scope)]
        return closed(await self._events(tx, concerned, reader.scope, look), look)

    async def _events(self, tx: Tx, changes: Sequence[Change], scope: Scope, look: Look) -> list[Event]:
        """What one scope is told: the newest standing of each case it sees, and the cases it lost."""
        if not changes:
            return []
        last = newest(changes)
        rows = await rows_of(tx, last, scope)
        rulebooks = await rulebooks_of(self._cache, rows.values())
        lost = {c.case_id for c in changes if not scope.tokens.isdisjoint(c.left)} - rows.keys()
        events: list[Event] = []
        for case_id, change in last.items():
            row = rows.get(case_id)
            if row is not None:
                body = CaseChangedEvent(
                    case_no=row.case_no,
                    sequence=row.sequence,
                    version=row.version,
                    queues=row.queues,
                    row=row_out(row, self._cache.current(), rulebooks),
                )
                events.append(event("case.changed", body, look))
            elif case_id in lost:
                events.append(event("case.gone", CaseGoneEvent(case_no=change.case_no), look))
        return events

    def _beat(self, look: Look) -> None:
        if monotonic() - self._beat_at < BEAT_S:
            return
        self._beat_at = monotonic()
        told = closed([event("beat", BeatEvent(at=look.now), look)], look)
        for readers in self._groups.values():
            for reader in readers:
                reader.offer(told)

    @contextlib.asynccontextmanager
    async def _look(self) -> AsyncIterator[tuple[Tx, Look]]:
        """A snapshot, numbered while it is taken: no two at once, so numbers rise as the snapshots do."""
        async with self._db.reading() as tx:
            async with self._looking:
                seen, now = await edge(tx)
                self._looks += 1
                look = Look(self._looks, seen, now)
            yield tx, look

    # --- readers ------------------------------------------------------------------------------------------------
    async def now(self) -> Cursor:
        """Where a list that is being read just now leaves off."""
        async with self._db.reading() as tx:
            return Cursor(*await edge(tx))

    @contextlib.asynccontextmanager
    async def subscribe(self, actor: Actor, lang: str, cursor: str | None) -> AsyncIterator[Subscription]:
        """A reader from `cursor` on (None: from now). Raises Reset for a cursor that cannot be continued."""
        start = Cursor.decode(cursor) if cursor else None
        scope = scope_of(actor)
        reader = Subscription(scope, lang, self._backlog)
        sight = scope.impersonal()
        self._groups.setdefault(sight, []).append(reader)
        self._counting.add(reader)
        self.attendance.add(reader)
        try:
            async with self._admitting:
                await self._catch_up(reader, start)
            self._counting.mark([reader])  # those of the next look: what an older one counted was not for him
            yield reader
        finally:
            self._counting.remove(reader)
            self.attendance.remove(reader)
            self._groups[sight].remove(reader)
            if not self._groups[sight]:
                del self._groups[sight]

    async def _catch_up(self, reader: Subscription, start: Cursor | None) -> None:
        """What lies between the cursor and now goes first; what the tail has put meanwhile follows."""
        async with self._look() as (tx, look):
            if self._at is None:
                self._at = look.cursor
            start = start or look.cursor
            if start.seen.ahead > look.seen.ahead or look.now - start.at > self._window:
                raise Reset
            changes = await changes_after(tx, start.seen, start.at - _MARGIN, TICK_LIMIT + 1)
            concerned = [change for change in changes if change.concerns(reader.scope)]
            if len(changes) > TICK_LIMIT or len(newest(concerned)) > self._backlog:
                raise Reset
            missed = closed(await self._events(tx, concerned, reader.scope, look), look)
        reader.caught_up(missed, look)


def _in_person(reader: Subscription, changes: Iterable[Change]) -> bool:
    return any(reader.scope.account in change.accounts for change in changes)
