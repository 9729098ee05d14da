"""Who may see a case, in one place: behind queue, case, search, events and evidence.

A case carries the tokens of those who may see it (`cases.audience`), a person carries the tokens of his posts; he sees
the case if one is shared. The same tokens are compared in SQL (`visible_cases`) and in memory (`Scope.sees`, for the
live feed), so the two cannot differ. What of a restricted case may be read is a second question: `governance.may_see`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, cast
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from services.dispatch.tables import cases
from services.governance.acts import Actor, Post, TaskState
from services.governance.case import Case
from services.governance.cycle import Flag, Role, State, Tier

EVERY_STREET = "s:*"
_VERIFIERS = "v"
_DISTRICT = "d"
_COMMITTEE = "k"
_AREA_ROLES = frozenset({Role.GRID_WORKER, Role.GRID_SECRETARY, Role.COMMUNITY_SECRETARY})
_STREET_ROLES = frozenset({Role.INTAKE_CLERK, Role.DISPATCHER, Role.DUTY_CHIEF, Role.STREET_LEADER})
_UNIT_ROLES = frozenset({Role.HANDLING_UNIT, Role.MEMBER_UNIT})
_TO_VERIFY = frozenset({State.FED_BACK, State.VERIFIED})
_AWAY = frozenset({TaskState.DROPPED, TaskState.DECLINED})


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
    if post.role in _STREET_ROLES:
        return {f"s:{post.area}" if post.area else EVERY_STREET}
    if post.role in _AREA_ROLES:
        return {_area_token(post.area)} if post.area else set()
    if post.role in _UNIT_ROLES:
        return {f"u:{post.unit}"} if post.unit else set()
    if post.role is Role.DISTRICT:
        return {_DISTRICT} | ({f"u:{post.unit}"} if post.unit else set())
    if post.role is Role.VERIFIER:
        return {_VERIFIERS}
    if post.role is Role.STREET_COMMITTEE:
        return {_COMMITTEE}
    return set()


def _area_token(area: str) -> str:
    """Street 9 digits, community 12, anything longer a grid."""
    return f"{'s' if len(area) <= 9 else 'c' if len(area) == 12 else 'g'}:{area}"


def audience_of(case: Case) -> frozenset[str]:
    """The tokens of everybody who may see the case as it stands."""
    spot = case.spot
    tokens = {EVERY_STREET, f"s:{spot.street}"}
    if spot.community:
        tokens.add(f"c:{spot.community}")
    if spot.grid:
        tokens.add(f"g:{spot.grid}")
    if case.lead:
        tokens.add(f"u:{case.lead}")
    if case.reporter:
        tokens.add(f"p:{case.reporter}")
    for task in case.tasks:
        if task.state in _AWAY:
            continue
        if task.unit:
            tokens.add(f"u:{task.unit}")
        if task.person:
            tokens.add(f"p:{task.person}")
    if case.state in _TO_VERIFY or any(task.kind == "verify" for task in case.tasks):
        tokens.add(_VERIFIERS)
    if case.tier is Tier.DISTRICT or case.state in (State.AT_DISTRICT, State.DISTRICT_HANDLING):
        tokens.add(_DISTRICT)
    if Flag.IN_CONFERENCE in case.flags:
        tokens.add(_COMMITTEE)
    return frozenset(tokens)


def visible_cases(scope: Scope) -> ColumnElement[bool]:
    """The predicate that every read of cases carries."""
    shared: ColumnElement[bool] = cases.c.audience.overlap(cast(sorted(scope.tokens), ARRAY(TEXT)))
    return shared
