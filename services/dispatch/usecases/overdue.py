"""What becomes of overdue cases by itself: each step of each ladder, done, pending, or skipped and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.api.overdue import LadderStepOut, OverdueCaseOut, OverdueClockOut
from services.chassis.directory import DirectoryCache
from services.dispatch.store import Tx
from services.dispatch.store.columns import stage_clock
from services.dispatch.store.overdue import Point, acted_on
from services.dispatch.usecases.words import Words
from services.governance.acts import Clock, ClockState, Rung
from services.governance.case import Case
from services.governance.cycle import MachineRule
from services.governance.rulebook import Rulebook
from services.governance.sla import is_late
from services.governance.tiers import AGAIN, LadderStep, RungAct

_PLATFORM = "platform_not_marked"


async def tell(
    tx: Tx, found: Sequence[Case], now: datetime, cache: DirectoryCache, words: Words
) -> tuple[OverdueCaseOut, ...]:
    """These cases with their ladders. Raises UnknownRulebook."""
    acted = await acted_on(tx, [case.case_id for case in found])
    books = {case.rulebook: await cache.rulebook(case.rulebook) for case in found}
    return tuple(
        _Telling(case, books[case.rulebook], now, acted.get(case.case_id, {}), words).case_out() for case in found
    )


class _Telling:
    """One case."""

    def __init__(
        self, case: Case, book: Rulebook, now: datetime, acted: Mapping[Point, datetime], words: Words
    ) -> None:
        self._case, self._book, self._now, self._acted, self._words = case, book, now, acted, words

    def case_out(self) -> OverdueCaseOut:
        case, words = self._case, self._words
        upcoming = min(
            ((rung.at, clock, rung) for clock in case.clocks for rung in clock.rungs if self._pending(clock, rung)),
            key=lambda row: row[0],
            default=None,
        )
        stage = stage_clock(case)
        return OverdueCaseOut(
            case_no=case.case_no,
            state_label=words.word("state", case.state),
            place=words.place(case.spot.community or case.spot.street),
            urgency=case.urgency,
            rulebook=case.rulebook,
            due_at=stage.due_at if stage is not None else None,
            next_at=upcoming[0] if upcoming else None,
            next_label=words.word("rung_act", upcoming[2].act) if upcoming else None,
            clocks=tuple(self._clock(clock) for clock in case.clocks),
        )

    def _pending(self, clock: Clock, rung: Rung) -> bool:
        return clock.state is ClockState.RUNNING and rung.rung not in clock.fired

    def _clock(self, clock: Clock) -> OverdueClockOut:
        steps = self._book.ladders[clock.kind].steps
        told = [self._step(clock, number, step) for number, step in enumerate(steps) if step.act is not RungAct.MARK]
        again = [rung for rung in clock.rungs if rung.rung >= AGAIN]
        return OverdueClockOut(
            clock_id=clock.clock_id,
            kind=clock.kind,
            label=self._words.word("clock_kind", clock.kind),
            state=clock.state,
            due_at=clock.due_at,
            late=is_late(clock, self._now),
            steps=(*told, *(self._rung(clock, rung, steps[rung.rung % AGAIN]) for rung in again)),
        )

    def _step(self, clock: Clock, number: int, step: LadderStep) -> LadderStepOut:
        rung = next((each for each in clock.rungs if each.rung == number), None)
        if rung is None:
            return self._out(step, step.act, None, "skipped", why="not_urgent" if step.urgent_only else "changed")
        return self._rung(clock, rung, step)

    def _rung(self, clock: Clock, rung: Rung, step: LadderStep) -> LadderStepOut:
        if rung.rung in clock.fired:
            moment = self._acted.get((clock.clock_id, rung.rung))
            return self._out(step, rung.act, rung.at, "done", why=self._done_otherwise(step, rung), acted=moment)
        if clock.state is ClockState.RUNNING:
            return self._out(step, rung.act, rung.at, "pending")
        why = "paused" if clock.state is ClockState.PAUSED else "in_time"
        if clock.stopped_at is not None and clock.stopped_at > rung.at:
            why = "moved_on"
        return self._out(step, rung.act, rung.at, "skipped", why=why)

    def _done_otherwise(self, step: LadderStep, rung: Rung) -> str | None:
        """Why a step that was taken did less than it says."""
        if rung.act == RungAct.ESCALATE:
            category = self._book.category_of(self._case.category)
            return None if category is not None and category.notice_platform else _PLATFORM
        off = {
            RungAct.CALL_UP.value: {MachineRule.CALL_UP_GRID, MachineRule.CALL_UP_COMMUNITY},
            RungAct.NEXT_CHECKER.value: {MachineRule.CHECK_TASK},
        }
        return "switched_off" if any(not self._book.does(rule) for rule in off.get(step.act.value, ())) else None

    def _out(
        self,
        step: LadderStep,
        act: str,
        planned: datetime | None,
        standing: str,
        *,
        why: str | None = None,
        acted: datetime | None = None,
    ) -> LadderStepOut:
        words = self._words
        return LadderStepOut(
            act=act,
            label=words.word("rung_act", act),
            told=tuple(words.word("tell", post) for post in step.tell),
            standing=standing,
            why=words.word("step_why", why) if why else None,
            planned_at=planned,
            acted_at=acted,
        )
