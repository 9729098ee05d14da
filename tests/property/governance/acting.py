"""I11 to I20: what is done to a case, by whom, and who may know."""

from __future__ import annotations

from collections.abc import Sequence

from services.governance.acts import (
    Actor,
    ClockChanged,
    ClockStarted,
    ClockState,
    FactKind,
)
from services.governance.case import Case, evolve, offers, stage_of
from services.governance.case.sight import Sight
from services.governance.cycle import (
    CYCLE,
    LIVE,
    Action,
    ClockKind,
    Flag,
    Intent,
    MachineRule,
    Role,
    State,
    Tier,
    stage_of_state,
)
from services.governance.tiers import HEIGHT
from tests.property.governance.history import Step

K = FactKind
CALLS = {K.REPORTED, K.CALLED, K.SENT_DOWN, K.WHISTLE_REFUSED, K.RECALLED, K.REOPENED, K.UNMERGED}
BY_PEOPLE_ALONE = {
    *(K.NOT_FILED, K.DECLINED, K.MERGED, K.RULED, K.RETURNED, K.ANSWERED, K.VERIFIED, K.VERIFY_FAILED, K.VOIDED),
    *(K.EXTENDED, K.SUSPENDED, K.EXEMPTED, K.REQUEST_DENIED, K.UNFOUNDED, K.WHISTLE_REQUESTED, K.UNMERGED),
}
TAKEN_BACK_FOR_TEN_MINUTES = {
    *(MachineRule.ALERT_URGENT, MachineRule.CALL_UP_GRID, MachineRule.CALL_UP_COMMUNITY, MachineRule.DISPATCH),
    *(MachineRule.RESUME_REVIEW, MachineRule.CLOSE),
}
UNIT_ROLES = {Role.HANDLING_UNIT, Role.MEMBER_UNIT}
STREET_ROLES = {Role.INTAKE_CLERK, Role.DISPATCHER, Role.DUTY_CHIEF, Role.STREET_LEADER}


# --- I11 … I15 -------------------------------------------------------------------------------------------------------
def the_same_act_works_once(step: Step) -> None:
    """I11: an act counts once by (case, action, op_id)."""
    fact, before = step.fact, step.before
    assert len(step.after.operations) == len(set(step.after.operations))
    if fact.op_id is None or fact.action is None:
        return
    operation = f"{fact.action.value}:{fact.op_id}"
    assert operation in step.after.operations, "it will be done again"
    others = [one for one in step.commit if (one.action, one.op_id) == (fact.action, fact.op_id)]
    assert before is None or operation not in before.operations or len(others) > 1, "done again"


def replay_gives_the_row(step: Step) -> None:
    """I12: replaying the facts gives the same case."""
    if not step.last:
        return
    again: Case | None = None
    for fact in step.past.facts:
        again = evolve(again, fact)
    assert again == step.after, "replayed, it is another case"


def the_stage_follows_from_the_state(step: Step) -> None:
    """I13: the stage is a function of the state; of a suspended case, of the state before."""
    case = step.after
    own = CYCLE[case.state].stage
    assert stage_of(case) is (own if own is not None else stage_of_state(case.state, case.state_before))
    if case.state is State.SUSPENDED:
        assert stage_of(case) is CYCLE[State.HANDLING].stage
    assert stage_of(case).value not in dict(case.skipped), "walked and skipped"
    if case.state in LIVE and not case.history:
        assert case.owner is not None
        assert case.owner.tier is case.tier
        assert CYCLE[case.state].tier in (None, case.tier)


def the_tier_moves_by_calls_alone(step: Step) -> None:
    """I14: the owner's tier changes by a call, a signed whistle or its answer; never by lateness."""
    before, fact = step.before, step.fact
    if before is None or before.tier is step.after.tier:
        return
    signed = fact.kind is K.ESCALATED and fact.intent is Intent.WHISTLE and fact.actor.account is not None
    assert fact.kind in CALLS or signed, "the tier has moved"


def every_clock_has_a_ladder(step: Step) -> None:
    """I15: every kind of clock in the rulebook has a ladder, and a clock that starts stands on it."""
    ladders = step.past.book.ladders
    assert set(ladders) == set(ClockKind)
    for change in step.fact.changes:
        if isinstance(change, ClockStarted):
            steps = ladders[change.clock.kind].steps
            acts = {one.act.value for one in steps}
            assert {rung.act for rung in change.clock.rungs} <= acts
            assert change.clock.rungs, f"{change.clock.kind} has nothing to be reminded by"


# --- I16 … I20 -------------------------------------------------------------------------------------------------------
def what_only_people_do(step: Step) -> None:
    """I16: refusing, merging, ruling, whistling, approving, checking and voiding carry a person."""
    whistle = step.fact.kind is K.ESCALATED and step.fact.intent is Intent.WHISTLE
    if step.fact.kind in BY_PEOPLE_ALONE or whistle:
        assert step.fact.actor.account is not None


