"""What a fault may lay hands on, and how it finds out whether things are well again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from services.chassis.engines.postgres import ADMIN
from services.chassis.supervisor.environment import Surroundings
from services.chassis.supervisor.settings import SupervisorSettings
from services.chassis.supervisor.status import PartStatus, Status, read_status
from services.escalation.settings import TimerSettings
from tests.chaos.disk import SmallDisk
from tests.chaos.guests import Guests
from tests.chaos.ledger import Ledger
from tests.chaos.proxy import CuttingProxy
from tests.chaos.pulse import Pulse, Recovery
from tests.chaos.receiver import Receiver
from tests.chaos.stand import Stand
from tests.chaos.violation import Violation

LOOK_EVERY_S = 0.1
WRITES = "SELECT pg_logical_emit_message(true, 'chaos', 'well again')"
"""A statement that has to reach the write-ahead log and changes nothing."""
BACK_WITHIN_S = 300.0
"""Generous: a machine under other load is slow, not broken. What took long is told in the report."""


class NotBack(AssertionError):
    """Something that was hurt did not come back."""


@dataclass(slots=True)
class World:
    """A running system with everything the suite has put around it. `disk` None: it has no disk of its own."""

    stand: Stand
    receiver: Receiver
    guests: Guests
    proxy: CuttingProxy
    pulse: Pulse
    poison: Ledger
    disk: SmallDisk | None = None
    recoveries: list[Recovery] = field(default_factory=list)
    without_broker: list[tuple[float, float]] = field(default_factory=list)
    """From when to when, by the wall clock."""
    broken: list[Violation] = field(default_factory=list)
    """What a harm itself found wrong, which nobody could see any more when all is over."""

    @property
    def home(self) -> Path:
        return self.stand.home

    @property
    def kafka(self) -> str:
        """host:port of the broker."""
        return f"127.0.0.1:{self.stand.environment['GRID_KAFKA_PORT']}"

    @property
    def pause_s(self) -> float:
        """For how long nothing fires after a step of the database's clock; the run leaves it as it is."""
        return float(TimerSettings.model_fields["jump_pause_s"].default)

    def status(self) -> Status:
        status = read_status(self.home)
        assert status is not None, "the supervisor is gone"
        return status

    def parts(self) -> Mapping[str, PartStatus]:
        return self.status().parts

    def victims(self) -> tuple[str, ...]:
        """Every process that can be killed, by name."""
        ready = sorted(name for name, part in self.parts().items() if part.state == "ready")
        return (*ready, *sorted(self.guests.members))

    async def running(self, name: str, other_than: int | None = None, within_s: float = BACK_WITHIN_S) -> int:
        """The process id of a part or guest, once it is ready."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        while loop.time() < until:
            pid = self._pid(name)
            if pid is not None and pid != other_than:
                return pid
            await asyncio.sleep(LOOK_EVERY_S)
        raise NotBack(f"{name} did not come back within {within_s:.0f} s")

    def _pid(self, name: str) -> int | None:
        if name in self.guests.members:
            return self.guests.pid(name)
        part = self.parts()[name]
        return part.pid if part.state == "ready" else None

    def admin_url(self) -> str:
        """PostgreSQL with all rights."""
        around = Surroundings(SupervisorSettings.read(self.stand.environment))
        assert around.postgres is not None
        return around.postgres.url_for(ADMIN)

    async def ask(self, query: str) -> list[tuple[object, ...]]:
        """One question to PostgreSQL, with all rights, each on a connection of its own."""

        def go() -> list[tuple[object, ...]]:
            with psycopg.connect(self.admin_url(), autocommit=True, connect_timeout=5) as connection:
                return connection.execute(query.encode()).fetchall()

        return await asyncio.to_thread(go)

    async def ask_grid(self, query: str) -> list[tuple[object, ...]]:
        """One question about the data, with the owner's rights."""

        def go() -> list[tuple[object, ...]]:
            with psycopg.connect(self.stand.database_url) as connection:
                return connection.execute(query.encode()).fetchall()

        return await asyncio.to_thread(go)

    async def tell_grid(self, statement: str) -> None:
        """Do something to the data that answers nothing, with the owner's rights."""

        def go() -> None:
            with psycopg.connect(self.stand.database_url) as connection:
                connection.execute(statement.encode())

        await asyncio.to_thread(go)

    async def database_back(self) -> None:
        """Wait until PostgreSQL takes connections and writes again."""
        loop = asyncio.get_running_loop()
        until = loop.time() + BACK_WITHIN_S
        while True:
            try:
                await self.ask(WRITES)
            except psycopg.Error as error:
                if loop.time() > until:
                    raise NotBack(f"PostgreSQL did not come back: {error}") from error
                await asyncio.sleep(LOOK_EVERY_S)
            else:
                return


def rng_of(seed: int) -> random.Random:
    """What a fault draws by itself."""
    return random.Random(seed)
