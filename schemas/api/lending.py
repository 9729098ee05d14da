"""Bodies of 值班: posts lent for a while."""

from __future__ import annotations

from pydantic import Field

from schemas.api.base import Code, In, Moment, Out
from services.governance.cycle import Role


class DelegationIn(In):
    """Who gets which post over what, from when to when."""

    account: Code = Field(description="login of who will hold it")
    role: Role
    area: Code | None = Field(default=None, description="code of a grid, community or street, as the role needs it")
    unit: Code | None = Field(default=None, description="code of a unit, for HU and MU")
    since: Moment | None = Field(default=None, description="left out: now")
    until: Moment


class DelegationOut(Out):
    """One lent post."""

    id: str
    account: str
    account_name: str | None
    role: Role
    role_label: str
    area: str
    unit: str | None
    place: str = Field(description="name of the area or unit; empty: the whole street")
    since: Moment
    until: Moment
    granted_by: str
    granted_by_name: str | None
    in_force: bool
    may_end: bool


class PlaceOut(Out):
    code: str
    name: str


class LendableOut(Out):
    """A post that the reader may lend, and over what."""

    role: Role
    label: str
    field: str = Field(description="'area' or 'unit': where the place's code goes")
    places: tuple[PlaceOut, ...]


class ColleagueOut(Out):
    """Somebody who can hold it."""

    login: str
    name: str
    posts: str


class DelegationsOut(Out):
    """What is lent now or will be, the next to end first; and what the reader may lend to whom."""

    items: tuple[DelegationOut, ...]
    roles: tuple[LendableOut, ...]
    people: tuple[ColleagueOut, ...]
