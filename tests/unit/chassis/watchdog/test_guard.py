"""The watchdog beside a loop, without ending this process: it notices, says so in the last heartbeat, and leaves."""

from __future__ import annotations

import asyncio
import threading
from typing import NoReturn

import pytest

from services.chassis.watchdog.answers import watch_answers
from services.chassis.watchdog.beat import Beat
from services.chassis.watchdog.guard import EXIT_HUNG, Guard, stands_still
from services.chassis.watchdog.herald import Herald
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.rules import Limits, LoopSeen, Rule

QUICK = 0.02
LIMITS = Limits(stuck_s=30, stalled_s=0.4, patience_s=30)


class Listener(Herald):
    """Keeps the heartbeats."""

    def __init__(self) -> None:
        super().__init__(None, None)
        self.beats: list[Beat] = []

    def send(self, beat: Beat) -> None:
        self.beats.append(beat)


class Door:
    """Where the process would leave; ends the watching thread instead."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.gone = threading.Event()

    def __call__(self, code: int) -> NoReturn:
        self.codes.append(code)
        self.gone.set()
        raise SystemExit(code)  # ends the thread alone


async def patience(condition: threading.Event) -> None:
    assert await asyncio.to_thread(condition.wait, 20)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # how `Door` ends the thread
async def test_a_loop_that_gets_nothing_done_ends_the_process_with_a_last_word() -> None:
    herald, door, pulse = Listener(), Door(), Pulse("stream")
    pulse.has(3)
    guard = Guard(LIMITS, herald, leave=door, look_s=QUICK)
    guard.watch(pulse)
    async with guard.watching():
        await patience(door.gone)
    assert door.codes == [EXIT_HUNG]
    verdict = herald.beats[-1].verdict
    assert verdict is not None
    assert verdict.rule is Rule.STALLED
    assert [beat.verdict for beat in herald.beats[:-1]] == [None] * (len(herald.beats) - 1)


async def test_what_is_excused_stays_and_its_heartbeat_says_what_it_lacks() -> None:
    asked: list[bool] = []

    async def excuse() -> str | None:
        asked.append(True)
        return "the database"

    herald, door, pulse = Listener(), Door(), Pulse("stream", excuse)
    pulse.has(3)
    pulse.serving = False
    guard = Guard(LIMITS, herald, leave=door, look_s=QUICK)
    guard.watch(pulse)
    async with guard.watching():
        async with asyncio.timeout(20):
            while len(asked) < 20:  # noqa: ASYNC110 - several times as long as would have condemned it
                await asyncio.sleep(QUICK)
    assert door.codes == []
    assert herald.beats[-1] == Beat(herald.beats[-1].rss_mb, serving=False, waits_for="the database")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # how `Door` ends the thread
async def test_a_failing_excuse_is_none() -> None:
    async def excuse() -> str | None:
        raise LookupError("a fault of ours")

    door, pulse = Door(), Pulse("stream", excuse)
    guard = Guard(LIMITS, Listener(), leave=door, look_s=QUICK)
    guard.watch(pulse)
    async with guard.watching():
        await patience(door.gone)
    assert door.codes == [EXIT_HUNG]


@pytest.mark.parametrize(
    ("before", "now", "still"),
    [
        (None, LoopSeen("a"), False),
        (LoopSeen("a", turns=1), LoopSeen("a", turns=1), True),
        (LoopSeen("a", turns=1), LoopSeen("a", turns=2), False),
        (LoopSeen("a", turns=1, work=5), LoopSeen("a", turns=2, work=5), True),
        (LoopSeen("a", turns=1, work=5), LoopSeen("a", turns=2, work=5, done=1), False),
        (LoopSeen("a", turns=1), LoopSeen("a", turns=2, work=5), False),
    ],
)
def test_only_who_stands_still_is_asked_for_an_excuse(before: LoopSeen | None, now: LoopSeen, still: bool) -> None:
    assert stands_still(before, now) is still


async def test_a_web_server_that_does_not_answer_is_not_taken_for_one_that_does() -> None:
    pulse = Pulse("http")
    asking = asyncio.ensure_future(watch_answers(pulse, ("127.0.0.1", 1), every_s=QUICK))
    await asyncio.sleep(10 * QUICK)
    asking.cancel()
    assert pulse.seen.turns == 0
