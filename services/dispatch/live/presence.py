"""Who has a case open, told to those who listen.

Looked at once a second while anybody listens, and told where it has changed: to each only of cases that he may read.
Apart from the tail, so that no change of a case waits for it. Nothing of this is an event of a case, nothing goes to
the outbox, and a reader's cursor knows nothing of it: whoever comes anew is told the whole.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from schemas.api.presence import CasePresenceOut, PresenceEvent
from services.chassis.clock import monotonic
from services.chassis.db import Database, is_transient
from services.chassis.directory import DirectoryCache
from services.chassis.telemetry import logger
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.weather import Weather
from services.dispatch.live.readers import Event, Subscription
from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope
from services.dispatch.store.presence import Present, forget_old, personal_to, there
from services.dispatch.usecases.presence import presence_for

LOOK_S: Final = 1.0
FORGET_S: Final = 60.0
_ANY_LOOK: Final = 2**62  # it belongs to no look at the cases, so it is never older than one


class Attendance:
    """Of one process. `run` it beside the tail; readers come and go with their subscriptions."""

    def __init__(self, db: Database, cache: DirectoryCache) -> None:
        self._db = db
        self._cache = cache
        self._readers: list[Subscription] = []
        self._new: set[Subscription] = set()
        self._there: Mapping[str, Present] = {}
        self._forgot_at = float("-inf")
        self.pulse = Pulse("presence", Weather(db).excuse)

    def add(self, reader: Subscription) -> None:
        """He is told the whole at the next look."""
        self._readers.append(reader)
        self._new.add(reader)

    def remove(self, reader: Subscription) -> None:
        self._readers.remove(reader)
        self._new.discard(reader)

    async def run(self, stop: asyncio.Event) -> None:
        """Look and tell until `stop`. While the database is away nobody is told anything."""
        while not stop.is_set():
            self.pulse.turn()
            try:
                await self.look()
            except Exception as error:
                if not is_transient(error):
                    raise
                logger("presence").warning("presence_waits", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_S)

    async def look(self) -> None:
        """One look; nothing is asked while nobody listens."""
        if not self._readers:
            self._there = {}
            return
        async with self._db.reading() as tx:
            now = await there(tx)
            new, known = frozenset(self._new), [each for each in self._readers if each not in self._new]
            await self._tell(tx, new, now, None)
            before = self._there
            await self._tell(tx, known, now, sorted(c for c in {*now, *before} if now.get(c) != before.get(c)))
        self._new -= new
        self._there = now
        if now and monotonic() - self._forgot_at >= FORGET_S:
            self._forgot_at = monotonic()
            async with self._db.transaction() as tx:
                await forget_old(tx)

    async def _tell(
        self, tx: Tx, readers: Iterable[Subscription], now: Mapping[str, Present], changed: list[str] | None
    ) -> None:
        """The whole to those who are new, else what changed; once for all who see the same."""
        readers = list(readers)
        if not readers or changed == []:
            return
        wanted = sorted(now) if changed is None else changed
        left = {case_id: Present(self._there[case_id].case_no, ()) for case_id in wanted if case_id not in now}
        present = {**now, **left}
        personal = await personal_to(tx, wanted) if wanted else {}
        concerned = frozenset[str]().union(*personal.values())
        for scope, alike in _alike(readers, concerned):
            told = await presence_for(tx, scope, present, self._cache.current(), wanted)
            if told or changed is None:
                event = _event(told, whole=changed is None)
                for reader in alike:
                    reader.offer([event])


def _alike(readers: Iterable[Subscription], concerned: frozenset[str]) -> Iterator[tuple[Scope, list[Subscription]]]:
    """Those of the same posts see the same, but for what concerns one of them in person."""
    groups: dict[Scope, list[Subscription]] = {}
    for reader in readers:
        scope = reader.scope if reader.scope.account in concerned else reader.scope.impersonal()
        groups.setdefault(scope, []).append(reader)
    yield from groups.items()


def _event(told: tuple[CasePresenceOut, ...], *, whole: bool) -> Event:
    return Event("presence", PresenceEvent(whole=whole, cases=told).model_dump_json(), None, _ANY_LOOK)
