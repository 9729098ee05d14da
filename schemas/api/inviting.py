"""Bodies of the first sign-in on a phone: who may be given a link, and the link."""

from __future__ import annotations

from pydantic import Field

from schemas.api.base import Moment, Out


class PersonOut(Out):
    """Somebody of the street."""

    login: str
    name: str
    posts: str
    seen_at: Moment | None = Field(description="last use of a sign-in that is still in force")
    link_until: Moment | None = Field(description="end of a link that he was given and has not used")
    may_invite: bool


class PeopleOut(Out):
    items: tuple[PersonOut, ...]


class LinkOut(Out):
    """A link that signs in once, told this once."""

    url: str
    qr: str = Field(description="the same as a picture: an SVG as a data address")
    expires_at: Moment
