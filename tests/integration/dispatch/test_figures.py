"""Counting cases, agreement with the rulebook, and the sample street's loader."""

from __future__ import annotations

import pytest

from schemas.events.report import RecordedV1
from services.chassis.directory import DirectoryCache
from services.dispatch.imports import load_sample
from services.dispatch.store.imports import COUNT_BY, Agreement, agreement, count_cases, unknown_units
from services.governance.routing import RouteKind
from tests.integration.dispatch.conftest import Street
from tests.support.sample import SAMPLE

pytestmark = pytest.mark.anyio


async def test_the_sample_loads_once(street: Street) -> None:
    assert await load_sample(street.db, SAMPLE, street.ids) is False
    cache = DirectoryCache(street.db)
    directory = await cache.refresh()
    assert len(directory.communities) == 4
    assert directory.streets["441802001"].sample


async def test_figures_follow_the_rows(street: Street) -> None:
    category = await street.category()
    version = street.cache.current().rulebook_version("441802001", await street.now())
    assert version is not None
    book = await street.cache.rulebook(version)
    named = (line for line in book.catalogue if line.kind is not RouteKind.FALLBACK)
    own = next(line.lead for line in named if category.code in line.categories)
    for unit in (own, own, "外街道单位", None):
        await street.opened(
            category=category,
            staff=False,
            imported_unit=unit,
            recorded=RecordedV1(unit=unit, closed=True, overdue=False, closed_at=await street.now()),
        )
    await street.opened()
    async with street.db.reading() as tx:
        counted = await count_cases(tx, COUNT_BY)
        (same,) = await agreement(tx)
        (stranger,) = await unknown_units(tx)
        by_source = await count_cases(tx, ["category"], "nothing")
    assert counted.header == ("street", "street_name", "category", "category_name", "unit", "unit_name", "cases")
    assert ("441802001", "凤城街道", category.code, None, own, None, 2) in counted.rows
    assert sum(int(row[-1] or 0) for row in counted.rows) == 5
    assert same == Agreement(category.code, 4, 3, 2)
    assert (stranger.unit, stranger.rows) == ("外街道单位", 1)
    assert by_source.rows == []
