"""Who must look: a post named in a fact, as people of the street's directory.

Where nobody holds the post now, the next post of the roster is told in its place, and each who is told so learns it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from schemas.events.case import OwnerV1, StandingV1, ToldV1
from services.chassis.clock import LOCAL
from services.chassis.directory import Directory
from services.governance.cycle import Role, Tier

DAY_BEGINS, DAY_ENDS = 8, 20  # of the duty chief's day shift, local hours


@dataclass(frozen=True, slots=True)
class Called:
    """A person who is told, and as what. `instead_of`: the post that was asked for and that nobody holds."""

    account_id: str
    post: str
    instead_of: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """A case and the street at a moment. `actor`: whose own act it was; `disabled`: who cannot sign in any more;
    `named`: people whom only earlier facts of the case name (the issuer of a supervision), by post."""

    standing: StandingV1
    directory: Directory
    now: datetime
    actor: str | None = None
    disabled: Collection[str] = ()
    named: Mapping[str, Sequence[str]] = field(default_factory=dict)


def who(tell: Sequence[ToldV1], scene: Scene) -> tuple[Called, ...]:
    """Everybody whom these name but who acted himself, each once, as the first of his posts.

    A post nobody holds passes to the next; one that the actor alone holds does not.
    """
    found: dict[str, Called] = {}
    for told in tell:
        for called in _of(told, scene):
            found.setdefault(called.account_id, called)
    return tuple(called for called in found.values() if called.account_id != scene.actor)


def _of(told: ToldV1, scene: Scene) -> tuple[Called, ...]:
    post = told.post
    if post in _NOBODY:
        return ()
    named = (told.account,) if told.account is not None and told.account not in scene.disabled else ()
    people = named or _holders(post, told.code, scene)
    if people:
        return tuple(Called(one, post, told.instead_of) for one in people)
    for following in _after(post, told.code, scene):
        people = _holders(following, "", scene)
        if people:
            return tuple(Called(one, following, instead_of=told.instead_of or post) for one in people)
    return ()


_NOBODY: Final = frozenset({"", Role.REPORTER.value})
"""A reporter is told by his own page."""


def _holders(post: str, code: str, scene: Scene) -> tuple[str, ...]:
    known = _WORDS.get(post)
    found = scene.named.get(post) or (known(code, scene) if known is not None else ())
    if known is None and post in _ROLES:
        found = _by_role(Role(post), code, scene)
    return tuple(one for one in found if one not in scene.disabled)


_ROLES: Final = frozenset(role.value for role in Role)


# --- by role --------------------------------------------------------------------------------------------------------
def _by_role(role: Role, code: str, scene: Scene) -> tuple[str, ...]:
    spot, directory = scene.standing.spot, scene.directory
    if role in _UNIT_ROLES:
        return _unit(code or scene.standing.lead_unit or "", scene)
    if role is Role.DUTY_CHIEF:
        return _duty_chief("", scene)
    area = {Role.GRID_WORKER: spot.grid, Role.GRID_SECRETARY: spot.grid, Role.COMMUNITY_SECRETARY: spot.community}
    place = code if code in directory.grids or code in directory.communities else area.get(role, spot.street)
    if not place:
        return ()  # outside every grid
    return tuple(one.account_id for one in directory.people_with(role, scene.now, area=place))


_UNIT_ROLES: Final = frozenset({Role.HANDLING_UNIT, Role.MEMBER_UNIT})


def _unit(code: str, scene: Scene) -> tuple[str, ...]:
    """Everybody of a unit: of a station, a member of the committee, or of the district."""
    if not code:
        return ()
    spot = scene.standing.spot
    area = spot.grid or spot.community or spot.street
    roles = (Role.HANDLING_UNIT, Role.MEMBER_UNIT, Role.DISTRICT)
    found = [a for role in roles for a in scene.directory.people_with(role, scene.now, area=area, unit=code)]
    if not found and (known := scene.directory.units.get(code)) is not None and known.kind == "district":
        found = scene.directory.people_with(Role.DISTRICT, scene.now, area=area)
    return tuple(dict.fromkeys(one.account_id for one in found))


# --- by the words of a ladder ---------------------------------------------------------------------------------------
def _on_roster(area: str | None, duty: str, scene: Scene) -> tuple[str, ...]:
    return tuple(one.account_id for one in scene.directory.on_roster(area or "", duty, scene.now))


def _duty_chief(_: str, scene: Scene) -> tuple[str, ...]:
    """Of this shift, by the roster; who was lent the post; where the roster names nobody, all who hold it."""
    street, directory = scene.standing.spot.street, scene.directory
    held = [one.account_id for one in directory.people_with(Role.DUTY_CHIEF, scene.now, area=street)]
    by_day = DAY_BEGINS <= scene.now.astimezone(LOCAL).hour < DAY_ENDS
    shift = "duty_chief_day" if by_day else "duty_chief_night"
    rostered = set(_on_roster(street, shift, scene)) | set(_on_roster(street, "duty_chief", scene))
    lent = {
        a.account_id
        for one in held
        for a in directory.appointments_of(one, scene.now)
        if a.post.role is Role.DUTY_CHIEF and a.grant_id is not None
    }
    return tuple(one for one in held if one in rostered or one in lent) or tuple(held)


def _leader(duty: str) -> Callable[[str, Scene], tuple[str, ...]]:
    """A leader by his duty in the roster: of the community, else of the street."""

    def find(_: str, scene: Scene) -> tuple[str, ...]:
        spot = scene.standing.spot
        return _on_roster(spot.community, duty, scene) or _on_roster(spot.street, duty, scene)

    return find


def _owner(_: str, scene: Scene) -> tuple[str, ...]:
    owner = scene.standing.owner
    return () if owner is None else _owned_by(owner, scene)


def _owned_by(owner: OwnerV1, scene: Scene) -> tuple[str, ...]:
    return _by_role(owner.role, owner.code, scene)


def _owner_before(code: str, scene: Scene) -> tuple[str, ...]:
    directory = scene.directory
    if code in directory.grids:
        return _by_role(Role.GRID_SECRETARY, code, scene)
    if code in directory.communities:
        return _by_role(Role.COMMUNITY_SECRETARY, code, scene)
    if code in directory.streets:
        return _by_role(Role.INTAKE_CLERK, code, scene)
    return _unit(code, scene)


def _caller(_: str, scene: Scene) -> tuple[str, ...]:
    """Who called: the tier below the one that holds the case now."""
    below = Role.GRID_SECRETARY if scene.standing.tier in (Tier.GRID, Tier.COMMUNITY) else Role.COMMUNITY_SECRETARY
    return _by_role(below, "", scene) or _by_role(Role.GRID_SECRETARY, "", scene)


def _as(role: Role, duty: str | None = None) -> Callable[[str, Scene], tuple[str, ...]]:
    def find(code: str, scene: Scene) -> tuple[str, ...]:
        spot = scene.standing.spot
        area = spot.grid if role is Role.GRID_SECRETARY else spot.community
        return (_on_roster(area, duty, scene) if duty and area else ()) or _by_role(role, code, scene)

    return find


def _unit_head(code: str, scene: Scene) -> tuple[str, ...]:
    """The head by the roster; where it names none, the unit's people."""
    unit = code or scene.standing.lead_unit or ""
    return _on_roster(unit, "head", scene) or _unit(unit, scene) or (_owner("", scene) if not unit else ())


