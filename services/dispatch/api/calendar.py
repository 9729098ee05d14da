"""GET /api/v1/calendar: the street's working hours around now."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter

from schemas.api.dispatch import CalendarOut
from services.chassis.asgi import not_found
from services.chassis.auth import CurrentPerson
from services.chassis.db import grid_now
from services.dispatch.api.wiring import Parts

router = APIRouter(prefix="/api/v1", tags=["calendar"])

# Long enough for what is late since weeks and for what is promised for the next month.
_BACK = timedelta(days=30)
_AHEAD = timedelta(days=45)


@router.get("/calendar", summary="Working hours around now")
async def working_hours(person: CurrentPerson, parts: Parts) -> CalendarOut:
    """What a page needs to show how much working time is left, second by second, without asking again."""
    del person  # anybody signed in
    async with parts.db.reading() as tx:
        now = await grid_now(tx)
    street = next(iter(parts.directory.current().streets), None)
    if street is None:
        raise not_found()
    rulebook = await parts.directory.current_rulebook(street, now)
    return CalendarOut(windows=rulebook.calendar.hours(now - _BACK, now + _AHEAD))
