"""GET /api/v1/today: what the day has brought so far."""

from __future__ import annotations

from fastapi import APIRouter

from schemas.api.dispatch import TodayOut
from services.chassis.auth import CurrentPerson
from services.chassis.clock import LOCAL
from services.chassis.db import grid_now
from services.dispatch.api.wiring import Parts
from services.dispatch.store.audience import scope_of
from services.dispatch.store.today import since

router = APIRouter(prefix="/api/v1", tags=["queues"])


@router.get("/today", summary="The day so far")
async def day_so_far(person: CurrentPerson, parts: Parts) -> TodayOut:
    """Cases that were reported and that were closed since midnight, of those that the caller sees."""
    books = {stored.version for stored in parts.directory.current().rulebooks}
    async with parts.db.reading() as tx:
        start = (await grid_now(tx)).astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
        found = await since(tx, scope_of(person.actor), start, books)
    return TodayOut(day=start.date(), opened=found.opened, closed=found.closed)
