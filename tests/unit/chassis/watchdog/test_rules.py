"""When a process counts as hung, and when it is merely waiting."""

from __future__ import annotations

import pytest

from services.chassis.watchdog.rules import (
    MEMORY_LOOKS,
    Judge,
    Limits,
    LoopSeen,
    OwnTime,
    Rule,
    Seen,
    SilenceJudge,
    Verdict,
)

LIMITS = Limits(stuck_s=10, stalled_s=20, patience_s=100, memory_mb=500)


class Bench:
    """A judge that looks once a second at what the test says."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.judge = Judge(limits)
        self.now = 0.0
        self.ticks = 0

    def look(self, *loops: LoopSeen, ticking: bool = True, rss_mb: int = 100) -> Verdict | None:
        self.now += 1.0
        self.ticks += ticking
        return self.judge.look(Seen(self.ticks, rss_mb, loops), self.now)

    def looks(self, count: int, *loops: LoopSeen, **more: bool) -> list[Verdict]:
        """The verdicts of so many equal looks."""
        return [verdict for _ in range(count) if (verdict := self.look(*loops, **more))]


def test_a_loop_that_turns_and_has_nothing_to_do_is_well() -> None:
    bench = Bench()
    for turn in range(300):
        assert bench.look(LoopSeen("relay", turns=turn)) is None


def test_an_event_loop_that_does_not_turn_is_stuck() -> None:
    bench = Bench()
    assert bench.looks(11, ticking=False) == []
    verdict = bench.look(ticking=False)
    assert verdict is not None
    assert verdict.rule is Rule.STUCK


def test_work_of_which_nothing_gets_done_stalls_a_loop_that_turns() -> None:
    bench = Bench()
    verdicts = [bench.look(LoopSeen("stream", turns=turn, work=7, done=3)) for turn in range(23)]
    assert verdicts[:21] == [None] * 21
    last = verdicts[-1]
    assert last is not None
    assert last.rule is Rule.STALLED
    assert "7 waits" in last.told


def test_work_that_gets_done_slowly_is_no_standstill() -> None:
    bench = Bench()
    assert not any(bench.look(LoopSeen("stream", turns=n, work=1000, done=n // 15)) for n in range(300))


def test_a_loop_that_never_comes_round_stalls_with_or_without_work() -> None:
    assert len(Bench().looks(23, LoopSeen("timers"))) > 0
    assert Bench().looks(20, LoopSeen("timers")) == []


def test_who_waits_for_the_database_and_says_so_has_time_but_must_come_round() -> None:
    bench = Bench()
    waiting = [LoopSeen("stream", turns=n, work=7, waits_for="the database") for n in range(600)]
    assert not any(bench.look(loop) for loop in waiting)
    assert len(bench.looks(102, LoopSeen("stream", turns=600, work=7, waits_for="the database"))) == 1


def test_when_the_wait_is_over_the_time_starts_anew() -> None:
    bench = Bench()
    for n in range(50):
        assert bench.look(LoopSeen("stream", turns=n, work=7, waits_for="the database")) is None
    for n in range(50, 70):
        assert bench.look(LoopSeen("stream", turns=n, work=7)) is None


def test_an_excuse_holds_as_long_as_it_is_given() -> None:
    bench = Bench()
    assert bench.looks(1000, LoopSeen("stream", work=7, excused="the broker")) == []
    assert bench.looks(21, LoopSeen("stream", work=7)) == []
    assert len(bench.looks(2, LoopSeen("stream", work=7))) > 0


def test_one_loop_of_several_is_enough() -> None:
    bench = Bench()
    verdicts = [bench.look(LoopSeen("directory", turns=n), LoopSeen("stream", turns=5)) for n in range(25)]
    told = next(verdict for verdict in verdicts if verdict)
    assert told.told.startswith("stream")


def test_memory_over_the_limit_counts_when_it_lasts() -> None:
    bench = Bench()
    for _ in range(10):
        assert [bench.look(rss_mb=501) for _ in range(MEMORY_LOOKS - 1)] == [None] * (MEMORY_LOOKS - 1)
        assert bench.look(rss_mb=500) is None
    verdicts = [bench.look(rss_mb=612) for _ in range(MEMORY_LOOKS)]
    assert verdicts[-1] == Verdict(Rule.MEMORY, "612 MB of memory, 500 are allowed")


def test_without_a_limit_any_memory_will_do() -> None:
    bench = Bench(Limits(memory_mb=0))
    assert not any(bench.look(rss_mb=100_000) for _ in range(50))


@pytest.mark.parametrize(("beats", "limit"), [(0, 60), (5, 20)])
def test_silence_counts_from_the_last_heartbeat_or_the_birth(beats: int, limit: int) -> None:
    judge = SilenceJudge(silent_s=20, boot_s=60)
    now = 100.0
    for heard in range(1, beats + 1):
        now += 1
        assert judge.look(1, heard, now) is None
    looks = [judge.look(1, beats, now + second) for second in range(1 if beats else 0, 90)]
    silent = next(second for second, verdict in enumerate(looks, 1) if verdict)
    assert silent == limit + (1 if beats else 2)


def test_a_new_life_starts_with_a_clean_slate() -> None:
    judge = SilenceJudge(silent_s=20, boot_s=60)
    for second in range(19):
        assert judge.look(1, 3, float(second)) is None
    for second in range(19, 70):
        assert judge.look(2, 0, float(second)) is None


def test_time_in_which_the_judge_slept_is_one_step() -> None:
    time = OwnTime(longest_step_s=2)
    assert [time.at(now) for now in (5.0, 6.0, 3600.0, 3601.0, 3600.5)] == [0.0, 1.0, 3.0, 4.0, 4.0]
