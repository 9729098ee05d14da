"""Who may see a case, in one place: behind queue, case, search, events and evidence.

A case carries the tokens of those who may see it (`cases.audience`), a person carries the tokens of his posts; he sees
the case if one is shared. The same tokens are compared in SQL (`visible_cases`) and in memory (`Scope.sees`, for the
live feed), so the two cannot differ. They say the same as `governance.may_see` answers NONE or something (tested); how
much of a restricted case may be read is asked there.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, cast, true
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from services.dispatch.tables import cases
from services.governance.acts import Actor, Post
from services.governance.case import OPEN_TASKS, Case
from services.governance.cycle import Flag, Role, State, Tier

EVERY_STREET = "s:*"
_DISTRICT = "d"
_COMMITTEE = "k"
_AREA_ROLES = frozenset({Role.GRID_WORKER, Role.GRID_SECRETARY, Role.COMMUNITY_SECRETARY})
_STREET_ROLES = frozenset({Role.INTAKE_CLERK, Role.DISPATCHER, Role.DUTY_CHIEF, Role.STREET_LEADER})
_UNIT_ROLES = frozenset({Role.HANDLING_UNIT, Role.MEMBER_UNIT})
_CHECKED = frozenset({State.CONFIRMING, State.FED_BACK, State.VERIFIED})


@dataclass(frozen=True, slots=True)
class Scope:
    """A person's view of the cases, made from the posts in force now."""

    account: str
    tokens: frozenset[str]
    units: frozenset[str]
    grids: frozenset[str]
    communities: frozenset[str]
    roles: frozenset[Role]
    wide: bool  # holds a post over a whole street

    def sees(self, audience: frozenset[str]) -> bool:
        """True if one of the case's tokens is one of this person's."""
        return not self.tokens.isdisjoint(audience)


def scope_of(actor: Actor) -> Scope:
    """The scope of a person; one without a post still sees his own reports."""
    tokens = {f"p:{actor.account}"}
    for post in actor.posts:
        tokens |= _tokens_of(post)
    return Scope(
        account=actor.account,
        tokens=frozenset(tokens),
        units=frozenset(t[2:] for t in tokens if t.startswith("u:")),
        grids=frozenset(t[2:] for t in tokens if t.startswith("g:")),
        communities=frozenset(t[2:] for t in tokens if t.startswith("c:")),
        roles=frozenset(post.role for post in actor.posts),
        wide=any(t.startswith("s:") for t in tokens),
    )


def _tokens_of(post: Post) -> set[str]:
    if post.role in _STREET_ROLES or post.role in _AREA_ROLES:
        return {_area_token(post.area)}
    if post.role in _UNIT_ROLES:
        return {f"u:{post.unit}"} if post.unit else set()
    if post.role is Role.DISTRICT:
        return {_DISTRICT}
    if post.role is Role.VERIFIER:
        return {f"v{_area_token(post.area)}"}
    if post.role is Role.STREET_COMMITTEE:
        return {_COMMITTEE}
    return set()


def _area_token(area: str) -> str:
    """'' every street, 9 digits a street, 12 a community, anything longer a grid."""
    if not area:
        return EVERY_STREET
    return f"{'s' if len(area) <= 9 else 'c' if len(area) == 12 else 'g'}:{area}"


def audience_of(case: Case) -> frozenset[str]:
    """The tokens of everybody who may see the case as it stands."""
    spot = case.spot
    areas = {EVERY_STREET, *(_area_token(code) for code in (spot.street, spot.community, spot.grid) if code)}
    tokens = set(areas)
    tokens |= {f"u:{unit}" for unit in (case.lead, *(task.unit for task in case.tasks)) if unit}
    people = (task.person for task in case.tasks if task.state in OPEN_TASKS)
    tokens |= {f"p:{person}" for person in (case.reporter, *people) if person}
    if case.state in _CHECKED:
        tokens |= {f"v{area}" for area in areas}
    if case.tier is Tier.DISTRICT or Flag.PLATFORM_NOTICED in case.flags:
        tokens.add(_DISTRICT)
    if Flag.IN_CONFERENCE in case.flags and not case.restricted:
        tokens.add(_COMMITTEE)
    return frozenset(tokens)


def visible_cases(scope: Scope) -> ColumnElement[bool]:
    """The predicate that every read of cases carries. Who sees every street needs no look at each row."""
    if EVERY_STREET in scope.tokens:
        return true()
    shared: ColumnElement[bool] = cases.c.audience.overlap(cast(sorted(scope.tokens), ARRAY(TEXT)))
    return shared
