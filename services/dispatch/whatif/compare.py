"""One case under two rulebooks, side by side, as far as they can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.cases import co_units
from services.dispatch.whatif.model import UNIT, Compared, Due, Shift, Side, Verdict
from services.dispatch.whatif.record import Record
from services.dispatch.whatif.replay import Books, Frame, Life, live_anew, relive
from services.governance.acts import Act, Change, Clock, Fact, OwnerChanged, RequestChanged, Restored, Routed
from services.governance.case import Case
from services.governance.cycle import ClockKind, Tier
from services.governance.sla import is_late

# What passes here is no breach: a window closes, a waiting ends.
WINDOWS = frozenset({ClockKind.RETURN_WINDOW, ClockKind.MORE, ClockKind.REVIEW})


@dataclass(frozen=True, slots=True)
class Pair:
    """Both lives of a case up to where they are compared, with the facts until then."""

    before: Case
    after: Case
    facts_before: tuple[Fact, ...]
    facts_after: tuple[Fact, ...]
    at: datetime
    why: str  # '' to the end


def compare(record: Record, own: Books, changed: Books, end: datetime) -> tuple[Compared, Pair | None]:
    """Live the case twice and say what differs."""
    was = relive(record, own, end)
    fault = _fault(record, was)
    if fault is not None:
        return answer(record, Verdict.NOT_REPRODUCIBLE, fault), None
    would_be = live_anew(record, changed, end, was.away, lambda life: _parted(was, life) is not None)
    pair = _pair(was, would_be, end)
    if pair is None:
        return answer(record, Verdict.DIVERGED, "refused:report", record.asks[0].now), None
    verdict = Verdict.DIVERGED if pair.why else Verdict.COMPARED
    before = _side(pair.before, pair.facts_before, pair.at)
    after = _side(pair.after, pair.facts_after, pair.at)
    if pair.why == UNIT and after.lead == before.lead:
        after = replace(after, lead=after.choice)  # whoever followed the rulebook would have followed this one
    shifts = tuple(_shifts(before.dues, after.dues))
    restricted = pair.before.restricted or pair.after.restricted
    return replace(
        answer(record, verdict, pair.why), at=pair.at, before=before, after=after, shifts=shifts, restricted=restricted
    ), pair


def answer(record: Record, verdict: Verdict, why: str, at: datetime | None = None) -> Compared:
    """What is said of a case without its sides."""
    opening = record.opening
    category = opening.category.code if opening.category is not None else None
    return Compared(
        case_id=opening.case_id,
        case_no=opening.case_no,
        category=category,
        rulebook=record.rulebook,
        opened_at=opening.reported_at,
        history=opening.recorded is not None,
        restricted=False,
        verdict=verdict,
        why=why,
        at=at,
    )


# --- how far they go together ---------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Parting:
    """Where two lives part: before or after a question, and why."""

    frame: int
    after: bool
    why: str


def _parted(was: Life, life: Life) -> _Parting | None:
    """Whether the last question is where they part: another unit leads, or what was meant is something else."""
    frame = len(life.frames) - 1
    one, other = was.frames[frame], life.frames[frame]
    if one.before is not None and other.before is not None and one.before.lead != other.before.lead:
        return _Parting(frame, after=False, why=UNIT)
    if _task(one) != _task(other):
        return _Parting(frame, after=False, why="task")
    if one.after.lead != other.after.lead or _followed(one, other):
        return _Parting(frame, after=True, why=UNIT)
    return None


def _followed(one: Frame, other: Frame) -> bool:
    """Whether somebody gave the case to the unit that the rulebook named, and the other rulebook names another."""
    lead, newly = one.after.lead, one.before is None or one.before.lead != one.after.lead
    return lead is not None and newly and lead == _choice(one.after) != _choice(other.after)


def _task(frame: Frame) -> str | None:
    """Whose share the question speaks of."""
    command = frame.asked.command
    wanted = command.inputs.task if isinstance(command, Act) else None
    tasks = frame.before.tasks if frame.before is not None else ()
    return next((task.unit for task in tasks if task.task_id == wanted), None)


def _pair(was: Life, life: Life, end: datetime) -> Pair | None:
    """Both cases where they are compared; None where the other rulebook did not even take the report."""
    if life.refused is not None:
        number = len(life.frames)
        before = was.frames[number].before
        elsewhere = before is not None and life.case is not None and before.lead != life.case.lead
        why = UNIT if elsewhere else f"refused:{_name(was.frames[number])}:{life.refused.code}"
        return _before(was, life, number, why)
    parting = _parted(was, life)
    if parting is not None and not parting.after:
        return _before(was, life, parting.frame, parting.why)
    if parting is not None:
        one, other = was.frames[parting.frame], life.frames[parting.frame]
        facts = tuple(was.facts[: one.facts_after]), tuple(life.facts[: other.facts_after])
        return Pair(one.after, other.after, *facts, one.asked.now, parting.why)
    if was.case is None or life.case is None:
        return None
    why = UNIT if was.case.lead != life.case.lead else ""
    return Pair(was.case, life.case, tuple(was.facts), tuple(life.facts), end, why)


def _before(was: Life, life: Life, frame: int, why: str) -> Pair | None:
    one = was.frames[frame]
    other = life.frames[frame] if frame < len(life.frames) else None
    after = other.before if other is not None else life.case
    if one.before is None or after is None:
        return None
    facts = life.facts[: other.facts_before] if other is not None else life.facts
    return Pair(one.before, after, tuple(was.facts[: one.facts_before]), tuple(facts), one.asked.now, why)


def _name(frame: Frame) -> str:
    command = frame.asked.command
    return command.action.value if isinstance(command, Act) else type(command).__name__


# --- one side -------------------------------------------------------------------------------------------------------
def _side(case: Case, facts: Sequence[Fact], at: datetime) -> Side:
    routed = case.routed
    return Side(
        choice=_choice(case),
        co_units=routed.co_units if routed is not None else (),
        line=routed.line if routed is not None else None,
        lead=case.lead,
        helping=co_units(case),
        tiers=tuple(_tiers(facts)),
        dues=tuple(_due(clock, at) for clock in case.clocks),
    )


def _choice(case: Case) -> str | None:
    """The unit that the rulebook itself chooses, whatever a file or a person said."""
    return case.routed.rulebook_lead if case.routed is not None else None


def _due(clock: Clock, at: datetime) -> Due:
    late = clock.kind not in WINDOWS and is_late(clock, at)
    return Due(clock.clock_id, clock.kind.value, clock.due_at, late)


def _tiers(facts: Iterable[Fact]) -> Iterator[str]:
    last: Tier | None = None
    for change in (change for fact in facts for change in fact.changes):
        tier = change.owner.tier if isinstance(change, OwnerChanged) else None
        tier = change.undo.tier if isinstance(change, Restored) else tier
        if tier is not None and tier is not last:
            yield tier.value
            last = tier


def _shifts(before: Sequence[Due], after: Sequence[Due]) -> Iterator[Shift]:
    """Limits that differ, those of the record first."""
    then, now = {due.clock_id: due for due in before}, {due.clock_id: due for due in after}
    for clock_id in dict.fromkeys((*then, *now)):
        one, other = then.get(clock_id), now.get(clock_id)
        kind = (one or now[clock_id]).kind
        due = one.due_at if one is not None else None
        would_be = other.due_at if other is not None else None
        if due != would_be:
            yield Shift(clock_id, kind, due, would_be)


# --- was it lived again as it had been? -----------------------------------------------------------------------------
def _fault(record: Record, life: Life) -> str | None:
    """Where the life under the case's own rulebook leaves the record; None: nowhere."""
    for recorded, lived in zip(record.facts, life.facts, strict=False):
        if _essence(recorded) != _essence(lived):
            return f"fact:{recorded.kind}"
    if life.refused is not None:
        return f"refused:{life.refused.code}"
    lived_through = len(life.facts) >= len(record.facts)
    return None if lived_through else f"missing:{record.facts[len(life.facts)].kind}"


def _essence(fact: Fact) -> tuple[object, ...]:
    """What happened, without who was told of it and without what later versions learned to say beside a choice."""
    changes = tuple(_plain(change) for change in fact.changes)
    return str(fact.kind), fact.at, fact.actor.account, fact.action, fact.reason, fact.op_id, changes


def _plain(change: Change) -> object:
    if isinstance(change, Routed):
        return change.lead, change.co_units, change.line, change.rulebook_lead
    if isinstance(change, RequestChanged):
        return replace(change.request, inputs=None, deciders=())
    if isinstance(change, Restored):
        return change.undo.rule, change.undo.at, change.undo.state, change.undo.owner, change.undo.lead
    return change
