"""The benches that need all parts: one system for both."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.bench import consoles, queue, recompute, recovery
from tests.bench.result import Result
from tests.chaos.stand import Stand, start

WITHOUT_PLAY = {"GRID_SAMPLE_HISTORY": "0"}


def run_queue() -> list[Result]:
    """Report → queue."""
    return _with_stand(queue.watch)


def run_consoles() -> list[Result]:
    """Many open consoles."""
    return _with_stand(consoles.watch)


def run_recovery() -> list[Result]:
    """Recovery after kill -9."""
    return _with_stand(recovery.survive)


def run_recompute() -> list[Result]:
    """Report → queue while the deadlines of very many cases are counted anew."""
    return _with_stand(recompute.watch)


def _with_stand(bench: Callable[[Stand], Awaitable[list[Result]]]) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="grid-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        stand = start(Path(folder) / "home", WITHOUT_PLAY)
        try:
            return asyncio.run(_await(bench, stand))
        finally:
            stand.stop()


async def _await(bench: Callable[[Stand], Awaitable[list[Result]]], stand: Stand) -> list[Result]:
    return await bench(stand)
