"""Looks at the system from outside while things are done to it: what waits, what is held, who holds sessions."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.cluster.questions import CASES, SESSIONS, WAITING

EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class Look:
    """One moment: seconds since the start, reports waiting for more than two seconds, cases."""

    at: float
    waiting: int
    cases: int


@dataclass(slots=True)
class Watch:
    """Looks every quarter of a second, as the administrator, until told to stop."""

    admin_url: str
    looks: list[Look] = field(default_factory=list)
    most: Counter[str] = field(default_factory=Counter)
    """Most sessions seen at once per application."""
    most_together: int = 0
    users: set[str] = field(default_factory=set)
    began: float = field(default_factory=time.monotonic)

    async def run(self, stop: asyncio.Event) -> None:
        async with await psycopg.AsyncConnection.connect(self.admin_url, autocommit=True) as connection:
            while not stop.is_set():
                await self._look(connection)
                await asyncio.sleep(EVERY_S)

    @property
    def now(self) -> float:
        return time.monotonic() - self.began

    async def _look(self, connection: psycopg.AsyncConnection[Any]) -> None:
        at = self.now
        self.looks.append(Look(at, await _one(connection, WAITING), await _one(connection, CASES)))
        sessions = await (await connection.execute(SESSIONS.encode())).fetchall()
        for application, user, count in sessions:
            self.most[application] = max(self.most[application], count)
            self.users.add(user)
        self.most_together = max(self.most_together, sum(row[2] for row in sessions))

    def silence(self, after: float, until: float) -> float:
        """The longest time without a new case between two moments."""
        seen = [look for look in self.looks if after <= look.at <= until]
        longest, last_at, last = 0.0, after, seen[0].cases if seen else 0
        for look in seen:
            if look.cases > last:
                longest, last_at, last = max(longest, look.at - last_at), look.at, look.cases
        return max(longest, (seen[-1].at if seen else until) - last_at)

    def caught_up(self, after: float) -> float | None:
        """Seconds from a moment until nothing waited any more, once something had; 0 where nothing ever did."""
        later = [look for look in self.looks if look.at >= after]
        last_waiting = max((look.at for look in later if look.waiting), default=None)
        if last_waiting is None:
            return 0.0
        freed = [look.at for look in later if look.at > last_waiting and not look.waiting]
        return freed[0] - after if freed else None


async def _one(connection: psycopg.AsyncConnection[Any], query: str) -> int:
    row = await (await connection.execute(query.encode())).fetchone()
    assert row is not None
    return int(row[0])
