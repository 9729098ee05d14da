"""街道统筹: confirming, filing, refusing, dispatching, ruling; and 分级响应: signing, responding, returning."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.governance import sla
from services.governance.acts import (
    Actor,
    Change,
    Classified,
    Clock,
    ClockChanged,
    ClockStarted,
    ClockState,
    Counted,
    FactKind,
    FlagDropped,
    FlagRaised,
    HandledBy,
    LeadAssigned,
    Moved,
    OwnerChanged,
    Task,
    TaskGiven,
    TaskState,
    Told,
)
from services.governance.case.classify import chosen, counted_from, recomputed, routed_for, rule_flag
from services.governance.case.cotasks import close_task, co_units_given, drop_co_tasks, give_co_tasks, give_lead
from services.governance.case.model import Case, count_of, live_clock, open_tasks
from services.governance.case.terms import capped, strict
from services.governance.case.turn import Turn, owner_in, runs
from services.governance.cycle import Action, ClockKind, ClosedKind, Flag, MachineRule, Role, State
from services.governance.errors import InvalidInput, LimitReached, MissingInput, NotPermitted, TooLate
from services.governance.rulebook import Rulebook
from services.governance.sla import Allowance
from services.governance.worktime import Basis

MANY_HAND_OVERS = 3
_INTAKE = (ClockKind.STREET_ANSWER, ClockKind.FILE)


# --- confirming on site ---------------------------------------------------------------------------------------------
def confirm_request(turn: Turn) -> None:
    """Somebody looks before it is filed; intake waits."""
    nearest = turn.around.verifier
    by_rule = turn.inputs.person is None and nearest is not None
    person = turn.inputs.person or (nearest.account if nearest else None)
    changes = [*turn.to(State.CONFIRMING), *turn.by_desk()]
    changes += turn.hold(*_INTAKE)
    changes += turn.begin(ClockKind.CONFIRM)
    changes.append(TaskGiven(Task(turn.task_id(), "confirm", None, person, TaskState.DOING, turn.at)))
    tell = (Told(Role.GRID_WORKER.value, turn.case.spot.grid or ""),)
    turn.emit(FactKind.CONFIRM_REQUESTED, changes, tell=tell, rule=MachineRule.CHECK_TASK if by_rule else None)


def confirm_done(turn: Turn) -> None:
    changes = turn.to(State.AT_STREET)
    changes += turn.halt(ClockKind.CONFIRM)
    changes += [turn.task_as(t, TaskState.DONE) for t in open_tasks(turn.case, "confirm")]
    changes += turn.run_on()
    if live_clock(turn.case, ClockKind.FILE):
        changes.append(FlagRaised(Flag.ANSWERED))  # accepted before the visit, accepted after it
    turn.emit(FactKind.CONFIRMED, changes, tell=(Told(Role.INTAKE_CLERK.value, turn.case.spot.street),))


# --- filing and refusing --------------------------------------------------------------------------------------------
def file(turn: Turn) -> None:
    file_as(turn, chosen(turn))


def file_as(turn: Turn, classified: Classified, rule: MachineRule | None = None) -> None:
    """The condition is chosen: the whole-case due time counts from here, the dispatch clock starts."""
    case, book = turn.case, turn.book
    routed = routed_for(case, classified, book)
    changes: list[Change] = [classified, routed, *rule_flag(case, routed)]
    changes += turn.by_desk() if rule is None else []
    changes += turn.to(State.FILED)
    changes += turn.halt(*_INTAKE)
    changes += _dues_from_filing(turn, classified)
    changes += turn.begin(ClockKind.DISPATCH, _dispatch_time(turn, classified))
    tell = (Told(Role.DISPATCHER.value, case.spot.street),)
    if rule is None:
        turn.emit(FactKind.FILED, changes, tell=tell)
    else:
        turn.machine(FactKind.FILED, rule, changes, action=Action.AUTO_DISPATCH, tell=tell)


def _dues_from_filing(turn: Turn, classified: Classified) -> list[Change]:
    """The whole case from now. Filed once more: another class from the original start, and the same moves nothing."""
    case, whole = turn.case, live_clock(turn.case, ClockKind.WHOLE)
    if count_of(case, "sent_to_intake"):
        same = (case.condition, case.urgency) == (classified.condition, classified.urgency)
        return [] if same else recomputed(turn, classified, _INTAKE)
    if whole is None:
        return []
    book, duplicates = turn.book, case.absorbed
    condition = strict(book.condition_of(classified.condition, turn.case.danger), duplicates, turn.at, book)
    allowance = capped(counted_from(whole, condition, turn.at, book), whole, duplicates, book)
    return [ClockChanged(sla.recompute(whole, allowance, turn.book, classified.urgency), "recomputed")]


def _dispatch_time(turn: Turn, classified: Classified) -> Allowance:
    condition = turn.book.condition_of(classified.condition, turn.case.danger)
    return sla.allow(turn.book.limit_of(condition, ClockKind.DISPATCH), turn.at, turn.book)


def not_file(turn: Turn) -> None:
    changes = turn.finish(State.NOT_FILED, None)
    turn.emit(FactKind.NOT_FILED, changes, reason=turn.inputs.reason, tell=(Told("caller"),))


def decline(turn: Turn) -> None:
    changes = turn.finish(State.NOT_FILED, ClosedKind.DECLINED)
    turn.emit(FactKind.DECLINED, changes, reason=turn.inputs.reason, tell=(Told("caller"),))


def may_decline(case: Case, _book: Rulebook, _now: datetime, actor: Actor) -> None:
    """The clerk declines a first call; one made once more is the duty chief's to decide."""
    again = count_of(case, "called_again") > 0
    chief = any(p.role is Role.DUTY_CHIEF for p in actor.posts)
    clerk = any(p.role is Role.INTAKE_CLERK for p in actor.posts)
    if (again and not chief) or (not again and not clerk):
        raise NotPermitted(Action.DECLINE, "call_again" if again else "post")


