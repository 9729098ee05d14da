"""Who sees how much of a case. Restricted matters show their owner chain everything, everybody else class and
community.

Whoever reads many cases at once asks the same question in SQL; a property test holds the two together.
"""

from __future__ import annotations

from enum import StrEnum

from services.governance.acts import Actor, Post, TaskState
from services.governance.case.model import Case
from services.governance.case.permits import covers, reporters
from services.governance.cycle import Flag, Role, State, Tier
from services.governance.tiers import HEIGHT

AREA_ROLES = {
    Role.GRID_WORKER: Tier.GRID,
    Role.GRID_SECRETARY: Tier.GRID,
    Role.COMMUNITY_SECRETARY: Tier.COMMUNITY,
    Role.INTAKE_CLERK: Tier.STREET,
    Role.DISPATCHER: Tier.STREET,
    Role.DUTY_CHIEF: Tier.STREET,
    Role.STREET_LEADER: Tier.STREET,
}
UNIT_ROLES = frozenset({Role.HANDLING_UNIT, Role.MEMBER_UNIT})
CHECKED = frozenset({State.CONFIRMING, State.FED_BACK, State.VERIFIED, State.CLOSED})
"""What a verifier works on: he confirms and checks, and visits and reopens what is closed."""
_REFUSED = frozenset({TaskState.DROPPED, TaskState.DECLINED})


class Sight(StrEnum):
    FULL = "full"
    CLASS_ONLY = "class_only"  # category and community
    NONE = "none"


def may_see(case: Case, actor: Actor) -> Sight:
    """The most that one of the actor's posts allows."""
    if actor.account in involved(case):
        return Sight.FULL
    best = Sight.NONE
    for post in actor.posts:
        seen = _by_post(case, post)
        if seen is Sight.FULL:
            return seen
        best = seen if seen is Sight.CLASS_ONLY else best
    return best


def involved(case: Case) -> frozenset[str]:
    """The accounts that see the case whatever posts they hold: who reported it, who has or did a task, who handled."""
    tasks = (task.person for task in case.tasks if task.state not in _REFUSED)
    return frozenset(person for person in (*reporters(case), *tasks, *case.handlers) if person)


def units_in(case: Case) -> frozenset[str]:
    """The lead, and every unit that has or had a share."""
    return frozenset(unit for unit in (case.lead, *(task.unit for task in case.tasks)) if unit)


def _by_post(case: Case, post: Post) -> Sight:
    role = post.role
    if role in UNIT_ROLES:
        return Sight.FULL if post.unit in units_in(case) else Sight.NONE
    if role in AREA_ROLES:
        return _by_area(case, post, AREA_ROLES[role])
    if role is Role.VERIFIER:
        if not covers(case, post.area) or case.state not in CHECKED:
            return Sight.NONE
        return _unless_restricted(case) if case.state is State.CLOSED else Sight.FULL
    if role is Role.DISTRICT:
        noticed = _unless_restricted(case) if Flag.PLATFORM_NOTICED in case.flags else Sight.NONE
        return Sight.FULL if case.tier is Tier.DISTRICT else noticed
    if role is Role.STREET_COMMITTEE:
        return Sight.FULL if Flag.IN_CONFERENCE in case.flags and not case.restricted else Sight.NONE
    return Sight.NONE


def _unless_restricted(case: Case) -> Sight:
    return Sight.CLASS_ONLY if case.restricted else Sight.FULL


def _by_area(case: Case, post: Post, tier: Tier) -> Sight:
    if not covers(case, post.area):
        return Sight.NONE
    reached = HEIGHT[case.tier] >= HEIGHT[tier]
    return Sight.FULL if reached or not case.restricted else Sight.CLASS_ONLY
