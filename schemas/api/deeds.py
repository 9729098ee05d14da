"""讲一讲身边的好人好事: a note that makes no case, starts no clock and enters no figure."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.api.base import CLEAN, Code, In, Line, Moment, Out

DEED_MAX = 500


class GoodDeedIn(In):
    """A note. `cell`: where it was seen, if the phone knew; else the teller's own grid."""

    text: Annotated[str, Field(min_length=1, max_length=DEED_MAX), *CLEAN]
    place_words: Line = ""
    cell: Code | None = None
    seen_at: Moment | None = None


class GoodDeedOut(Out):
    """A note as its teller reads it, or masked as others do (`mine` false)."""

    id: str
    text: str
    place_words: str
    grid: str | None = None
    seen_at: Moment
    told_at: Moment
    mine: bool


class GoodDeedPageOut(Out):
    """Newest first; `next` is the cursor for `after`."""

    items: tuple[GoodDeedOut, ...]
    next: str | None = None
