"""What a post opens beside the actions on a case: one table, read by the routes and told to the pages.

A page shows what its session names here and asks for nothing else, so no menu offers what a route would refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from services.chassis.auth.depends import require_role
from services.chassis.auth.person import Person
from services.governance.case.sight import AREA_ROLES, UNIT_ROLES
from services.governance.cycle import Role


class Right(StrEnum):
    """Ids as the session answers them."""

    CASES = "cases"
    REGISTER = "register"
    READ_PUSHES = "read_pushes"
    MANAGE_PUSHES = "manage_pushes"
    ALLOW_ADDRESSES = "allow_addresses"
    AUDIT = "audit"
    LEND = "lend"
    INVITE = "invite"
    REVEAL = "reveal"


@dataclass(frozen=True, slots=True)
class Holders:
    """Who has a right. `everywhere`: only over every street of the installation, for what belongs to no street."""

    roles: tuple[Role, ...]
    everywhere: bool = False


RIGHTS: Final[Mapping[Right, Holders]] = {
    Right.CASES: Holders((*AREA_ROLES, *UNIT_ROLES, Role.VERIFIER, Role.DISTRICT, Role.STREET_COMMITTEE)),
    Right.REGISTER: Holders((Role.INTAKE_CLERK, Role.DISPATCHER, Role.DUTY_CHIEF, Role.ADMINISTRATOR)),
    Right.READ_PUSHES: Holders(
        (
            *(Role.ADMINISTRATOR, Role.DUTY_CHIEF, Role.DISPATCHER),
            *(Role.INTAKE_CLERK, Role.STREET_LEADER, Role.AUDITOR),
        ),
        everywhere=True,
    ),
    Right.MANAGE_PUSHES: Holders((Role.ADMINISTRATOR, Role.DUTY_CHIEF), everywhere=True),
    Right.ALLOW_ADDRESSES: Holders((Role.ADMINISTRATOR,), everywhere=True),
    Right.AUDIT: Holders((Role.AUDITOR,), everywhere=True),
    Right.LEND: Holders((Role.ADMINISTRATOR, Role.DUTY_CHIEF)),
    Right.INVITE: Holders((Role.ADMINISTRATOR, Role.DUTY_CHIEF)),
    Right.REVEAL: Holders((Role.INTAKE_CLERK, Role.DUTY_CHIEF, Role.VERIFIER)),
}


class Reach(Protocol):
    """Tells whether a person's post of one of these roles is over every street (an Authenticator)."""

    def holds_everywhere(self, person: Person, roles: Collection[Role]) -> bool: ...


def require_right(right: Right) -> Callable[..., Coroutine[Any, Any, Person]]:
    """A dependency that lets only holders of `right` pass (403 `not_permitted`)."""
    holders = RIGHTS[right]
    return require_role(*holders.roles, everywhere=holders.everywhere)


def rights_of(person: Person, reach: Reach) -> list[Right]:
    """What this person may do, in the order of the table."""
    return [right for right, holders in RIGHTS.items() if _has(person, holders, reach)]


def _has(person: Person, holders: Holders, reach: Reach) -> bool:
    if holders.everywhere:
        return reach.holds_everywhere(person, holders.roles)
    return person.has_role(*holders.roles)