def reclassify(turn: Turn) -> None:
    """Another class, urgency or place: due times from the original start, the old ones stay in the facts."""
    given, case = turn.inputs, turn.case
    changes = moved(turn)
    anew = given.category or given.condition or given.urgency
    if anew:
        classified = chosen(turn)
        changes += [classified, *recomputed(turn, classified)]
    elif changes:
        classified = Classified(case.category, case.condition, case.urgency, case.restricted, case.class_proposed)
    else:
        raise MissingInput("category")
    routed = routed_for(replace(case, spot=turn.around.place or case.spot), classified, turn.book)
    changes += [routed, *rule_flag(case, routed)]
    tell = (Told("owner"),) if given.cell else ()
    turn.emit(FactKind.RECLASSIFIED, changes, reason=given.reason, tell=tell)


def moved(turn: Turn) -> list[Change]:
    """The place corrected, and who answers for it there. Nothing where no place is given."""
    given, case, place = turn.inputs, turn.case, turn.around.place
    if not given.cell:
        return []
    if place is None or place.cell != given.cell or place.street != case.spot.street:
        raise InvalidInput("cell", given.cell)
    changes: list[Change] = [Moved(place)]
    owner = owner_in(replace(case, spot=place), case.state, case.lead)
    changes += [OwnerChanged(owner)] if owner is not None and owner != case.owner else []
    changes += [FlagDropped(Flag.CROSS_BORDER)] if Flag.CROSS_BORDER in case.flags else []
    return changes


# --- dispatching ----------------------------------------------------------------------------------------------------
def dispatch(turn: Turn) -> None:
    lead = _lead_given(turn)
    assign(turn, lead, co_units_given(turn, lead), FactKind.DISPATCHED)


def file_dispatch(turn: Turn) -> None:
    """Both posts in one hand: one form, two facts."""
    classified = chosen(turn)
    lead = _lead_given(turn, routed_for(turn.case, classified, turn.book).lead)
    co_units = co_units_given(turn, lead)
    file_as(turn, classified)
    assign(turn, lead, co_units, FactKind.DISPATCHED)


