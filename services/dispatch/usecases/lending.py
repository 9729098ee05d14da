"""值班: who may lend which post, over what, for how long. Pure; the route reads and writes.

Administrators lend any post of their street but their own kind and the auditor's; duty chiefs the posts below theirs.
Nobody lends beyond the places, or beyond the end, of the post he lends from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.chassis.directory import Appointment, Directory
from services.governance.acts import Post
from services.governance.cycle import Role

LONGEST: Final = timedelta(days=31)


class Over(StrEnum):
    """What a post is over."""

    GRID = "grid"
    COMMUNITY = "community"
    UNIT = "unit"
    MEMBER = "member"
    STREET = "street"


OVER: Final[Mapping[Role, Over]] = {
    Role.GRID_WORKER: Over.GRID,
    Role.GRID_SECRETARY: Over.GRID,
    Role.COMMUNITY_SECRETARY: Over.COMMUNITY,
    Role.HANDLING_UNIT: Over.UNIT,
    Role.MEMBER_UNIT: Over.MEMBER,
    Role.INTAKE_CLERK: Over.STREET,
    Role.DISPATCHER: Over.STREET,
    Role.VERIFIER: Over.STREET,
    Role.DUTY_CHIEF: Over.STREET,
    Role.STREET_LEADER: Over.STREET,
    Role.STREET_COMMITTEE: Over.STREET,
    Role.EVALUATOR: Over.STREET,
}
"""Posts that can be lent at all: not a reporter's, not the district's, nor those that give and check rights."""

ABOVE: Final = (Role.DUTY_CHIEF, Role.STREET_LEADER, Role.STREET_COMMITTEE, Role.EVALUATOR)
LENDS: Final[Mapping[Role, tuple[Role, ...]]] = {
    Role.ADMINISTRATOR: tuple(OVER),
    Role.DUTY_CHIEF: tuple(role for role in OVER if role not in ABOVE),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. `account`: id of who would hold it, None where nobody has that name; `since` None: now."""

    account: str | None
    role: Role
    area: str | None
    unit: str | None
    since: datetime | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Fault:
    """A field of the wish and what is wrong with it (words: `problem.field.<code>`)."""

    field: str
    code: str


@dataclass(frozen=True, slots=True)
class Term:
    """A wish that can be granted."""

    account: str
    post: Post
    since: datetime
    until: datetime


def lendable(held: Sequence[Appointment]) -> tuple[Role, ...]:
    """What the holder of these posts may lend, in the order of the street's posts."""
    may = {role for own in held for role in LENDS.get(own.post.role, ())}
    return tuple(role for role in OVER if role in may)


def covers(own: Post, post: Post, directory: Directory) -> bool:
    """Whether the holder of `own` may lend `post`: the role is one he lends, the place lies in his own."""
    if post.role not in LENDS.get(own.role, ()):
        return False
    if post.unit is None:
        return post.area.startswith(own.area)
    unit = directory.units.get(post.unit)
    return unit is not None and unit.area.startswith(own.area)


def sees(held: Sequence[Appointment], post: Post, directory: Directory) -> bool:
    """Whether he reads of a lent post: it lies in the place of one of his lending posts, whoever lent it."""
    unit = directory.units.get(post.unit) if post.unit else None
    area = unit.area if unit is not None else post.area
    return any(own.post.role in LENDS and area.startswith(own.post.area) for own in held)


def may_end(held: Sequence[Appointment], post: Post, directory: Directory) -> bool:
    """Who may lend a post may also take it back."""
    return any(covers(own.post, post, directory) for own in held)


def places(role: Role, held: Sequence[Appointment], directory: Directory) -> tuple[str, ...]:
    """Codes of the units or areas that `role` can be lent over by the holder of these posts; '' is the whole house."""
    return tuple(
        code
        for code in _all_places(OVER[role], directory)
        if any(covers(own.post, _post(role, code), directory) for own in held)
    )


def granted(
    wish: Wish,
    lender: str,
    held: Sequence[Appointment],
    of_person: Sequence[Appointment],
    directory: Directory,
    now: datetime,
) -> Term | tuple[Fault, ...]:
    """The term that `lender`, who holds `held` at `now`, grants; or all that is wrong, field by field.

    `of_person`: what the person holds or will hold.
    """
    since = wish.since or now
    post, faults = _place(wish, held, directory)
    faults += [*_person(wish, lender), *_time(wish, now)]
    if post is not None and not faults:
        faults += _limits(since, wish.until, [own for own in held if covers(own.post, post, directory)])
        faults += _twice(post, since, wish.until, of_person)
    if post is None or wish.account is None or faults:
        return tuple(faults)
    return Term(wish.account, post, since, wish.until)


def _person(wish: Wish, lender: str) -> Iterator[Fault]:
    if wish.account is None:
        yield Fault("account", "lend_person_unknown")
    elif wish.account == lender:
        yield Fault("account", "lend_to_oneself")


def _place(wish: Wish, held: Sequence[Appointment], directory: Directory) -> tuple[Post | None, list[Fault]]:
    """A place that is not his is no other answer than one that does not exist."""
    if wish.role not in lendable(held):
        return None, [Fault("role", "lend_role")]
    of_unit = OVER[wish.role] in (Over.UNIT, Over.MEMBER)
    field, code, other = ("unit", wish.unit, wish.area) if of_unit else ("area", wish.area, wish.unit)
    if other:
        return None, [Fault("area" if of_unit else "unit", "lend_place_unused")]
    known = places(wish.role, held, directory)
    if code is None and OVER[wish.role] is Over.STREET:
        code = known[0] if known else None
    if code is None or code not in known:
        return None, [Fault(field, "lend_place")]
    return _post(wish.role, code), []


def _time(wish: Wish, now: datetime) -> Iterator[Fault]:
    since = wish.since or now
    if since < now:
        yield Fault("since", "lend_in_the_past")
    if wish.until <= since:
        yield Fault("until", "lend_ends_first")
    elif wish.until - since > LONGEST:
        yield Fault("until", "lend_too_long")


def _limits(since: datetime, until: datetime, lending: Sequence[Appointment]) -> Iterator[Fault]:
    """What is itself lent is not lent on beyond its end."""
    if not any(own.since <= since and (own.until is None or until <= own.until) for own in lending):
        yield Fault("until", "lend_beyond_own")


def _twice(post: Post, since: datetime, until: datetime, of_person: Sequence[Appointment]) -> Iterator[Fault]:
    if any(a.post == post and a.since < until and (a.until is None or a.until > since) for a in of_person):
        yield Fault("role", "lend_held_already")


def _post(role: Role, code: str) -> Post:
    return Post(role, unit=code) if OVER[role] in (Over.UNIT, Over.MEMBER) else Post(role, code)


def _all_places(over: Over, directory: Directory) -> Iterator[str]:
    match over:
        case Over.GRID:
            yield from sorted(directory.grids)
        case Over.COMMUNITY:
            yield from sorted(directory.communities)
        case Over.STREET:
            yield from ("", *sorted(directory.streets))
        case Over.MEMBER:
            yield from sorted(unit.code for unit in directory.units.values() if unit.kind == "member")
        case Over.UNIT:
            own = (unit for unit in directory.units.values() if unit.kind not in ("member", "district"))
            yield from sorted(unit.code for unit in own)
