"""Bodies of dispatch: the mediation record of a restricted case."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from schemas.api.base import In, Moment, Out, Text


class MediationIn(In):
    """What was said. `id` is made by the caller: sent again, it is kept once."""

    id: UUID
    text: Annotated[Text, Field(min_length=1)]


class MediationNoteOut(Out):
    """One entry of the mediation record."""

    id: UUID
    at: Moment
    by_name: str | None = None
    text: str


class MediationOut(Out):
    """The mediation record of a restricted case; it is no part of the case's timeline, exports or messages."""

    mediator: str | None = None
    may_write: bool
    notes: tuple[MediationNoteOut, ...] = ()
