"""Whatever the machine does to the judge's clock, nobody is condemned for time in which nobody looked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.watchdog.rules import LONGEST_STEP_S, Judge, Limits, LoopSeen, Rule, Seen, SilenceJudge

GAPS = st.lists(st.floats(min_value=0.0, max_value=100_000.0), min_size=1, max_size=120)
LIMITS = Limits(stuck_s=30, stalled_s=60, patience_s=300, memory_mb=0)
FAIR_LOOKS = int(LIMITS.stuck_s / LONGEST_STEP_S)


@given(GAPS)
def test_a_starved_judge_condemns_no_sooner_than_after_enough_looks(gaps: list[float]) -> None:
    judge, silence, now = Judge(LIMITS), SilenceJudge(LIMITS.stuck_s, LIMITS.stuck_s), 0.0
    for looks, gap in enumerate(gaps):
        now += gap
        verdicts = judge.look(Seen(ticks=1), now), silence.look(1, 9, now)
        if looks <= FAIR_LOOKS:
            assert verdicts == (None, None)


@given(GAPS, st.integers(min_value=1, max_value=14))
def test_a_process_seen_to_move_now_and_then_is_never_condemned(gaps: list[float], every: int) -> None:
    judge, silence, now = Judge(LIMITS), SilenceJudge(LIMITS.stuck_s, LIMITS.stuck_s), 0.0
    for look, gap in enumerate(gaps):
        now += gap
        moved = look // every
        loop = LoopSeen("stream", turns=moved, work=5, done=moved)
        assert judge.look(Seen(moved, loops=(loop,)), now) is None
        assert silence.look(1, moved + 1, now) is None


@given(st.floats(min_value=0.2, max_value=LONGEST_STEP_S), st.booleans())
def test_a_judge_that_runs_condemns_in_time(step: float, ticking: bool) -> None:
    judge, now = Judge(LIMITS), 0.0
    limit = LIMITS.stalled_s if ticking else LIMITS.stuck_s
    for look in range(10_000):
        verdict = judge.look(Seen(look if ticking else 0, loops=(LoopSeen("stream", turns=look, work=1),)), now)
        if verdict is not None:
            assert verdict.rule is (Rule.STALLED if ticking else Rule.STUCK)
            assert limit < now <= limit + 2 * step
            return
        now += step
    raise AssertionError("a hung process was never noticed")


@given(GAPS, st.sampled_from(["the database", "the broker"]))
def test_an_outage_is_no_hang_however_long(gaps: list[float], lacking: str) -> None:
    judge, now = Judge(LIMITS), 0.0
    for look, gap in enumerate(gaps):
        now += gap
        waiting = LoopSeen("stream", turns=look, work=9, waits_for=lacking)
        excused = LoopSeen("relay", turns=0, work=9, excused=lacking)
        assert judge.look(Seen(look, loops=(waiting, excused)), now) is None
