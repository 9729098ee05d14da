"""Every invariant notices when it is broken: one planted fault each, in what is decided or in how facts are folded.

The story in which the fault is planted passes all twenty when it is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from services.governance import sla
from services.governance.acts import SYSTEM, ActorRef, ClockChanged, Fact, FactKind, StateChanged, Task
from services.governance.acts import TaskState as Ts
from services.governance.case import Case, Sight, evolve
from services.governance.cycle import Action, ClockKind, Flag, Role, Stage, State, Tier, Urgency
from services.governance.tiers import Ladder
from tests.property.governance.history import History
from tests.property.governance.invariants import INVARIANTS
from tests.support.governance import (
    BOOK,
    CHIEF,
    CHIEF2,
    CITY_OFFICE,
    CLERK,
    COVER,
    EVERYBODY,
    LEAD,
    QUARREL,
    WORKER,
    Walk,
    report,
    to_community,
    to_dispatched,
    to_fed_back,
    to_handling,
)

K = FactKind
Facts = list[Fact]
Fold = Callable[[Case | None, Fact], Case]


# --- stories ---------------------------------------------------------------------------------------------------------
def checked() -> Walk:
    """Handled and checked by somebody else; closed by the machine."""
    walk = to_fed_back(Walk())
    walk.act(WORKER, Action.VERIFY_PASS, means="on_site")
    return walk


def returned_twice() -> Walk:
    walk = to_dispatched(Walk(), lead="huanwei")
    walk.act(LEAD, Action.RETURN, reason="not_our_duty", note="n", suggested_unit="chengguan")
    walk.act(CLERK, Action.DISPATCH, lead_unit="chengguan", reason="line_unfit")
    walk.act(CITY_OFFICE, Action.RETURN, reason="not_our_duty", note="n", suggested_unit="huanwei")
    walk.act(CHIEF, Action.RULE, lead_unit="huanwei", note="n")
    return walk


def voided() -> Walk:
    walk = to_dispatched(Walk())
    walk.act(CHIEF, Action.VOID, reason="test_data", note="n")
    walk.act(CHIEF2, Action.APPROVE)
    return walk


def dangerous() -> Walk:
    return Walk(report(COVER, danger=True))


def suspended_and_resumed() -> Walk:
    walk = to_handling(Walk(report("0110")), condition="litter.heap")
    walk.act(LEAD, Action.SUSPEND_REQUEST, reason="funding", note="n", until=walk.now + timedelta(days=20))
    walk.act(CHIEF, Action.APPROVE)
    walk.later(days=10).act(CHIEF, Action.RESUME)
    return walk


def signed() -> Walk:
    walk = to_dispatched(Walk())
    walk.later(minutes=3).act(LEAD, Action.SIGN)
    walk.later(minutes=3).act(LEAD, Action.RESPOND, means="on_site")
    return walk


def silent() -> Walk:
    """The machine calls the community."""
    walk = Walk()
    walk.fire(ClockKind.GRID_RESPONSE)
    return walk


def late() -> Walk:
    walk = to_handling(Walk())
    walk.fire(ClockKind.HANDLING, 2)
    return walk


def more_dangerous() -> Walk:
    walk = to_handling(Walk())
    walk.act(CLERK, Action.RECLASSIFY, reason="danger_changed", urgency=Urgency.URGENT)
    return walk


def restricted() -> Walk:
    return to_community(Walk(report(QUARREL)))


STORIES = (
    *(checked, returned_twice, voided, dangerous, suspended_and_resumed, signed, silent, late, more_dangerous),
    restricted,
)


# --- faults ----------------------------------------------------------------------------------------------------------
def folded(kind: str, **broken: Callable[[Case], Any]) -> Fold:
    """`evolve` that makes something else of one kind of fact."""

    def fold(case: Case | None, fact: Fact) -> Case:
        after = evolve(case, fact)
        return replace(after, **{name: make(after) for name, make in broken.items()}) if fact.kind == kind else after

    return fold


def told(kind: str, **broken: Any) -> Callable[[Facts], Facts]:
    """A stream in which facts of one kind say something else."""
    return lambda facts: [replace(fact, **broken) if fact.kind == kind else fact for fact in facts]


def _stops_a_clock(facts: Facts) -> Facts:
    """Signing stops the response clock."""
    case: Case | None = None
    out = []
    for fact in facts:
        if fact.kind == K.SIGNED and case is not None:
            clock = next(c for c in case.clocks if c.kind is ClockKind.RESPONSE)
            stop = ClockChanged(sla.stop(clock, fact.at, BOOK.calendar), "stopped")
            fact = replace(fact, changes=(*fact.changes, stop))
        case = evolve(case, fact)
        out.append(fact)
    return out


def _second_lead(case: Case) -> tuple[Task, ...]:
    return (*case.tasks, Task("t99", "lead", "zhifa", None, Ts.DOING, case.last_at))


def _open_share(case: Case) -> tuple[Task, ...]:
    return (*case.tasks, Task("t99", "co", "zhifa", None, Ts.DOING, case.last_at))


def _twice(case: Case) -> tuple[Any, ...]:
    return (*case.clocks, replace(next(c for c in case.clocks if c.running_since), clock_id="again"))


def _earlier(case: Case) -> tuple[Any, ...]:
    return tuple(replace(c, due_at=c.original_due - timedelta(hours=1)) for c in case.clocks)


def _never_paused(case: Case) -> tuple[Any, ...]:
    return tuple(
        replace(c, running_since=c.started_at, consumed_s=0) if c.kind is ClockKind.WHOLE else c for c in case.clocks
    )


def _another_basis(case: Case) -> tuple[Any, ...]:
    return tuple(replace(c, basis="wall") if c.kind is ClockKind.HANDLING else c for c in case.clocks)


def _again(facts: Facts) -> Facts:
    return [*facts, facts[-1]]


def _after_void(facts: Facts) -> Facts:
    noted = replace(facts[-1], kind=K.NOTED, changes=(StateChanged(State.FILED),), op_id="x")
    return [*facts, noted]


def _without_ladder(history: History) -> None:
    history.book = replace(history.book)
    ladders = {**BOOK.ladders, ClockKind.WHOLE: Ladder(ClockKind.WHOLE, ())}
    object.__setattr__(history.book, "ladders", ladders)


def _everybody_sees_all(history: History) -> None:
    history.sight = lambda _case, _actor: Sight.FULL


@dataclass(frozen=True)
class Fault:
    """What is broken, in which story, and the number of the invariant that must notice."""

    name: str
    story: Callable[[], Walk]
    stream: Callable[[Facts], Facts] = list
    fold: Fold = evolve
    prepare: Callable[[History], None] = lambda _: None


_ONLOOKER = ActorRef("huanwei", Role.HANDLING_UNIT, "huanwei")
FAULTS = (
    Fault("I1", checked, fold=folded(K.DISPATCHED, tasks=_second_lead)),
    Fault("I2", checked, told(K.VERIFIED, actor=_ONLOOKER)),
    Fault("I3", returned_twice, told(K.RETURNED, reason=None)),
    Fault("I3", checked, told(K.FILED, actor=ActorRef("zhiban"))),
    Fault("I4", checked, fold=folded(K.DISPATCHED, clocks=_twice)),
    Fault("I5", checked, fold=folded(K.DISPATCHED, clocks=_earlier)),
    Fault("I6", checked, fold=folded(K.CLOSED, tasks=_open_share)),
    Fault("I6", checked, fold=folded(K.CLOSED, flags=lambda case: case.flags | {Flag.SUPERVISED})),
    Fault("I7", returned_twice, fold=folded(K.RETURNED, counters=lambda _: (("returns", 3),))),
    Fault("I7", returned_twice, fold=folded(K.RETURNED, state=lambda _: State.FILED)),
    Fault("I8", voided, _after_void),
    Fault("I9", dangerous, fold=folded(K.CALLED, state=lambda _: State.AT_COMMUNITY)),
    Fault("I9", dangerous, told(K.CALLED, tell=())),
    Fault("I10", suspended_and_resumed, fold=folded(K.RESUMED, clocks=_never_paused)),
    Fault("I11", signed, _again),
    Fault("I11", checked, fold=folded(K.DISPATCHED, operations=lambda _: ())),
    Fault("I12", checked, fold=folded(K.CLOSED, flags=lambda case: case.flags | {Flag.HARD})),
    Fault("I13", checked, fold=folded(K.DISPATCHED, skipped=lambda _: ((Stage.RESPONSE.value, "grid"),))),
    Fault("I13", checked, fold=folded(K.DISPATCHED, owner=lambda _: None)),
    Fault("I14", late, fold=folded(K.OVERDUE, tier=lambda _: Tier.DISTRICT)),
    Fault("I15", checked, prepare=_without_ladder),
    Fault("I16", checked, told(K.VERIFIED, actor=SYSTEM)),
    Fault("I17", silent, told(K.CALLED, rule=None)),
    Fault("I17", silent, fold=folded(K.CALLED, undo=lambda _: None)),
    Fault("I18", signed, _stops_a_clock),
    Fault("I19", more_dangerous, fold=folded(K.RECLASSIFIED, clocks=_another_basis)),
    Fault("I20", restricted, prepare=_everybody_sees_all),
)


def run(fault: Fault, checks: Sequence[str]) -> None:
    """Tell the story, commit by commit, to the checks."""
    history = History(BOOK, EVERYBODY, checks={name: INVARIANTS[name] for name in checks})
    fault.prepare(history)
    for commit in commits(fault.stream(list(fault.story().facts))):
        history.takes(commit, fault.fold)


def commits(facts: Facts) -> list[Facts]:
    """Facts of one moment and one hand belong together."""
    out: list[Facts] = []
    for fact in facts:
        same = out and (out[-1][-1].op_id, out[-1][-1].at) == (fact.op_id, fact.at) and fact is not out[-1][-1]
        if same:
            out[-1].append(fact)
        else:
            out.append([fact])
    return out


def test_there_is_a_fault_for_every_invariant() -> None:
    assert {fault.name for fault in FAULTS} == set(INVARIANTS) == {f"I{number}" for number in range(1, 21)}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_left_alone_every_story_keeps_all_twenty(story: Callable[[], Walk]) -> None:
    run(Fault("", story), list(INVARIANTS))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.name}-{fault.story.__name__}")
def test_a_planted_fault_is_noticed_under_its_number(fault: Fault) -> None:
    with pytest.raises(AssertionError, match=rf"^{fault.name}: "):
        run(fault, [fault.name])
