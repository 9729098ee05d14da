"""并案: a duplicate becomes a part of its master, and stands for itself again when the merge is undone.

Two cases and more change together, yet each decides for itself: the duplicate's fact says by `consequences` which
command each of the others is given. Whoever carries a merge out holds all of them, in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.governance import sla
from services.governance.acts import (
    Absorb,
    Absorbed,
    Actor,
    CaseRef,
    Change,
    Classified,
    Clock,
    ClockChanged,
    ClockState,
    Command,
    Fact,
    FactKind,
    Follow,
    Followed,
    LetGo,
    OpenCase,
    Other,
    Release,
    Restored,
    Told,
    TookIn,
)
from services.governance.case.anytime import clocks_back
from services.governance.case.classify import allowed, is_restricted, propose
from services.governance.case.cotasks import PARENT
from services.governance.case.model import Case
from services.governance.case.terms import RESULT_KINDS, asked_by, begun, start_of
from services.governance.case.turn import Turn
from services.governance.cycle import LIVE, Action, ClockKind, State
from services.governance.errors import MasterCalmer, MasterEnded, MasterItself, MasterUnknown, TooLate
from services.governance.rulebook import Rulebook
from services.governance.sla import Allowance
from services.governance.tiers import is_urgent
from services.governance.worktime import Basis, spent

AFTER_CLOSE, FOLLOWS = "after_close", "follows"
_OWNER = (Told("owner"),)
_PARENTS = frozenset(PARENT.values())


def other_of(case: Case) -> Other:
    """What a duplicate must know of its master."""
    return Other(
        case=CaseRef(case.case_id, case.case_no),
        state=case.state,
        street=case.spot.street,
        urgency=case.urgency,
        history=case.history,
        closed_at=case.closed_at,
        absorbed=case.absorbed,
    )


# --- the duplicate --------------------------------------------------------------------------------------------------
def merge(turn: Turn) -> None:
    """The duplicate ends: its clocks stop, its tasks and requests end, its own duplicates go on to the master."""
    case, master = turn.case, _master(turn)
    owner, lead = case.owner, case.lead
    changes = turn.finish(State.MERGED, None)
    changes += [LetGo(case.absorbed)] if case.absorbed else []
    changes.append(Followed(master.case))
    tell = (*((Told("owner_before", owner.code),) if owner else ()), *((Told("HU", lead),) if lead else ()))
    turn.emit(FactKind.MERGED, changes, reason=turn.inputs.reason, tell=tell)


def _master(turn: Turn) -> Other:
    """Open, or closed so lately that the duplicate may be about what was done then. Danger never hides in a matter
    without it."""
    case, master = turn.case, turn.around.master
    if master is None or master.history or master.street != case.spot.street:
        raise MasterUnknown(turn.inputs.master)
    if master.case.case_id == case.case_id:
        raise MasterItself(master.case.case_no)
    within = timedelta(days=turn.book.settings.reopen_days)
    just_closed = master.state is State.CLOSED and turn.at <= (master.closed_at or turn.at) + within
    if master.state not in LIVE and not just_closed:
        raise MasterEnded(master.case.case_no)
    if is_urgent(case.urgency) and not is_urgent(master.urgency):
        raise MasterCalmer(master.case.case_no)
    return master


def unmerge(turn: Turn) -> None:
    """As if the merge had not been: state, tasks, requests, clocks that never stopped, its own duplicates. Those of
    them that have been taken out of the master meanwhile stay out."""
    case, undo, master = turn.case, turn.case.undo, turn.around.master
    if undo is None or master is None:
        raise TooLate("unmerge")
    back = _below(case.case_id, master.absorbed)
    restored = clocks_back(turn, undo)
    stood = {c.clock.clock_id: c.clock for c in restored}
    before = replace(case, clocks=tuple(stood.get(c.clock_id, c) for c in case.clocks), absorbed=undo.absorbed)
    changes: list[Change] = [Restored(undo), *restored]
    if back != undo.absorbed:
        changes += [*_restriction(turn, before, back), *_reckoned(turn, before, back)]
    changes += [Followed(None), *([TookIn(back)] if back else [])]
    turn.emit(FactKind.UNMERGED, changes, reason=turn.inputs.reason, tell=_OWNER)


def may_unmerge(case: Case, book: Rulebook, now: datetime, _actor: Actor) -> None:
    """Until the master may have been put away."""
    days = book.settings.archive_days - book.settings.reopen_days
    if case.undo is None or now > case.undo.at + timedelta(days=days):
        raise TooLate("unmerge")


def follow(turn: Turn, command: Follow) -> None:
    """The duplicate's master has become part of another case, or left it."""
    if turn.case.state is State.MERGED and turn.case.master != command.master:
        turn.who, turn.action = command.by, Action.MERGE
        turn.emit(FactKind.MERGED, [Followed(command.master)], reason=FOLLOWS)


