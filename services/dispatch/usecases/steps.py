"""The six steps of a case: when it was in each, who acted there, and what the step's own clock has counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.api.dispatch import StageOut
from services.dispatch.store.detail import FactRow
from services.dispatch.usecases.page import CasePage, by_machine
from services.governance import sla
from services.governance.acts import Clock
from services.governance.case import Case
from services.governance.cycle import ClockKind, Stage

_MOST = 3
"""People named per step, the last who acted: the rest stand in the timeline."""

# Which clock says how long a stage may take; the last one started counts.
_STAGE_CLOCKS: Mapping[ClockKind, Stage] = {
    ClockKind.GRID_RESPONSE: Stage.DISCOVERY,
    ClockKind.GRID_DISPOSAL: Stage.DISCOVERY,
    ClockKind.COMMUNITY_RESPONSE: Stage.COMMUNITY_CALL,
    ClockKind.COMMUNITY_DISPOSAL: Stage.COMMUNITY_CALL,
    ClockKind.STREET_ANSWER: Stage.COORDINATION,
    ClockKind.FILE: Stage.COORDINATION,
    ClockKind.DISPATCH: Stage.COORDINATION,
    ClockKind.RULING: Stage.COORDINATION,
    ClockKind.RESPONSE: Stage.RESPONSE,
    ClockKind.DISTRICT_RESPONSE: Stage.RESPONSE,
    ClockKind.HANDLING: Stage.DISPOSAL,
    ClockKind.DISTRICT_HANDLING: Stage.DISPOSAL,
    ClockKind.VERIFY: Stage.CLOSING,
    ClockKind.VISIT: Stage.CLOSING,
    ClockKind.CLOSE: Stage.CLOSING,
}

_Stretch = tuple[datetime, datetime | None]


def steps_of(page: CasePage, *, named: bool) -> tuple[StageOut, ...]:
    """When each was first entered and last left, how long it took in all, how long it may take. `named`: and who."""
    visits = _visits(page)
    who = _who(page) if named else {}
    return tuple(_step(stage, page, visits.get(stage, []), who.get(stage, ())) for stage in Stage)


def _step(stage: Stage, page: CasePage, visits: Sequence[_Stretch], who: tuple[str, ...]) -> StageOut:
    clock = _clock_of(page.case, stage)
    return StageOut(
        stage=stage,
        label=page.words.word("stage", stage),
        entered_at=visits[0][0] if visits else None,
        left_at=visits[-1][1] if visits else None,
        used_s=sum(int(((end or page.now) - begin).total_seconds()) for begin, end in visits),
        allowed_s=clock.budget_s if clock else None,
        counted_s=sla.used(clock, page.now, page.rulebook.calendar) if clock else None,
        basis=clock.basis if clock else None,
        clock=page.words.word("clock_kind", clock.kind) if clock else None,
        skipped=None if visits else dict(page.case.skipped).get(stage),
        who=who,
    )


def _visits(page: CasePage) -> dict[Stage, list[_Stretch]]:
    """Stage → stretches [from, to) in it; the present one is open until the case ends."""
    visits: dict[Stage, list[_Stretch]] = {}
    current: tuple[Stage, datetime] | None = None
    for fact in page.facts:
        stage = Stage(fact.stage)
        if current is not None and current[0] is stage:
            continue
        if current is not None:
            visits.setdefault(current[0], []).append((current[1], fact.at))
        current = (stage, fact.at)
    if current is not None:
        visits.setdefault(current[0], []).append((current[1], page.case.closed_at))
    return visits


def _who(page: CasePage) -> dict[Stage, tuple[str, ...]]:
    """Who acted while the case stood there: what moves it on is an act of the step that it leaves."""
    found: dict[Stage, list[str]] = {}
    stage: Stage | None = None
    for fact in page.facts:
        stood, stage = stage or Stage(fact.stage), Stage(fact.stage)
        name = _named(fact, page)
        if name is None:
            continue
        named = found.setdefault(stood, [])
        if name in named:
            named.remove(name)
        named.append(name)
    return {stage: tuple(names[-_MOST:]) for stage, names in found.items()}


def _named(fact: FactRow, page: CasePage) -> str | None:
    if by_machine(fact):
        return None
    parts = (page.words.person(fact.account), page.words.post(fact.role, fact.unit))
    return " · ".join(part for part in parts if part) or None


def _clock_of(case: Case, stage: Stage) -> Clock | None:
    own = [clock for clock in case.clocks if _STAGE_CLOCKS.get(clock.kind) is stage and clock.task_id is None]
    return max(own, key=lambda clock: clock.started_at) if own else None