def _lead_given(turn: Turn, proposed: str | None = None) -> str:
    """Exactly one known unit; a reason where it is not the one proposed."""
    unit = turn.inputs.lead_unit or ""
    turn.book.require_unit(unit)
    routed = turn.case.routed
    expected = proposed or (routed.lead if routed else None)
    if unit != expected and not turn.inputs.reason:
        raise MissingInput("reason")
    return unit


def assign(turn: Turn, lead: str, co_units: tuple[str, ...], kind: FactKind, rule: MachineRule | None = None) -> None:
    """One lead, any co-units: handling and response run from now; a handling clock that runs already runs on."""
    changes = turn.to(State.DISPATCHED, lead)
    changes += turn.halt(ClockKind.DISPATCH)
    running = live_clock(turn.case, ClockKind.HANDLING)
    begun = [] if running else turn.begin(ClockKind.HANDLING)
    handling = running or next((c.clock for c in begun if isinstance(c, ClockStarted)), None)
    changes += begun
    changes += turn.begin(ClockKind.RESPONSE)
    changes += _window(turn, handling)
    changes += give_lead(turn, lead)
    changes += give_co_tasks(turn, co_units, handling, offset=1)
    changes += handed_over(turn)
    tell = tuple(Told("HU", unit) for unit in (lead, *co_units))
    if rule is None:
        turn.emit(kind, changes, reason=turn.inputs.reason, tell=tell)
    else:
        turn.machine(kind, rule, changes, action=Action.AUTO_DISPATCH, tell=tell)


def handed_over(turn: Turn) -> list[Change]:
    """Counted; what has been handed over too often stands as hard, on the committee's next agenda."""
    many = count_of(turn.case, "hand_overs") + 1 >= MANY_HAND_OVERS and Flag.HARD not in turn.case.flags
    return [Counted("hand_overs"), *([FlagRaised(Flag.HARD)] if many else [])]


def _window(turn: Turn, handling: Clock | None) -> list[Change]:
    if handling is None or count_of(turn.case, "rulings") or not runs(turn.case.nature, ClockKind.RETURN_WINDOW):
        return []
    limit = Allowance(handling.budget_s, Basis(handling.basis))
    return turn.begin(ClockKind.RETURN_WINDOW, sla.return_window(limit, turn.at, turn.book))


def redispatch(turn: Turn) -> None:
    """Another lead; handling and whole-case clock run on."""
    lead = turn.inputs.lead_unit or ""
    turn.book.require_unit(lead)
    if lead == turn.case.lead:
        raise InvalidInput("lead_unit", lead)
    _hand_over(turn, lead, FactKind.REDISPATCHED, drop_co=bool(turn.inputs.co_units))


def _hand_over(turn: Turn, lead: str, kind: FactKind, *, drop_co: bool) -> None:
    """The case goes to a lead with a response clock of its own; open shares stay unless new ones are named."""
    case, co_units = turn.case, co_units_given(turn, lead)
    changes = turn.to(State.DISPATCHED, lead)
    changes += turn.halt(ClockKind.RESPONSE, ClockKind.RETURN_WINDOW, ClockKind.RULING)
    changes += turn.drop_tasks("lead")
    kept = [t for t in open_tasks(case, "co") if not drop_co or t.unit in co_units]
    for task in open_tasks(case, "co"):
        if task not in kept or task.unit == lead:
            changes += close_task(turn, task, TaskState.DROPPED)
    handling = live_clock(case, ClockKind.HANDLING)
    changes += turn.begin(ClockKind.RESPONSE)
    if kind is FactKind.REDISPATCHED:
        changes += _window(turn, handling)
    changes += give_lead(turn, lead)
    new = tuple(u for u in co_units if u not in {t.unit for t in kept})
    changes += give_co_tasks(turn, new, handling, offset=1)
    changes += [Counted("rulings")] if kind is FactKind.RULED else []
    changes += handed_over(turn) if lead != case.lead else []
    told = dict.fromkeys((lead, *new, case.lead or lead))
    turn.emit(kind, changes, reason=turn.inputs.reason, tell=tuple(Told("HU", u) for u in told))


# --- the lead unit's first acts -------------------------------------------------------------------------------------
def sign(turn: Turn) -> None:
    """Taken note of. Stops no clock."""
    turn.emit(FactKind.SIGNED, [FlagRaised(Flag.SIGNED)])