def what_the_machine_does(step: Step) -> None:
    """I17: rule and version, and a way back for ten minutes."""
    fact, after = step.fact, step.after
    if fact.actor.account is not None or fact.kind in (K.REPORT_ATTACHED, K.WITHDRAWN, K.URGED, K.VISITED, K.NOTED):
        return
    if fact.actor.role is not None:
        return  # a resident, known by the report alone
    if fact.kind is K.DUE_RECOMPUTED:  # its ground is the calendar: which one, and what was due before
        moved = [change for change in fact.changes if isinstance(change, ClockChanged)]
        assert moved, "nothing has moved"
        assert all(one.was is not None and one.was.calendar_rev != one.clock.calendar_rev for one in moved)
        return
    assert fact.rule is not None, "no rule"
    assert fact.rule.rulebook == after.rulebook, fact.rule
    if fact.rule.rule in TAKEN_BACK_FOR_TEN_MINUTES:
        assert after.undo is not None, "no way back"
        assert after.undo.rule == fact.rule.rule
        back = [a for a in step.past.people if _may_recall(after, a, step)]
        assert back or not step.last or not _holders(after, step.past.people), "nobody may take it back"


def _may_recall(case: Case, actor: Actor, step: Step) -> bool:
    return any(offer.action is Action.RECALL for offer in offers(case, actor, step.past.book, step.fact.at))


def _holders(case: Case, people: Sequence[Actor]) -> list[Actor]:
    """Who held the state before: the act would be theirs to take back."""
    assert case.undo is not None
    roles = CYCLE[case.undo.state].owner
    areas = ("", case.spot.street, case.spot.community, case.spot.grid)
    recallers = {Role.GRID_SECRETARY, Role.COMMUNITY_SECRETARY, Role.INTAKE_CLERK, Role.DUTY_CHIEF}
    wanted = recallers & set(roles)
    return [a for a in people if any(p.role in wanted and p.area in areas for p in a.posts)]


def signing_stops_nothing(step: Step) -> None:
    """I18: sign stops no clock, respond exactly the response clock."""
    if step.before is None or step.fact.kind not in (K.SIGNED, K.RESPONDED):
        return
    was = {c.clock_id: c for c in step.before.clocks if c.state is not ClockState.STOPPED}
    now = {c.clock_id: c for c in step.after.clocks if c.state is not ClockState.STOPPED}
    stopped = {was[key].kind for key in was.keys() - now.keys()}
    assert now.keys() <= was.keys(), "something has started"
    assert stopped <= ({ClockKind.RESPONSE} if step.fact.kind is K.RESPONDED else set()), stopped
    assert all(now[key].due_at == was[key].due_at for key in now), "a due time has moved"
    if step.fact.kind is K.RESPONDED:
        assert not any(c.kind is ClockKind.RESPONSE for c in now.values()), "the response clock runs on"


def danger_decides_no_basis(step: Step) -> None:
    """I19: urgency changes no basis: under the same condition the handling limit and its due time stay."""
    before, after = step.before, step.after
    if before is None or step.fact.kind is not K.RECLASSIFIED or before.condition != after.condition:
        return
    if any(fact.kind in (K.ABSORBED, K.UNMERGED) for fact in step.past.facts):
        return  # of several limits the strictest holds, and which one that is may change
    kept = {c.clock_id: (c.basis, c.due_at, c.budget_s) for c in before.clocks if c.kind is ClockKind.HANDLING}
    now = {c.clock_id: (c.basis, c.due_at, c.budget_s) for c in after.clocks}
    assert all(now[key] == kept[key] for key in kept), "danger has moved the handling clock"
    bases = {c.clock_id: c.basis for c in before.clocks}
    changed = [(c.kind, bases[c.clock_id], c.basis) for c in after.clocks if bases.get(c.clock_id, c.basis) != c.basis]
    assert not changed, f"danger has changed a basis: {changed} under {after.condition}"


def restricted_is_restricted(step: Step) -> None:
    """I20: outside owner chain and mediator a restricted case shows class and community only."""
    case = step.after
    if not case.restricted or case.history or not step.last:
        return
    for actor in step.past.people:
        if step.past.sight(case, actor) is Sight.FULL:
            assert _in_the_chain(case, actor), f"{actor.account} sees all of it"


def _in_the_chain(case: Case, actor: Actor) -> bool:
    """Reported or worked on it; holds it, held it below, or is asked to check it."""
    persons = {case.reporter, *case.handlers, *(t.person for t in case.tasks), getattr(case, "mediator", None)}
    if actor.account in persons:
        return True
    units = {case.lead, *(t.unit for t in case.tasks)}
    spot, height = case.spot, HEIGHT[case.tier]
    for post in actor.posts:
        here = post.area in ("", spot.street, spot.community, spot.grid)
        if post.role in UNIT_ROLES and post.unit in units:
            return True
        if here and post.role in (Role.GRID_WORKER, Role.GRID_SECRETARY):
            return True
        if here and post.role is Role.COMMUNITY_SECRETARY and height >= HEIGHT[Tier.COMMUNITY]:
            return True
        if here and post.role in STREET_ROLES and height >= HEIGHT[Tier.STREET]:
            return True
        if post.role is Role.VERIFIER and case.state in (
            State.CONFIRMING,
            State.FED_BACK,
            State.VERIFIED,
            State.CLOSED,
        ):
            return True
        if post.role is Role.DISTRICT and (case.tier is Tier.DISTRICT or Flag.PLATFORM_NOTICED in case.flags):
            return True
    return False
