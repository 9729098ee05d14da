"""Named places that passed their survey, kept: beside those that are there, or in place of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.audit import Audited, Entry, by_hand, record
from services.chassis.directory import tables as t
from services.chassis.directory.model import Place
from services.chassis.directory.write import raise_revision, upsert


@dataclass(frozen=True, slots=True)
class PlacesKept:
    """What became of a file: places `written` new or changed, the `same` as before, `removed` from before."""

    written: int
    same: int
    removed: int


async def keep_places(tx: AsyncConnection, places: Sequence[Place], *, replacing: bool) -> PlacesKept:
    """Add the file's places and bring known ones up to date; `replacing` removes all others of the same communities.

    Reports keep the words that they were made with, whatever becomes of a place.
    """
    await tx.execute(sa.select(t.directory_rev.c.rev).with_for_update())  # one file after the other
    removed = 0
    if replacing:
        communities = sorted({place.cell[:12] for place in places if place.cell})
        others = sa.and_(
            sa.func.left(t.places.c.cell, 12).in_(communities),
            t.places.c.place_id != sa.all_(sa.literal([place.place_id for place in places], ARRAY(sa.Text))),
        )
        removed = (await tx.execute(sa.delete(t.places).where(others))).rowcount
    written = await upsert(tx, t.places, [{**asdict(place), "loaded": True} for place in places])
    if written or removed:
        await raise_revision(tx)
        streets = sorted({place.cell[:9] for place in places if place.cell})
        told = {"places": written, "removed": removed}
        await record(tx, Entry(Audited.DIRECTORY_LOADED, by_hand(), ",".join(streets), details=told))
    return PlacesKept(written, len(places) - written, removed)
