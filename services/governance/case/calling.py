"""网格发现 and 社区呼叫: settling in the grid, calling up, answering, sending down."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.governance import sla
from services.governance.acts import (
    Actor,
    Change,
    ClockChanged,
    ClockStarted,
    ClosedAs,
    Counted,
    FactKind,
    FlagDropped,
    FlagRaised,
    HandledBy,
    Skipped,
    Spot,
    Told,
)
from services.governance.case.cotasks import co_units_given, drop_co_tasks, give_co_tasks
from services.governance.case.model import Case, clock_of, count_of, live_clock
from services.governance.case.permits import covers
from services.governance.case.turn import Turn
from services.governance.cycle import Action, ClockKind, ClosedKind, Flag, Role, Stage, State, Tier
from services.governance.errors import InvalidInput, LimitReached, NotPermitted, NotYet, TooLate, Unsettled, UrgentCase
from services.governance.rulebook import Rulebook
from services.governance.tiers import is_urgent

_AFTER_GRID = (Stage.COMMUNITY_CALL, Stage.COORDINATION, Stage.RESPONSE, Stage.DISPOSAL)
_AFTER_COMMUNITY = _AFTER_GRID[1:]
_AWAITED = {
    State.REPORTED: (ClockKind.GRID_RESPONSE,),
    State.AT_COMMUNITY: (ClockKind.COMMUNITY_RESPONSE, ClockKind.COMMUNITY_DISPOSAL),
    State.AT_STREET: (ClockKind.STREET_ANSWER, ClockKind.FILE),
}


# --- parts shared with the machine's calls --------------------------------------------------------------------------
def into_community(turn: Turn) -> list[Change]:
    """The community holds the case and its answer clock starts."""
    changes = turn.to(State.AT_COMMUNITY)
    changes += turn.halt_stage()
    return changes + turn.begin(ClockKind.COMMUNITY_RESPONSE)


def into_street(turn: Turn) -> list[Change]:
    """The street holds the case; shares given by the community end; its answer clock starts."""
    changes = turn.to(State.AT_STREET)
    changes += drop_co_tasks(turn)
    changes += turn.halt_all(frozenset({ClockKind.WHOLE, ClockKind.SUPERVISION, ClockKind.REPLY, ClockKind.CO_TASK}))
    return changes + turn.begin(ClockKind.STREET_ANSWER)


def told_street(case: Case) -> tuple[Told, ...]:
    return (Told(Role.INTAKE_CLERK.value, case.spot.street),)


def told_community(case: Case) -> tuple[Told, ...]:
    return (Told(Role.COMMUNITY_SECRETARY.value, case.spot.community or ""),)


def told_branch(spot: Spot) -> tuple[Told, ...]:
    """The branch secretary and the workers of the grid; nobody where there is no grid."""
    posts = (Role.GRID_SECRETARY.value, Role.GRID_WORKER.value)
    return tuple(Told(post, spot.grid) for post in posts) if spot.grid else ()


def told_all_tiers(case: Case) -> tuple[Told, ...]:
    """Branch, community and street at once."""
    return (
        *told_branch(case.spot),
        *told_community(case),
        *told_street(case),
        Told(Role.DUTY_CHIEF.value, case.spot.street),
    )


def direct_skip(case: Case) -> list[Change]:
    """紧急直呼: the community step was not walked, where it was not."""
    walked = clock_of(case, ClockKind.COMMUNITY_RESPONSE) is not None
    return [] if walked else [Skipped(((Stage.COMMUNITY_CALL.value, "direct"),))]


# --- the grid -------------------------------------------------------------------------------------------------------
def self_resolve_start(turn: Turn) -> None:
    changes = turn.to(State.GRID_HANDLING)
    changes += turn.halt(ClockKind.GRID_RESPONSE)
    changes += turn.begin(ClockKind.GRID_DISPOSAL)
    turn.emit(FactKind.SELF_RESOLVING, changes)


def self_resolve_done(turn: Turn) -> None:
    settle_in_grid(turn, turn.inputs.means)


def settle_in_grid(turn: Turn, means: str | None) -> None:
    """管 扫 劝 帮: settled where it was found; the steps after it are not walked."""
    changes = turn.finish(State.CLOSED, ClosedKind.SELF)
    changes.append(Skipped(tuple((stage.value, "grid") for stage in _AFTER_GRID)))
    changes += turn.sampled()
    if turn.who.account is not None:
        changes.append(HandledBy(turn.who.account))
    turn.emit(FactKind.SELF_RESOLVED, changes, reason=means)


def not_urgent(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if is_urgent(case.urgency):
        raise UrgentCase


def not_hard(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    """What comes back again and again is not swept away once more: it is called up."""
    if Flag.HARD in case.flags:
        raise LimitReached("recurrence")


def settled(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    """A case does not end while an order to answer stands unanswered."""
    if Flag.SUPERVISED in case.flags:
        raise Unsettled("supervision")


# --- calling up -----------------------------------------------------------------------------------------------------
def call_community(turn: Turn) -> None:
    turn.emit(FactKind.CALLED, into_community(turn), reason=turn.inputs.reason, tell=told_community(turn.case))


def has_community(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if case.spot.community is None:
        raise InvalidInput("community")


def branch_has_spoken(case: Case, book: Rulebook, now: datetime, actor: Actor) -> None:
    """The branch secretary calls at any time, a grid worker once the branch has been silent; before, he asks."""
    if any(p.role is Role.GRID_SECRETARY and covers(case, p.area) for p in actor.posts):
        return
    if case.state is State.REPORTED and now < case.opened_at + timedelta(seconds=book.settings.branch_silent_s):
        raise NotYet("branch_silent")


def call_street(turn: Turn) -> None:
    turn.emit(FactKind.CALLED, into_street(turn), reason=turn.inputs.reason, tell=told_street(turn.case))


def call_again(turn: Turn) -> None:
    """The caller says what the refusal overlooked; the whole-case clock ran on meanwhile."""
    changes: list[Change] = [Counted("called_again"), ClosedAs(None)]
    changes += turn.to(State.AT_STREET)
    whole = clock_of(turn.case, ClockKind.WHOLE)
    if whole is not None:
        changes.append(ClockChanged(sla.revive(whole), "resumed"))
    changes += turn.begin(ClockKind.STREET_ANSWER)
    turn.emit(FactKind.CALLED, changes, reason="again", tell=(Told(Role.DUTY_CHIEF.value, turn.case.spot.street),))


def may_call_again(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if case.closed_as is not ClosedKind.DECLINED:
        raise TooLate("call_again")
    if count_of(case, "called_again"):
        raise LimitReached("call_again")


# --- answering ------------------------------------------------------------------------------------------------------
def answer_community(turn: Turn) -> None:
    changes: list[Change] = [FlagRaised(Flag.ANSWERED), *turn.halt(ClockKind.COMMUNITY_RESPONSE)]
    turn.emit(FactKind.ANSWERED, changes + turn.begin(ClockKind.COMMUNITY_DISPOSAL))


def answer_street(turn: Turn) -> None:
    changes: list[Change] = [FlagRaised(Flag.ANSWERED), *turn.by_desk(), *turn.halt(ClockKind.STREET_ANSWER)]
    turn.emit(FactKind.ANSWERED, changes + turn.begin(ClockKind.FILE))


def unanswered(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if Flag.ANSWERED in case.flags:
        raise LimitReached("answer")


def accept(turn: Turn) -> None:
    """The community takes it on, alone or with co-units of its own; counts as the answer."""
    units = co_units_given(turn, None)
    changes = turn.to(State.COMMUNITY_HANDLING)
    changes += turn.halt(ClockKind.COMMUNITY_RESPONSE)
    running = live_clock(turn.case, ClockKind.COMMUNITY_DISPOSAL)
    begun = [] if running else turn.begin(ClockKind.COMMUNITY_DISPOSAL)
    changes += begun
    parent = running or next((c.clock for c in begun if isinstance(c, ClockStarted)), None)
    changes += give_co_tasks(turn, units, parent)
    if turn.who.account is not None:
        changes.append(HandledBy(turn.who.account))
    turn.emit(FactKind.ACCEPTED, changes, tell=tuple(Told("HU", u) for u in units))


def unfounded(turn: Turn) -> None:
    changes = turn.finish(State.CLOSED, ClosedKind.UNFOUNDED)
    changes.append(Skipped(tuple((stage.value, "community") for stage in _AFTER_COMMUNITY)))
    changes += turn.sampled()
    turn.emit(FactKind.UNFOUNDED, changes)


# --- sending down ---------------------------------------------------------------------------------------------------
def send_to_grid(turn: Turn) -> None:
    changes: list[Change] = [Counted("send_downs:T0"), *turn.to(State.REPORTED), *turn.halt_stage()]
    changes += turn.begin(ClockKind.GRID_RESPONSE)
    tell = (Told(Role.GRID_SECRETARY.value, turn.case.spot.grid or ""),)
    turn.emit(FactKind.SENT_DOWN, changes, reason=turn.inputs.reason, tell=tell)


def send_to_community(turn: Turn) -> None:
    changes: list[Change] = [Counted("send_downs:T1"), *into_community(turn)]
    turn.emit(FactKind.SENT_DOWN, changes, reason=turn.inputs.reason, tell=told_community(turn.case))


def may_send_down(case: Case, book: Rulebook, now: datetime, actor: Actor) -> None:
    """Once per edge, never an urgent case, only what the admission list leaves with the lower tier."""
    not_urgent(case, book, now, actor)
    lower = Tier.GRID if case.state is State.AT_COMMUNITY else Tier.COMMUNITY
    if count_of(case, f"send_downs:{lower.value}"):
        raise LimitReached("send_down")
    category = book.category_of(case.category)
    reachable = case.spot.grid if lower is Tier.GRID else case.spot.community
    if reachable is None or (category is not None and lower not in category.admitted):
        raise NotPermitted(Action.SEND_DOWN, "admission")


# --- asking for more ------------------------------------------------------------------------------------------------
def ask_more(turn: Turn) -> None:
    """The stage clock waits, at most as long as the rulebook says; the whole-case clock does not."""
    changes: list[Change] = [FlagRaised(Flag.AWAITING_MORE), *turn.hold(*_AWAITED[turn.case.state])]
    changes += turn.begin(ClockKind.MORE)
    turn.emit(FactKind.MORE_ASKED, changes, tell=(Told("caller"),))


def may_ask_more(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if Flag.AWAITING_MORE in case.flags:
        raise LimitReached("ask_more")


def add_info(turn: Turn) -> None:
    turn.emit(FactKind.MORE_GIVEN, more_ends(turn), tell=(Told("owner"),))


def more_ends(turn: Turn) -> list[Change]:
    """Answered or not: the stage clock runs on."""
    changes: list[Change] = [FlagDropped(Flag.AWAITING_MORE), *turn.halt(ClockKind.MORE)]
    return changes + turn.run_on()


def more_was_asked(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if Flag.AWAITING_MORE not in case.flags:
        raise TooLate("add_info")
