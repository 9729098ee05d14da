"""Who sees how much of a case. Restricted matters show their owner chain everything, everybody else class and
community."""

from __future__ import annotations

from enum import StrEnum

from services.governance.acts import Actor, Post
from services.governance.case.model import OPEN_TASKS, Case
from services.governance.case.permits import covers, owns
from services.governance.cycle import Flag, Role, State, Tier
from services.governance.tiers import HEIGHT

_AREA_ROLES = {
    Role.GRID_WORKER: Tier.GRID,
    Role.GRID_SECRETARY: Tier.GRID,
    Role.COMMUNITY_SECRETARY: Tier.COMMUNITY,
    Role.INTAKE_CLERK: Tier.STREET,
    Role.DISPATCHER: Tier.STREET,
    Role.DUTY_CHIEF: Tier.STREET,
    Role.STREET_LEADER: Tier.STREET,
}
_UNIT_ROLES = frozenset({Role.HANDLING_UNIT, Role.MEMBER_UNIT})
_CHECKED = frozenset({State.CONFIRMING, State.FED_BACK, State.VERIFIED})


class Sight(StrEnum):
    FULL = "full"
    CLASS_ONLY = "class_only"  # category and community
    NONE = "none"


def may_see(case: Case, actor: Actor) -> Sight:
    """The most that one of the actor's posts allows."""
    if owns(case, actor) or _has_task(case, actor):
        return Sight.FULL
    best = Sight.NONE
    for post in actor.posts:
        seen = _by_post(case, post)
        if seen is Sight.FULL:
            return seen
        best = seen if seen is Sight.CLASS_ONLY else best
    return best


def _has_task(case: Case, actor: Actor) -> bool:
    return any(t.person == actor.account and t.state in OPEN_TASKS for t in case.tasks)


def _by_post(case: Case, post: Post) -> Sight:
    role = post.role
    if role in _UNIT_ROLES:
        return Sight.FULL if post.unit is not None and _unit_is_in(case, post.unit) else Sight.NONE
    if role in _AREA_ROLES:
        return _by_area(case, post, _AREA_ROLES[role])
    if role is Role.VERIFIER:
        if not covers(case, post.area) or case.state not in _CHECKED:
            return Sight.NONE
        return Sight.FULL
    if role is Role.DISTRICT:
        return Sight.FULL if case.tier is Tier.DISTRICT or Flag.PLATFORM_NOTICED in case.flags else Sight.NONE
    if role is Role.STREET_COMMITTEE:
        return Sight.FULL if Flag.IN_CONFERENCE in case.flags and not case.restricted else Sight.NONE
    return Sight.NONE


def _by_area(case: Case, post: Post, tier: Tier) -> Sight:
    if not covers(case, post.area):
        return Sight.NONE
    reached = HEIGHT[case.tier] >= HEIGHT[tier]
    return Sight.FULL if reached or not case.restricted else Sight.CLASS_ONLY


def _unit_is_in(case: Case, unit: str) -> bool:
    """The lead, or a unit that has or had a share."""
    return unit == case.lead or any(t.unit == unit for t in case.tasks)
