"""Processes that are started again when they end, and a database that holds its commits back."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from services.chassis.clock import monotonic
from services.chassis.db import Database
from services.chassis.settings import DatabaseSettings
from services.chassis.statements import Line, Statements, Within
from tests.support.stand import CHECKOUT

PATIENCE_S: Final = 120.0


async def until(what: str, condition: Callable[[], Awaitable[object]], patience_s: float = PATIENCE_S) -> None:
    """Wait for a condition; AssertionError naming `what` when it never comes true."""
    end = monotonic() + patience_s
    while not await condition():
        assert monotonic() < end, f"not within {patience_s:.0f} s: {what}"
        await asyncio.sleep(0.1)


@dataclass
class Kept:
    """A process that is started again whenever it ends, while it is wanted."""

    words: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    wanted: bool = True

    async def keep(self) -> None:
        while True:
            if self.wanted and (self.process is None or self.process.poll() is not None):
                self._begin()
            await asyncio.sleep(0.05)

    def _begin(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.words, env=self.environment, cwd=CHECKOUT, stdout=log, stderr=log)

    def kill(self) -> None:
        """kill -9; it is started again."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    async def stop(self) -> None:
        """End it in order and leave it so."""
        assert self.process is not None
        self.wanted = False
        self.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(self.process.wait, 60)

    def start(self) -> None:
        self.wanted = True

    def end(self) -> None:
        self.wanted = False
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)


class HeldDatabase(Database):
    """A database whose transactions, once `hold` is called, have done their work and do not commit."""

    def __init__(self, settings: DatabaseSettings, application: str) -> None:
        super().__init__(settings, application)
        self.held = asyncio.Event()
        self._gate = asyncio.Event()
        self._gate.set()

    def hold(self) -> None:
        self._gate.clear()

    def let_go(self) -> None:
        self._gate.set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        async with super().transaction() as tx:
            if not self._gate.is_set():
                await tx.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            yield tx
            if not self._gate.is_set():
                self.held.set()
                await self._gate.wait()

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[Statements]:
        async with self.transaction() as tx:
            yield Within(tx)

    def line(self) -> Line:
        return Line(self.statements, lasting=False)
