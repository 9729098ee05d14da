"""Push what people were told: choose ways, put messages together, send them, keep what became of each.

Once per fact, person and way: a notice's push is one row, a message one id. Only a sender that dies between the other
side's yes and the note of it sends a second time, under the same id.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.chassis.db import Database, Tx, grid_now, is_transient
from services.chassis.directory import DirectoryCache
from services.chassis.ids import IdSource
from services.chassis.telemetry import Metrics, logger
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.weather import Weather
from services.escalation.notices.choosing import Ways, ways_of
from services.escalation.notices.composing import composed
from services.escalation.notices.notice import Notice
from services.escalation.notices.plan import day_begins, plan
from services.escalation.notices.posting import Job, Posting, Sent
from services.escalation.notices.pushes import Claimed, Push, Tried
from services.escalation.notices.settings import NoticeSettings
from services.escalation.store import notices, outlets, pushes
from services.escalation.usecases.parting import SENDER_ENDED, Parting

AT_ONCE: Final = 500
IDLE_S: Final = 1.0
AWAY_S: Final = 0.5
LEASE_S: Final = 90.0
LET_GO: Final = Sent(ok=False, error=SENDER_ENDED)


class Announcer:
    """The loop of the sending process that tells people. `posting` knows how each way is sent by."""

    def __init__(
        self,
        db: Database,
        cache: DirectoryCache,
        posting: Posting,
        ids: IdSource,
        settings: NoticeSettings,
        metrics: Metrics,
    ) -> None:
        self._db = db
        self._cache = cache
        self._posting = posting
        self._ids = ids
        self._settings = settings
        self._sent = metrics.counter("grid_notice_attempts_total", "Attempts to push notices", ["way", "outcome"])
        self._parting = Parting()
        self.pulse = Pulse("notices", Weather(db).excuse)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; a database that is away only makes pushes late."""
        await self._cache.refresh()
        async with self._parting.kept(stop):
            while not stop.is_set():
                self.pulse.turn()
                try:
                    busy = await self.once()
                except Exception as error:
                    if not is_transient(error):
                        raise
                    logger("notices").warning("database_away", error=str(error))
                    busy = False
                if not busy:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), IDLE_S)

    async def once(self) -> bool:
        """One round; answers whether there may be more to do at once."""
        async with self._db.transaction() as tx:
            await notices.settle(tx, self._settings.settle_s)
            considered = await self._consider(tx)
        async with self._db.transaction() as tx:
            await self._compose(tx)
        async with self._db.transaction() as tx:
            claimed = await pushes.claim(tx, self._settings.concurrency, LEASE_S)
        await asyncio.gather(*(self._send(one) for one in claimed))
        self.pulse.did(len(claimed))
        return considered == AT_ONCE or len(claimed) == self._settings.concurrency

    # --- which way, when --------------------------------------------------------------------------------------------
    async def _consider(self, tx: Tx) -> int:
        looked_at = await pushes.to_consider(tx, AT_ONCE)
        if not looked_at:
            return 0
        people = sorted({one.account_id for one in looked_at})
        now = await grid_now(tx)
        ways = Ways(
            robots=tuple(one for one in await outlets.robots(tx) if one.active),
            choices=await outlets.choices_of(tx, people),
            mail=self._posting.mails,
            texts=self._posting.texts,
        )
        if not ways.robots and not ways.choices:
            return len(looked_at)
        gone = await pushes.pushed_since(tx, people, day_begins(now))
        new = [push for one in looked_at for push in self._planned(one, ways, now, gone)]
        await pushes.queue(tx, new)
        return len(looked_at)

    def _planned(self, notice: Notice, ways: Ways, now: datetime, gone: dict[str, int]) -> list[Push]:
        wanted = ways_of(notice, ways, self._cache.current(), now, self._posting.box)
        if not wanted:
            return []
        when = plan(notice, now, gone.get(notice.account_id, 0), self._settings.rules)
        if not when.digest:
            gone[notice.account_id] = gone.get(notice.account_id, 0) + 1
        return [Push(notice.id, outlet, notice.account_id, when.digest, when.due_at) for outlet in wanted]

    # --- what goes together -----------------------------------------------------------------------------------------
    async def _compose(self, tx: Tx) -> None:
        due = await pushes.due(tx, AT_ONCE)
        if not due:
            return
        robots = {str(one.id): one for one in await outlets.robots(tx)}
        there = {one.outlet for one in due if one.outlet in robots}
        room = {}
        if there:
            used = await pushes.pace(tx, sorted(there))
            room = {outlet: robots[outlet].per_minute - used.get(outlet, 0) for outlet in there}
        made = composed(due, room, {key for key, robot in robots.items() if robot.active}, self._ids)
        for outlet, dropped in made.dropped.items():
            await pushes.drop(tx, outlet, dropped)
        await pushes.put_together(tx, made.messages)

    # --- sending ----------------------------------------------------------------------------------------------------
    async def _send(self, one: Claimed) -> None:
        async with self._db.reading() as tx:
            job = await self._job(tx, one)
        sent = await self._parting.of(self._posting.post(job, self._cache.current())) or LET_GO
        self._sent.labels(job.way, "accepted" if sent.ok else "failed").inc()
        async with self._db.transaction() as tx:
            at = await grid_now(tx)
            tried = Tried(one.attempt, at, sent.status, sent.latency_ms, sent.error, sent.reply or None)
            await pushes.record(tx, one, tried, self._after(one, sent, at))
            if job.robot is not None and sent is not LET_GO:
                await outlets.fared(tx, job.robot.id, sent.error)

    async def _job(self, tx: Tx, one: Claimed) -> Job:
        told, now = await pushes.notices_in(tx, one.id), await grid_now(tx)
        people = sorted({notice.account_id for notice in told} | ({one.account_id} if one.account_id else set()))
        robot = None if one.account_id is not None else await outlets.robot(tx, UUID(one.outlet))
        return Job(one, tuple(told), now, await outlets.choices_of(tx, people), robot)

    def _after(self, one: Claimed, sent: Sent, at: datetime) -> dict[str, Any]:
        if sent.ok:
            return {"state": "sent", "sent_at": at, "next_at": None}
        if sent is LET_GO:
            return {"state": "waiting", "next_at": at}
        schedule = self._settings.schedule_s
        if sent.final or one.round > len(schedule):
            logger("notices").error("push_given_up", message=str(one.id), error=sent.error)
            return {"state": "dead", "next_at": None}
        pause = max(schedule[one.round - 1], sent.pause_s)
        return {"state": "waiting", "next_at": at + timedelta(seconds=pause)}
