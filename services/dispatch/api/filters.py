"""Narrowing a list: the words of a request, and what there is to choose from."""

from __future__ import annotations

from typing import Annotated, get_args

from fastapi import APIRouter, Query

from schemas.api.dispatch import FilterChoicesOut, InputChoiceOut
from services.chassis.auth import CurrentPerson
from services.chassis.db import grid_now
from services.dispatch.api.wiring import Parts
from services.dispatch.store.filters import Filter, Late

router = APIRouter(prefix="/api/v1", tags=["queues"])
Codes = Annotated[str, Query(max_length=1000, description="codes, comma separated: any of them")]


async def filter_asked(
    urgency: Codes = "",
    tier: Codes = "",
    community: Codes = "",
    category: Codes = "",
    unit: Codes = "",
    late: Annotated[
        str, Query(pattern=r"^((over|soon)(,(over|soon))?)?$", description="over, soon or both, comma separated")
    ] = "",
) -> Filter:
    """The filter of a request; a code that nobody has finds nothing."""
    moments = frozenset(each for each in get_args(Late) if each in _codes(late))
    return Filter(_codes(urgency), _codes(tier), _codes(community), _codes(category), _codes(unit), moments)


@router.get("/filters", summary="What lists can be narrowed by")
async def filter_choices(person: CurrentPerson, parts: Parts) -> FilterChoicesOut:
    """Communities, classes and units of the caller's streets, by name; a person without a street has none."""
    directory = parts.directory.current()
    streets = [code for code in directory.streets if any(_meet(code, post.area) for post in person.posts)]
    async with parts.db.reading() as tx:
        now = await grid_now(tx)
    versions = {directory.rulebook_version(street, now) for street in streets}
    books = [await parts.directory.rulebook(version) for version in sorted(filter(None, versions))]
    return FilterChoicesOut(
        community=_sorted({one.code: one.name for one in directory.communities.values() if one.street in streets}),
        category=_sorted({one.code: one.name for book in books for one in book.categories.values()}),
        unit=_sorted({one.code: one.name for book in books for one in book.units.values()}),
    )


def _meet(street: str, area: str) -> bool:
    """Whether an area of a post lies in the street, or the street in it."""
    return street.startswith(area) or area.startswith(street)


def _codes(joined: str) -> frozenset[str]:
    return frozenset(part.strip() for part in joined.split(",") if part.strip())


def _sorted(names: dict[str, str]) -> tuple[InputChoiceOut, ...]:
    return tuple(InputChoiceOut(id=code, label=names[code]) for code in sorted(names))
