"""The live feed: one tail of the outbox per process, fanned out by scope.

A subscriber hears every change committed after his cursor at least once. A cursor is a place in the database
(`store.feed`), so it holds in every process and after restarts; an event carries the place up to which its reader
has seen everything. Nothing is kept per subscriber but a bounded queue.

Every event is made of one look at the database, and a reader is told of looks in their order only: of a case nobody
hears an older standing after a newer one. Rows and counts of one look agree.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from schemas.api.base import Out
from schemas.api.dispatch import CaseChangedEvent, CaseGoneEvent, QueueCountsEvent
from schemas.labels import Labels
from services.chassis.clock import monotonic
from services.chassis.db import Database, is_transient
from services.chassis.directory import DirectoryCache
from services.chassis.telemetry import logger
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.weather import Weather
from services.dispatch.settings import DispatchSettings
from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope, scope_of
from services.dispatch.store.feed import Change, Place, changes_after, edge
from services.dispatch.store.lists import rows_of
from services.dispatch.usecases.queues import count_queues
from services.dispatch.usecases.rows import row_out, rulebooks_of
from services.governance.acts import Actor

COUNTS_EVERY_S = 1.0
TICK_LIMIT = 2000
_MARGIN = timedelta(minutes=5)  # a row may have been stamped this long before its transaction could be read
_RETRY_S = 1.0


class Reset(Exception):
    """The reader must load its lists again: its cursor is unknown or too old, or it is too far behind."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place and about when it was the newest one."""

    place: Place
    at: datetime

    def encode(self) -> str:
        raw = f"1.{self.place.xid}.{self.place.id}.{int(self.at.timestamp())}"
        return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Raises Reset for anything that no process of ours has handed out."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
            version, xid, row, at = raw.split(".")
            if version != "1" or not (xid.isdigit() and row.isdigit() and at.isdigit()):
                raise Reset
            return cls(Place(int(xid), int(row)), datetime.fromtimestamp(int(at), UTC))
        except (ValueError, binascii.Error, OverflowError, OSError) as error:
            raise Reset from error


@dataclass(frozen=True, slots=True)
class Event:
    """One event ready for the wire. `cursor` is what its reader has then seen up to; None says nothing about that."""

    name: str
    data: str
    cursor: Cursor | None
    look: int


@dataclass(frozen=True, slots=True)
class Look:
    """One snapshot of the database. A look of a higher number was taken later, so it sees at least as much."""

    number: int
    edge: Place
    now: datetime


@dataclass(eq=False, slots=True)
class Subscription:
    """One reader. Everything for a scope and language is made once and put into the queues of its readers."""

    scope: Scope
    lang: str
    inbox: asyncio.Queue[Event]
    behind: bool = False
    since: int = 0
    """What he was caught up with; older looks have nothing new for him."""

    async def next(self, patience_s: float) -> Event | None:
        """The next event, or None when nothing came for so long. Raises Reset once too far behind."""
        if self.behind and self.inbox.empty():
            raise Reset
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(self.inbox.get(), patience_s)
        if self.behind:
            raise Reset
        return None

    def offer(self, event: Event) -> None:
        """Never waits: a reader who does not read is told to start again."""
        if self.behind or event.look < self.since:
            return
        try:
            self.inbox.put_nowait(event)
        except asyncio.QueueFull:
            self.behind = True