# --- the master -----------------------------------------------------------------------------------------------------
def absorb(turn: Turn, command: Absorb) -> None:
    """The reports are the master's as well, and the stricter terms its own. A closed one stays closed: it notes what
    came after."""
    turn.who, turn.action = command.by, Action.MERGE
    reason = None if turn.case.state in LIVE else AFTER_CLOSE
    turn.emit(FactKind.ABSORBED, _taken_in(turn, command.duplicates), reason=reason, tell=_OWNER)


def terms_of(turn: Turn, command: OpenCase) -> list[Change]:
    """What a further report changes about the case that is known: what another authority wants counts beside it."""
    if not command.partner:
        return []
    meant = propose(command, turn.book)
    condition = turn.book.conditions.get(meant.condition or "")
    limit = condition.limit if condition else None
    return _taken_in(turn, (asked_by(command, turn.case.case_id, turn.at, limit, meant.restricted),))


def _taken_in(turn: Turn, duplicates: tuple[Absorbed, ...]) -> list[Change]:
    rows = (*turn.case.absorbed, *duplicates)
    return [TookIn(duplicates), *_restriction(turn, turn.case, rows), *_reckoned(turn, turn.case, rows)]


def release(turn: Turn, command: Release) -> None:
    """The reports leave the master, and its limits are as they would be without them."""
    case = turn.case
    gone = tuple(d for d in case.absorbed if d.case.case_id in command.case_ids)
    rows = tuple(d for d in case.absorbed if d not in gone)
    if not gone:
        return
    turn.who, turn.action = command.by, Action.UNMERGE
    changes: list[Change] = [LetGo(gone), *_restriction(turn, case, rows)]
    changes += _reckoned(turn, case, rows)
    turn.emit(FactKind.RELEASED, changes, tell=_OWNER)


def _restriction(turn: Turn, case: Case, rows: Sequence[Absorbed]) -> list[Change]:
    """A restricted matter stays so among open ones: all of the master is, for as long as it is part of it."""
    if [d.restricted for d in rows] == [d.restricted for d in case.absorbed]:
        return []
    restricted = is_restricted(turn.book.category_of(case.category), case.source, rows, turn.book)
    if restricted == case.restricted:
        return []
    return [Classified(case.category, case.condition, case.urgency, restricted, case.class_proposed)]


# --- clocks under other terms ---------------------------------------------------------------------------------------
def _reckoned(turn: Turn, case: Case, rows: Sequence[Absorbed]) -> list[Change]:
    """The clocks of a result that have not stopped, under the terms of `rows` instead of the case's own duplicates;
    shares that were due with them move along."""
    moved: dict[str, Clock] = {}
    for clock in case.clocks:
        if clock.kind not in RESULT_KINDS or clock.state is ClockState.STOPPED:
            continue
        new = _under(turn, case, clock, rows)
        if new != clock:
            moved[clock.clock_id] = new
            moved |= _shares(turn, case, clock, new) if clock.kind in _PARENTS else {}
    return [ClockChanged(clock, "recomputed") for clock in moved.values()]


