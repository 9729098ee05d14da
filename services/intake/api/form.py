"""What the phone form asks before anything is submitted: itself, named places, similar matters near by."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from schemas.api.base import Degrees
from schemas.api.intake import FormOut, PlacesOut, PointIn, SimilarPageOut
from services.chassis.auth import CurrentPerson
from services.chassis.coordinates import Crs, to_wgs84
from services.intake.api.room import Room, labels_for
from services.intake.store import reading
from services.intake.usecases.place import locate
from services.intake.usecases.views import form_of, places_of, reach_of, similar_of

PLACES_MOST = 400


def form_router(room: Room) -> APIRouter:
    """The routes behind the form."""
    router = APIRouter(prefix="/api/v1", tags=["form"])

    @router.get("/form", response_model=FormOut, summary="Everything the form needs offline")
    async def form(person: CurrentPerson) -> FormOut:
        home = room.home(person)
        desk = await room.desk(home)
        return form_of(desk.directory, desk.rulebook, home, labels_for(person))

    @router.get("/places", response_model=PlacesOut, summary="Named places by words or pinyin initials, nearest first")
    async def places(
        _: CurrentPerson,
        cell: Annotated[str | None, Query(max_length=20, description="a cell or a grid; its places come first")] = None,
        grid: Annotated[str | None, Query(max_length=20, description="only places of this grid")] = None,
        q: Annotated[str, Query(max_length=50, description="characters of the name, or pinyin initials")] = "",
        lng: Degrees | None = None,
        lat: Degrees | None = None,
        crs: Annotated[Literal["wgs84", "gcj02", "bd09", "cgcs2000"], Query()] = "wgs84",
        limit: Annotated[int, Query(ge=1, le=PLACES_MOST)] = PLACES_MOST,
    ) -> PlacesOut:
        here = to_wgs84(lng, lat, Crs(crs)) if lng is not None and lat is not None else None
        found = room.directory.find_places(q, cell=cell, grid=grid, near=here, limit=limit)
        return places_of(found, here)

    @router.get(
        "/duplicates",
        response_model=SimilarPageOut,
        summary="Open matters close by, as far and as far back as the rulebook says",
    )
    async def duplicates(
        person: CurrentPerson,
        lng: Degrees,
        lat: Degrees,
        category: Annotated[str | None, Query(max_length=64)] = None,
        crs: Annotated[Literal["wgs84", "gcj02", "bd09", "cgcs2000"], Query()] = "wgs84",
    ) -> SimilarPageOut:
        home = room.home(person)
        desk = await room.desk(home)
        locate(PointIn(lng=lng, lat=lat, crs=crs), "", desk.directory, home)  # refuses impossible coordinates
        here = to_wgs84(lng, lat, Crs(crs))
        reach = reach_of(desk.rulebook, category)
        since = timedelta(hours=desk.rulebook.settings.near_hours)
        async with room.db.reading() as tx:
            found = await reading.near(tx, *here, category, reach, since)
        return similar_of(found, *here, desk.rulebook, reach)

    return router
