"""Which of an actor's posts allows something on a case."""

from __future__ import annotations

from collections.abc import Iterable

from services.governance.acts import Actor, ActorRef, Post
from services.governance.case.model import OPEN_TASKS, Case
from services.governance.cycle import State, Tier
from services.governance.moves import Grant, Scope


def permit(case: Case, actor: Actor, grants: Iterable[Grant]) -> tuple[Grant, ActorRef] | None:
    """The first grant that one of the actor's posts meets, with the actor as the fact will name him."""
    for grant in grants:
        for post in actor.posts:
            if post.role is grant.role and within(case, actor, post, grant.scope) and _also(actor, grant):
                return grant, ActorRef(actor.account, post.role, post.unit)
        if grant.scope is Scope.OWN and owns(case, actor):
            return grant, ActorRef(actor.account, grant.role)
    return None


def within(case: Case, actor: Actor, post: Post, scope: Scope) -> bool:
    """Whether the post counts for the case in that scope."""
    match scope:
        case Scope.AREA | Scope.STREET:
            return covers(case, post.area)
        case Scope.LEAD:
            return post.unit is not None and post.unit == case.lead
        case Scope.CO:
            return post.unit is not None and has_task(case, "co", post.unit)
        case Scope.TASK:
            return any(t.person == actor.account and t.state in OPEN_TASKS for t in case.tasks)
        case Scope.OWN:
            return owns(case, actor)
        case Scope.DISTRICT:
            return case.tier is Tier.DISTRICT or case.state in (State.AT_DISTRICT, State.DISTRICT_HANDLING)


def covers(case: Case, area: str) -> bool:
    """Whether an area code (grid, community, street or '' for all) is one that the case's place lies in."""
    spot = case.spot
    return area in ("", spot.street, spot.community, spot.grid)


def owns(case: Case, actor: Actor) -> bool:
    """Whether the actor reported it: by account, or by a reporter's post whose `unit` names one of its reports.

    A resident has no account here; the service that checked the receipt names the report in the post.
    """
    if actor.account in reporters(case):
        return True
    return any(p.unit is not None and p.unit in case.reports for p in actor.posts if p.role.value == "RP")


def reporters(case: Case) -> frozenset[str]:
    """The accounts of those on the staff who reported it, or what was merged into it."""
    return frozenset(who for who in (case.reporter, *(d.reporter for d in case.absorbed)) if who is not None)


def has_task(case: Case, kind: str, unit: str) -> bool:
    """Whether the unit has an open task of that kind."""
    return any(t.unit == unit and t.kind == kind and t.state in OPEN_TASKS for t in case.tasks)


def _also(actor: Actor, grant: Grant) -> bool:
    return not grant.also or any(p.role in grant.also for p in actor.posts)
