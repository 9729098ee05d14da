"""Bodies of dispatch: lists that people keep under a name."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.api.base import CLEAN, In, Out

ViewName = Annotated[str, Field(min_length=1, max_length=40), *CLEAN]
ViewAddress = Annotated[str, Field(max_length=600, pattern=r"^/queues/[a-z_]{1,64}(\?[A-Za-z0-9_=&,.%-]+)?$")]


class ViewIn(In):
    """A name, and the list's address within the console: its queue and what it is narrowed to."""

    name: ViewName
    address: ViewAddress


class ViewOut(Out):
    """A list kept under a name."""

    id: str
    name: str
    address: str


class ViewsOut(Out):
    """The caller's own, in the order in which they were kept."""

    views: tuple[ViewOut, ...]