_WORDS: Final[Mapping[str, Callable[[str, Scene], tuple[str, ...]]]] = {
    "owner": _owner,
    "unit_head": _unit_head,
    "lead_unit": lambda code, scene: _unit(code or scene.standing.lead_unit or "", scene),
    "branch_secretary": _as(Role.GRID_SECRETARY, "secretary"),
    "deputy": lambda _code, scene: _on_roster(scene.standing.spot.grid, "deputy", scene),
    "community_secretary": _as(Role.COMMUNITY_SECRETARY, "secretary"),
    "duty_chief": _duty_chief,
    "duty_leader": _leader("duty_leader"),
    "leader_in_charge": _leader("leader_in_charge"),
    "liaison_leader": _leader("liaison_leader"),
    "street_leader": _as(Role.STREET_LEADER),
    "dispatcher": _as(Role.DISPATCHER),
    "district_duty": _as(Role.DISTRICT),
    "another_visitor": _as(Role.VERIFIER),
    "another_worker": _as(Role.GRID_WORKER),
    "owner_before": _owner_before,
    "caller": _caller,
    "issuer": lambda _code, _scene: (),
    "mediator": lambda _code, _scene: (),  # named by account; what was told before that names nobody
}

# --- nobody there ---------------------------------------------------------------------------------------------------
_UPWARD: Final[Mapping[str, str]] = {
    "GW": "branch_secretary",
    "another_worker": "branch_secretary",
    "GS": "deputy",
    "branch_secretary": "deputy",
    "deputy": "community_secretary",
    "CS": "duty_chief",
    "community_secretary": "duty_chief",
    "IC": "dispatcher",
    "DP": "duty_chief",
    "dispatcher": "duty_chief",
    "HU": "dispatcher",
    "MU": "dispatcher",
    "unit_head": "dispatcher",
    "lead_unit": "dispatcher",
    "VF": "duty_chief",
    "another_visitor": "duty_chief",
    "issuer": "duty_chief",
    "mediator": "community_secretary",
    "caller": "community_secretary",
    "owner_before": "duty_chief",
    "DI": "duty_chief",
    "district_duty": "duty_chief",
    "SC": "duty_chief",
    "EV": "duty_chief",
    "DC": "duty_leader",
    "duty_chief": "duty_leader",
    "liaison_leader": "leader_in_charge",
    "duty_leader": "leader_in_charge",
    "leader_in_charge": "street_leader",
    "SL": "AD",
    "street_leader": "AD",
}
"""The next post of the roster, up to who keeps the system."""


def _after(post: str, code: str, scene: Scene) -> Iterator[str]:
    if post == "owner" and scene.standing.owner is not None:
        post = scene.standing.owner.role.value
    if post == "owner_before" and code in scene.directory.grids:
        post = Role.GRID_SECRETARY.value
    unknown = post not in _WORDS and post not in _ROLES  # a word of a newer rulebook
    following = "duty_chief" if unknown else _UPWARD.get(post)
    while following is not None:
        yield following
        following = _UPWARD.get(following)
