"""/api/v1/good-deeds: tell of one, read one's own, and, for a branch secretary, those of his grid."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from schemas.api.deeds import GoodDeedIn, GoodDeedOut, GoodDeedPageOut
from services.chassis.asgi import Page, page
from services.chassis.auth import CurrentPerson
from services.intake.api.paging import after, cursor
from services.intake.api.room import Room, required_key, same_account
from services.intake.store import deeds
from services.intake.usecases.deeds import Teller, areas_read_by, checked, shown
from services.intake.usecases.draft import report_id_for
from services.intake.usecases.identity import Sealer
from services.intake.usecases.refusal import Refusal

Key = Annotated[str, Depends(required_key)]


def deed_router(room: Room, sealer: Sealer) -> APIRouter:
    """The routes around notes of good deeds."""
    router = APIRouter(prefix="/api/v1/good-deeds", tags=["good deeds"])

    @router.post(
        "",
        status_code=201,
        response_model=GoodDeedOut,
        summary="Tell of a good deed (讲): no case, no clock, no figure",
        dependencies=[Depends(same_account)],
    )
    async def tell(body: GoodDeedIn, person: CurrentPerson, key: Key) -> GoodDeedOut:
        teller, otherwise = Teller(person, key, room.home(person)), room.ids.uuid7()
        kept = await _keep(room, sealer, body, teller, report_id_for(key, lambda: otherwise), otherwise)
        return shown(kept, person, sealer)

    @router.get("", response_model=GoodDeedPageOut, summary="Good deeds: my notes, or those of my grid, newest first")
    async def told(
        person: CurrentPerson,
        asked: Annotated[Page, Depends(page)],
        mine: Annotated[bool, Query(description="false: those of the grids whose branch I lead")] = True,
    ) -> GoodDeedPageOut:
        async with room.db.reading() as tx:
            if mine:
                rows = await deeds.told_by(tx, person.account_id, after(asked), asked.limit + 1)
            else:
                rows = await deeds.told_in(tx, areas_read_by(person), after(asked), asked.limit + 1)
        items, more = rows[: asked.limit], len(rows) > asked.limit
        following = cursor(items[-1].told_at, items[-1].note_id) if more else None
        return GoodDeedPageOut(items=tuple(shown(row, person, sealer) for row in items), next=following)

    return router


async def _keep(
    room: Room, sealer: Sealer, body: GoodDeedIn, teller: Teller, note_id: UUID, otherwise: UUID
) -> deeds.DeedSeen:
    """Store the note, under another id if somebody else's has this one. Raises Refusal: its key says something else."""
    new = checked(body, note_id, teller, room.directory, room.clock.now(), sealer)
    async with room.db.transaction() as tx:
        kept = await deeds.keep(tx, new)
    if kept is None:
        return await _keep(room, sealer, body, teller, otherwise, room.ids.uuid7())
    if kept.body_sha256 != new.body_sha256:
        raise Refusal("idempotency_key_reused", "Idempotency-Key")
    return kept
