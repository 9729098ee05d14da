"""Small values shared by several events."""

from __future__ import annotations

from schemas.wire import Degrees, Wire
from services.governance.cycle import Role


class CategoryV1(Wire):
    """A code is ambiguous without its scheme and edition: always all three."""

    scheme: str
    version: str
    code: str


class SpotV1(Wire):
    """Where, by codes of the area tree; WGS-84 degrees or None. Outside every cell: cell None."""

    street: str
    community: str | None = None
    grid: str | None = None
    cell: str | None = None
    lng: Degrees | None = None
    lat: Degrees | None = None


class ExternalV1(Wire):
    """What another system calls the same matter: the system as it is known here (a partner's name), and its number."""

    system: str
    number: str


class ActorV1(Wire):
    """Who did it. `account` None: the machine (`rule` says which rule) or, on a report, a person without an account."""

    account: str | None = None
    role: Role | None = None
    unit: str | None = None


class RuleV1(Wire):
    """The rule and the rulebook version that chose it."""

    rule: str
    rulebook: str