@dataclass(slots=True)
class _Audience:
    """All readers who see the same."""

    readers: list[Subscription] = field(default_factory=list)
    counts_due: bool = True
    counted_at: float = 0.0


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
        self._audiences: dict[tuple[Scope, str], _Audience] = {}
        self._at: Cursor | None = None
        self._early: frozenset[Place] = frozenset()
        self._looks = 0
        self._looking = asyncio.Lock()
        self.pulse = Pulse("feed", Weather(db).excuse)

    # --- the tail -----------------------------------------------------------------------------------------------
    async def run(self, stop: asyncio.Event) -> None:
        """Read and hand out until `stop`. While the database is away readers simply hear nothing."""
        while not stop.is_set():
            self.pulse.turn()
            pause = self._tick_s
            try:
                if await self._tick():
                    pause = 0.0
            except Exception as error:
                if not is_transient(error):
                    raise
                logger("feed").warning("feed_waits", error=type(error).__name__)
                pause = _RETRY_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def _tick(self) -> bool:
        """One read; True if there may be more at once. Nothing is read while nobody listens."""
        if self._at is None or not self._audiences:
            self._at = None
            return False
        async with self._look() as (tx, look):
            changes = await changes_after(tx, self._at.place, self._at.at - _MARGIN, TICK_LIMIT)
            settled = [change for change in changes if change.settled]
            complete = len(changes) < TICK_LIMIT
            seen = [look.edge] if complete else [change.place for change in settled]
            place = max([self._at.place, *seen])
            fresh = [change for change in changes if change.settled or change.place not in self._early]
            for (scope, lang), audience in list(self._audiences.items()):
                if not audience.readers:
                    continue
                events = await self._events(tx, fresh, scope, look)
                _hand_out(audience.readers, events)
                audience.counts_due |= bool(events)
                if complete:
                    await self._counts(tx, scope, lang, audience, place, look)
        self._early = frozenset(change.place for change in changes if not change.settled)
        self._at = Cursor(place, look.now)
        return not complete and bool(settled)

    async def _events(self, tx: Tx, changes: Sequence[Change], scope: Scope, look: Look) -> list[Event]:
        """What one scope is told: the newest standing of each case it sees, and the cases it lost."""
        newest = {change.case_id: change for change in changes}
        if not newest:
            return []
        rows = await rows_of(tx, newest, scope)
        rulebooks = await rulebooks_of(self._cache, rows.values())
        lost = {c.case_id for c in changes if not scope.tokens.isdisjoint(c.left)} - rows.keys()
        events: list[Event] = []
        for case_id, change in sorted(newest.items(), key=lambda item: item[1].place):
            cursor = Cursor(change.place, look.now) if change.settled else None
            row = rows.get(case_id)
            if row is not None:
                body = CaseChangedEvent(
                    case_no=row.case_no,
                    sequence=row.sequence,
                    version=row.version,
                    queues=row.queues,
                    row=row_out(row, self._cache.current(), rulebooks),
                )
                events.append(_event("case.changed", body, cursor, look))
            elif case_id in lost:
                events.append(_event("case.gone", CaseGoneEvent(case_no=change.case_no), cursor, look))
        return events

    async def _counts(self, tx: Tx, scope: Scope, lang: str, audience: _Audience, place: Place, look: Look) -> None:
        """At most once a second and scope, and only after something changed. They count the rows told so far."""
        if not audience.counts_due or monotonic() - audience.counted_at < COUNTS_EVERY_S:
            return
        audience.counts_due, audience.counted_at = False, monotonic()
        body = QueueCountsEvent(queues=await count_queues(tx, scope, Labels(lang)))
        _hand_out(audience.readers, [_event("queue.counts", body, Cursor(place, look.now), look)])

    @contextlib.asynccontextmanager
    async def _look(self) -> AsyncIterator[tuple[Tx, Look]]:
        """A snapshot, numbered while it is taken: no two at once, so numbers rise as the snapshots do."""
        async with self._db.reading() as tx:
            async with self._looking:
                place, now = await edge(tx)
                self._looks += 1
                look = Look(self._looks, place, now)
            yield tx, look

    # --- readers ------------------------------------------------------------------------------------------------
    async def now(self) -> Cursor:
        """Where a list that is being read just now leaves off."""
        async with self._db.reading() as tx:
            place, at = await edge(tx)
        return Cursor(place, at)

    @contextlib.asynccontextmanager
    async def subscribe(self, actor: Actor, lang: str, cursor: str | None) -> AsyncIterator[Subscription]:
        """A reader from `cursor` on (None: from now). Raises Reset for a cursor that cannot be continued."""
        now = await self.now()
        start = Cursor.decode(cursor) if cursor else now
        if self._at is None:
            self._at = now
        scope = scope_of(actor)
        reader = Subscription(scope, lang, asyncio.Queue(self._backlog))
        audience = self._audiences.setdefault((scope, lang), _Audience())
        audience.readers.append(reader)
        try:
            await self._catch_up(reader, start)
            audience.counts_due = True  # those of the next look: what an older one counted was not for him
            yield reader
        finally:
            audience.readers.remove(reader)
            if not audience.readers:
                self._audiences.pop((scope, lang), None)

    async def _catch_up(self, reader: Subscription, start: Cursor) -> None:
        """What lies between the cursor and now goes first; what the tail has put meanwhile follows."""
        async with self._look() as (tx, look):
            if start.place > Place(look.edge.xid, 2**63) or look.now - start.at > self._window:
                raise Reset
            changes = await changes_after(tx, start.place, start.at - _MARGIN, self._backlog + 1)
            if len(changes) > self._backlog:
                raise Reset
            missed = await self._events(tx, changes, reader.scope, look)
        waiting = [reader.inbox.get_nowait() for _ in range(reader.inbox.qsize())]
        reader.since = look.number
        for event in [*missed, *waiting]:
            reader.offer(event)


def _hand_out(readers: Iterable[Subscription], events: Sequence[Event]) -> None:
    for reader in readers:
        for event in events:
            reader.offer(event)


def _event(name: str, body: Out, cursor: Cursor | None, look: Look) -> Event:
    return Event(name, body.model_dump_json(), cursor, look.number)
