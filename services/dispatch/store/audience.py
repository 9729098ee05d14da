"""Who may see a case, in one place: behind queue, case, search, live feed, media, counts and export.

A case carries the tokens of those who may see it (`cases.audience`), a person carries the tokens of his posts: he sees
the case if one is shared. `visible_cases` is the predicate that every read of cases for somebody carries, and
`readable_cases` the one that says of how much: all of it, or of a restricted one class and community only. Together
they answer what `governance.may_see` answers in memory; a property test compares the two over a real database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, and_, cast, false, or_, true
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from services.dispatch.tables import cases
from services.governance.acts import Actor, Post
from services.governance.case import Case
from services.governance.case.sight import AREA_ROLES, CHECKED, UNIT_ROLES, involved, units_in
from services.governance.cycle import Flag, Role, State, Tier
from services.governance.tiers import HEIGHT

Predicate = ColumnElement[bool]
EVERY_STREET = "s:*"
_DISTRICT = "d"
_COMMITTEE = "k"


@dataclass(frozen=True, slots=True)
class Scope:
    """A person's view of the cases, made from the posts in force now. Two with the same view are equal."""

    account: str
    tokens: frozenset[str]
    reach: frozenset[tuple[Tier, str]]  # area tokens with the tier from which on a restricted case is theirs
    checks: frozenset[str]  # area tokens of a verifier
    units: frozenset[str]
    grids: frozenset[str]
    communities: frozenset[str]
    roles: frozenset[Role]
    wide: bool  # holds a post over a whole street

    @property
    def all_streets(self) -> bool:
        """Sees every case there is."""
        return EVERY_STREET in self.tokens

    def impersonal(self) -> Scope:
        """What everybody with the same posts sees, but for the cases that concern one of them in person."""
        return replace(self, account="", tokens=frozenset(t for t in self.tokens if not t.startswith("p:")))


def scope_of(actor: Actor) -> Scope:
    """The scope of a person; one without a post still sees his own reports."""
    tokens = {f"p:{actor.account}"}
    for post in actor.posts:
        tokens |= _tokens_of(post)
    reach = {(AREA_ROLES[p.role], _area_token(p.area)) for p in actor.posts if p.role in AREA_ROLES}
    return Scope(
        account=actor.account,
        tokens=frozenset(tokens),
        reach=frozenset(reach),
        checks=frozenset(_area_token(p.area) for p in actor.posts if p.role is Role.VERIFIER),
        units=frozenset(t[2:] for t in tokens if t.startswith("u:")),
        grids=frozenset(t[2:] for t in tokens if t.startswith("g:")),
        communities=frozenset(t[2:] for t in tokens if t.startswith("c:")),
        roles=frozenset(post.role for post in actor.posts),
        wide=any(t.startswith("s:") for t in tokens),
    )


def audience_of(case: Case) -> frozenset[str]:
    """The tokens of everybody who may see the case as it stands, but for who may check closed ones.

    Those would be three more for each of a million closed cases; `visible_cases` reads them off state and area. The
    tokens of who worked at it at the street (`worked_at`) give nobody sight.
    """
    spot = case.spot
    areas = {EVERY_STREET, *(_area_token(code) for code in (spot.street, spot.community, spot.grid) if code)}
    tokens = set(areas)
    tokens |= {f"u:{unit}" for unit in units_in(case)}
    tokens |= {f"p:{account}" for account in involved(case)}
    tokens |= {worked_at(account) for account in case.clerks | case.desk}
    if case.state in CHECKED and case.state is not State.CLOSED:
        tokens |= {f"v{area}" for area in areas}
    if case.tier is Tier.DISTRICT or Flag.PLATFORM_NOTICED in case.flags:
        tokens.add(_DISTRICT)
    if Flag.IN_CONFERENCE in case.flags and not case.restricted:
        tokens.add(_COMMITTEE)
    return frozenset(tokens)


def worked_at(account: str) -> str:
    """The token by which somebody finds the cases that he did something with at the street's desk."""
    return f"w:{account}"


def visible_cases(scope: Scope) -> Predicate:
    """The predicate that every read of cases carries. Who sees every street needs no look at each row."""
    if scope.all_streets:
        return true()
    return or_(_shares(scope.tokens), _closed_for_check(scope))


def readable_cases(scope: Scope) -> Predicate:
    """Of the visible ones, those that the person may read in full.

    A restricted case is read by its own people at once, and by those over its place once it has come up to them.
    """
    named = scope.tokens - {token for _, token in scope.reach} - {_DISTRICT}
    return or_(and_(~cases.c.restricted, visible_cases(scope)), _shares(named), *_come_up(scope))


def handled_cases(scope: Scope) -> Predicate:
    """Of the visible ones, those in which the person has a share: he would read all of them if they were restricted.

    House numbers are for these. A conference gives no task, and neither does looking over a street whose grids and
    communities are still at it.
    """
    areas = {token for _, token in scope.reach}
    return or_(_shares(scope.tokens - areas - {_DISTRICT, _COMMITTEE}), *_come_up(scope))


def _come_up(scope: Scope) -> list[Predicate]:
    """What has reached the tiers of his posts."""
    come_up: list[Predicate] = [
        and_(cases.c.tier.in_(_from(tier)), _shares(token for at, token in scope.reach if at is tier))
        for tier in sorted({tier for tier, _ in scope.reach})
    ]
    return come_up + ([cases.c.tier == Tier.DISTRICT.value] if _DISTRICT in scope.tokens else [])


def _closed_for_check(scope: Scope) -> Predicate:
    if not scope.checks:
        return false()
    return and_(cases.c.state == State.CLOSED.value, _shares(scope.checks))


def _shares(tokens: Iterable[str]) -> Predicate:
    shared: Predicate = cases.c.audience.overlap(cast(sorted(tokens), ARRAY(TEXT)))
    return shared


def _from(lowest: Tier) -> list[str]:
    return [tier.value for tier in Tier if HEIGHT[tier] >= HEIGHT[lowest]]


def _tokens_of(post: Post) -> set[str]:
    if post.role in AREA_ROLES:
        return {_area_token(post.area)}
    if post.role in UNIT_ROLES:
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
