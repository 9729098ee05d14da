"""Who has a case open just now, so that no two do the same work."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from schemas.api.presence import PresenceIn, PresenceOut
from services.chassis.asgi import not_found
from services.chassis.auth import CurrentPerson
from services.dispatch.api.wiring import Parts
from services.dispatch.store.audience import scope_of
from services.dispatch.store.presence import come, leave, there
from services.dispatch.usecases.presence import presence_for

router = APIRouter(prefix="/api/v1/presence", tags=["events"])
Seat = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="a window of the caller's, named by itself")]


@router.get("", summary="Who has which case open")
async def read_presence(person: CurrentPerson, parts: Parts) -> PresenceOut:
    """Of the cases that the caller may read. What changes afterwards is told by the live feed as `presence`."""
    async with parts.db.reading() as tx:
        present = await there(tx)
        shown = await presence_for(tx, scope_of(person.actor), present, parts.directory.current())
    return PresenceOut(cases=shown)


@router.put("/{seat}", status_code=204, summary="I have this case open")
async def be_present(seat: Seat, body: PresenceIn, person: CurrentPerson, parts: Parts) -> None:
    """Said again every ten seconds; after twenty-five without a word the caller counts as gone. 404 for a case of
    somebody else."""
    async with parts.db.transaction() as tx:
        if not await come(tx, scope_of(person.actor), seat, body.case_no, acting=body.acting):
            raise not_found()


@router.delete("/{seat}", status_code=204, summary="I have left it")
async def be_gone(seat: Seat, person: CurrentPerson, parts: Parts) -> None:
    """The same again is no fault."""
    async with parts.db.transaction() as tx:
        await leave(tx, person.account_id, seat)
