"""Lists that people keep under a name, so that they find them at every seat."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path

from schemas.api.views import ViewIn, ViewOut, ViewsOut
from schemas.labels import Labels
from services.chassis.asgi import FieldProblem, Problem
from services.chassis.auth import CurrentPerson
from services.dispatch.api.wiring import Parts
from services.dispatch.store.views import View, forget_view, keep_view, views_of

router = APIRouter(prefix="/api/v1/views", tags=["queues"])
ViewId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]

MOST: Final = 40
"""More than anybody reads down a list of names."""


@router.get("", summary="Lists I keep under a name")
async def read_views(person: CurrentPerson, parts: Parts) -> ViewsOut:
    """The caller's own, in the order in which they were kept."""
    async with parts.db.reading() as tx:
        return ViewsOut(views=tuple(map(_out, await views_of(tx, person.account_id))))


@router.put("/{view_id}", summary="Keep a list under a name")
async def write_view(view_id: ViewId, body: ViewIn, person: CurrentPerson, parts: Parts) -> ViewOut:
    """The id is the caller's: the same one again takes the place of the first. 422 where there are 40 already."""
    view = View(view_id, body.name, body.address)
    async with parts.db.transaction() as tx:
        if not await keep_view(tx, person.account_id, view, most=MOST):
            told = Labels(person.lang).text("view.too_many", n=MOST)
            wrong = FieldProblem(field="name", code="too_many", message=told)
            raise Problem(422, "invalid_input", detail=told, errors=[wrong])
    return _out(view)


@router.delete("/{view_id}", status_code=204, summary="Forget a list that is kept")
async def remove_view(view_id: ViewId, person: CurrentPerson, parts: Parts) -> None:
    """The same again is no fault; nobody reaches another's."""
    async with parts.db.transaction() as tx:
        await forget_view(tx, person.account_id, view_id)


def _out(view: View) -> ViewOut:
    return ViewOut(id=view.id, name=view.name, address=view.address)