def unsigned(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if Flag.SIGNED in case.flags:
        raise LimitReached("sign")


def respond(turn: Turn) -> None:
    """On site, by phone or remotely. Stops the response clock and no other."""
    changes = turn.to(State.HANDLING)
    changes += turn.halt(ClockKind.RESPONSE)
    if turn.who.account is not None:
        changes.append(HandledBy(turn.who.account))
    turn.emit(FactKind.RESPONDED, changes, reason=turn.inputs.means)


def return_case(turn: Turn) -> None:
    """The first time back to the dispatcher, the second time to a ruling; handling runs on."""
    turn.book.require_unit(turn.inputs.suggested_unit or "")
    case = turn.case
    changes: list[Change] = [Counted("returns")]
    if count_of(case, "returns") == 0:
        changes += turn.to(State.FILED)
        changes += [LeadAssigned(None), *turn.drop_tasks("lead"), *drop_co_tasks(turn)]
        changes += turn.halt(ClockKind.RESPONSE, ClockKind.RETURN_WINDOW)
        changes += turn.begin(ClockKind.DISPATCH)
        tell = (Told(Role.DISPATCHER.value, case.spot.street),)
    else:
        changes += turn.to(State.DISPUTED)
        changes += turn.halt(ClockKind.RESPONSE, ClockKind.RETURN_WINDOW)
        changes += turn.begin(ClockKind.RULING)
        tell = (Told(Role.DUTY_CHIEF.value, case.spot.street),)
    turn.emit(FactKind.RETURNED, changes, reason=turn.inputs.reason, tell=tell)


def send_to_intake(turn: Turn) -> None:
    """What a unit gave back is looked at once more from the start; its handling clock runs on."""
    changes: list[Change] = [Counted("sent_to_intake"), *turn.to(State.AT_STREET)]
    changes += turn.halt(ClockKind.DISPATCH)
    changes += turn.begin(ClockKind.STREET_ANSWER)
    tell = (Told(Role.INTAKE_CLERK.value, turn.case.spot.street),)
    turn.emit(FactKind.SENT_DOWN, changes, reason=turn.inputs.reason, tell=tell)


def came_back(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    """Once for each time that a unit returned it."""
    returned = count_of(case, "returns")
    if not returned:
        raise NotPermitted(Action.SEND_DOWN, "not_returned")
    if count_of(case, "sent_to_intake") >= returned:
        raise LimitReached("send_down")


def inside_window(case: Case, _book: Rulebook, now: datetime, _actor: Actor) -> None:
    """Objecting has its time, and a ruling is final."""
    if count_of(case, "rulings"):
        raise LimitReached("return")
    window = live_clock(case, ClockKind.RETURN_WINDOW)
    if window is None or window.state is not ClockState.RUNNING or now > window.due_at:
        raise TooLate("return_window")


def rule(turn: Turn) -> None:
    lead = turn.inputs.lead_unit or ""
    turn.book.require_unit(lead)
    _hand_over(turn, lead, FactKind.RULED, drop_co=bool(turn.inputs.co_units))


def ruling_post(case: Case) -> Role:
    """The duty chief rules first; after that, and once the case has been handed over too often, a street leader."""
    leader = count_of(case, "rulings") > 0 or count_of(case, "hand_overs") >= MANY_HAND_OVERS
    return Role.STREET_LEADER if leader else Role.DUTY_CHIEF


def may_rule(case: Case, _book: Rulebook, _now: datetime, actor: Actor) -> None:
    if not any(post.role is ruling_post(case) for post in actor.posts):
        raise NotPermitted(Action.RULE, "ruling")


def can_auto_dispatch(turn: Turn) -> bool:
    """Reported by an employee, inside the street, nothing like it near, of a plain class that is not restricted."""
    case, book = turn.case, turn.book
    category = book.category_of(case.category)
    plain = category is not None and category.auto_dispatch and not case.restricted
    known = case.spot.community is not None
    return plain and known and case.staff and not turn.around.near and book.does(MachineRule.DISPATCH)