def _under(turn: Turn, case: Case, clock: Clock, rows: Sequence[Absorbed]) -> Clock:
    """What was granted beside the limit (an extension, time for rework) stays granted."""
    book, urgency = turn.book, case.urgency
    condition = book.condition_of(case.condition, case.danger)
    before = allowed(turn, clock, condition, urgency, case.absorbed)
    earlier = begun(clock, start_of(case, clock, rows), book.calendar)
    after = allowed(turn, earlier, condition, urgency, rows)
    if before == after and earlier == clock:
        return clock
    seconds = clock.budget_s * after.seconds // before.seconds
    if clock.basis == before.basis == after.basis:
        seconds = clock.budget_s + after.seconds - before.seconds
    return sla.recompute(earlier, replace(after, seconds=max(1, seconds)), book, urgency)


def _shares(turn: Turn, case: Case, before: Clock, after: Clock) -> dict[str, Clock]:
    shares = (c for c in case.clocks if c.kind is ClockKind.CO_TASK and c.state is not ClockState.STOPPED)
    moved = {}
    for clock in shares:
        if clock.due_at == before.due_at or clock.due_at > after.due_at:
            left = spent(clock.started_at, after.due_at, clock.basis, turn.book.calendar)
            allowance = Allowance(max(1, left), Basis(clock.basis))
            moved[clock.clock_id] = sla.recompute(clock, allowance, turn.book, case.urgency)
    return moved


# --- what follows for the other cases -------------------------------------------------------------------------------
def consequences(before: Case | None, fact: Fact, book: Rulebook) -> tuple[tuple[str, Command], ...]:
    """Case id and command, for every other case that a fact of this one concerns."""
    if before is None:
        return ()
    own, by = CaseRef(before.case_id, before.case_no), fact.actor
    if fact.kind == FactKind.MERGED and before.state is not State.MERGED:
        master = next(c.master for c in fact.changes if isinstance(c, Followed) and c.master is not None)
        duplicates = (_as_duplicate(before, own, master, fact.at, book), *before.absorbed)
        followers = ((d.case.case_id, Follow(master, by)) for d in before.absorbed if d.case.case_no)
        return (master.case_id, Absorb(duplicates, by)), *followers
    if fact.kind == FactKind.UNMERGED and before.master is not None:
        back = tuple(d for c in fact.changes if isinstance(c, TookIn) for d in c.duplicates)
        ids = (before.case_id, *(d.case.case_id for d in back))
        followers = ((d.case.case_id, Follow(own, by)) for d in back if d.case.case_no)
        return (before.master.case_id, Release(ids, by)), *followers
    return ()


def _as_duplicate(case: Case, own: CaseRef, master: CaseRef, at: datetime, book: Rulebook) -> Absorbed:
    others = {report for d in case.absorbed for report in d.reports}
    condition = book.conditions.get(case.condition) if case.condition else None
    running = (c for c in case.clocks if c.kind in RESULT_KINDS and c.state is ClockState.RUNNING)
    return Absorbed(
        case=own,
        under=master.case_id,
        at=at,
        opened_at=case.opened_at,
        reports=tuple(r for r in case.reports if r not in others),
        reporter=case.reporter,
        restricted=case.restricted,
        limit=condition.limit if condition else None,
        dues=tuple((c.kind, c.due_at) for c in running),
    )


def _below(case_id: str, rows: Sequence[Absorbed]) -> tuple[Absorbed, ...]:
    """Those among `rows` that came with the case: merged into it, or into one that was."""
    found = {case_id}
    below = []
    for row in rows:  # whoever was merged into a duplicate stands behind it
        if row.under in found:
            found.add(row.case.case_id)
            below.append(row)
    return tuple(below)
