"""Cells kept from a day on, places kept beside or in place of others; and what a cache makes of it on the day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.chassis.coordinates import Crs
from services.chassis.db import Database, move_clock
from services.chassis.directory import Directory, DirectoryCache
from services.chassis.directory import tables as t
from services.chassis.directory.areas import EVER
from services.chassis.directory.load import load_street
from services.chassis.directory.read import read_head
from services.chassis.directory.survey.cells import survey_cells
from services.chassis.directory.survey.faults import FaultKind, FaultyFile
from services.chassis.directory.survey.keeping import CellsKept, keep_cells
from services.chassis.directory.survey.keeping_places import PlacesKept, keep_places
from services.chassis.directory.survey.places import survey_places
from services.chassis.directory.write import raise_revision, upsert
from services.chassis.ids import SystemIds
from tests.support.areas import Feature, collection, directory, features, middle

pytestmark = pytest.mark.anyio
SAMPLE = Path(__file__).resolve().parents[4] / "deploy" / "sample" / "fengcheng"
CELLS = features(3, 6)
FIRST = CELLS[:6]
CODE = FIRST[0]["properties"]["code"]
PIN = middle(FIRST[0])
TOMORROW = timedelta(days=1)


@pytest.fixture
async def cache(database: Database) -> DirectoryCache:
    """A street of three communities with a place in each cell, as its folder would bring them."""
    there = directory(CELLS)
    cells = [{**feature["properties"], "geometry": feature["geometry"]} for feature in CELLS]
    async with database.transaction() as tx:
        await upsert(tx, t.streets, [asdict(street) for street in there.streets.values()])
        await upsert(tx, t.communities, [asdict(community) for community in there.communities.values()])
        await upsert(tx, t.grids, [asdict(grid) for grid in there.grids.values()])
        await upsert(tx, t.cells, cells)
        await upsert(tx, t.cell_versions, [{**cell, "since": EVER} for cell in cells])
        await upsert(tx, t.places, [_place(feature) for feature in CELLS])
        await raise_revision(tx, cells=True)
    made = DirectoryCache(database)
    await made.refresh()
    return made


def _place(feature: Feature) -> dict[str, object]:
    code, (lng, lat) = feature["properties"]["code"], middle(feature)
    return {
        "place_id": f"{code}-01",
        "name": f"{code}号院",
        "kind": "小区",
        "cell": code,
        "lng": lng,
        "lat": lat,
        "initials": "hy",
    }


def redrawn(**codes: str) -> list[Feature]:
    """The first community's cells with some codes replaced."""
    made: list[Feature] = json.loads(json.dumps(FIRST))
    for feature in made:
        old = feature["properties"]["code"][-3:]
        feature["properties"]["code"] = feature["properties"]["code"][:-3] + codes.get(f"c{old}", old)
    return made


async def today(cache: DirectoryCache) -> date:
    async with cache._db.reading() as tx:
        return (await read_head(tx)).day


async def keep(cache: DirectoryCache, made: Sequence[Feature], day: date) -> CellsKept:
    there = await cache.refresh()
    survey = survey_cells(collection(made), there, day, Crs.WGS84)
    assert survey.faults == []
    async with cache._db.transaction() as tx:
        return await keep_cells(tx, survey, day, await today(cache))


async def pass_a_day(cache: DirectoryCache, ahead: timedelta = TOMORROW) -> Directory:
    async with cache._db.transaction() as tx:
        await move_clock(tx, ahead)
    return await cache.refresh()


async def test_a_planned_version_begins_by_itself_and_what_ended_stays_readable(cache: DirectoryCache) -> None:
    day = await today(cache) + TOMORROW
    assert await keep(cache, redrawn(c001="901"), day) == CellsKept(day, new=1, changed=0, same=len(FIRST) - 1, ended=1)
    before = await cache.refresh()
    heir = CODE[:-3] + "901"
    assert before.cell_at(*PIN) is not None
    assert (CODE in before.cells, heir in before.cells) == (True, False)
    later = before.cell_at(*PIN, day)
    assert later is not None
    assert later.code == heir
    rev = before.rev

    after = await pass_a_day(cache)
    assert (CODE in after.cells, heir in after.cells) == (False, True)
    assert after.rev == rev, "nobody had to write anything"
    assert after.name_of(CODE) == FIRST[0]["properties"]["name"]
    there = after.cell_at(*PIN, day - TOMORROW)
    assert there is not None
    assert there.code == CODE
    moved = [place for place in after.places.values() if place.place_id.startswith(CODE)]
    assert moved
    assert {place.cell for place in moved} == {heir}, "places stay where they are"


async def test_loading_the_same_again_changes_nothing(cache: DirectoryCache) -> None:
    day = await today(cache) + TOMORROW
    await keep(cache, redrawn(c001="901"), day)
    rev = (await cache.refresh()).rev
    assert await keep(cache, redrawn(c001="901"), day) == CellsKept(day, 0, 0, len(FIRST), 0)
    assert (await cache.refresh()).rev == rev


async def test_a_plan_can_be_corrected_before_its_day(cache: DirectoryCache) -> None:
    day = await today(cache) + TOMORROW
    await keep(cache, redrawn(c001="901"), day)
    await keep(cache, redrawn(c002="902"), day)
    after = await pass_a_day(cache)
    first = {code[-3:] for code in after.cells if code.startswith("441802001001")}
    assert "902" in first
    assert "001" in first
    assert not {"901", "002"} & first


async def test_what_is_planned_for_later_stays_planned(cache: DirectoryCache) -> None:
    now = await today(cache)
    await keep(cache, redrawn(c001="901"), now + 3 * TOMORROW)
    await keep(cache, redrawn(c002="902"), now + TOMORROW)
    there = await cache.refresh()

    def codes(days: int) -> set[str]:
        cells = there.cells_on(now + days * TOMORROW).cells
        return {code[-3:] for code in cells if code.startswith("441802001001")} & {"001", "002", "901", "902"}

    assert [codes(days) for days in range(4)] == [{"001", "002"}, {"001", "902"}, {"001", "902"}, {"901", "002"}]


async def test_the_past_is_not_redrawn(cache: DirectoryCache) -> None:
    with pytest.raises(FaultyFile) as refused:
        await keep(cache, redrawn(c001="901"), await today(cache) - TOMORROW)
    assert [fault.kind for fault in refused.value.faults] == [FaultKind.IN_THE_PAST]


async def test_a_day_with_its_own_cells_can_be_corrected_on_that_day(cache: DirectoryCache) -> None:
    now = await today(cache)
    await keep(cache, redrawn(c001="901"), now)
    await keep(cache, FIRST, now)
    there = await cache.refresh()
    assert CODE in there.cells
    assert CODE[:-3] + "901" not in there.cells
    assert there.name_of(CODE[:-3] + "901") == FIRST[0]["properties"]["name"], "reports of the morning name it"


async def test_the_first_cells_of_a_community_count_for_all_days_before(cache: DirectoryCache) -> None:
    async with cache._db.transaction() as tx:
        await tx.execute(sa.text("DELETE FROM directory.places"))
        await tx.execute(sa.text("DELETE FROM directory.cell_versions"))
        await tx.execute(sa.text("DELETE FROM directory.cells"))
        await tx.execute(sa.text("UPDATE directory.directory_rev SET rev = rev + 1, cells = rev + 1"))
    await keep(cache, CELLS, await today(cache))
    there = await cache.refresh()
    assert there.cell_at(*PIN, date(2018, 2, 1)) is not None


# --- places ---------------------------------------------------------------------------------------------------------
async def keep_file(cache: DirectoryCache, *lines: str, replacing: bool = False) -> PlacesKept:
    text = "\n".join(("id,name,kind,cell,lng,lat", *lines)) + "\n"
    survey = survey_places(text, "p.csv", await cache.refresh(), Crs.WGS84)
    assert survey.faults == []
    async with cache._db.transaction() as tx:
        return await keep_places(tx, survey.places, replacing=replacing)


async def test_places_come_beside_those_that_are_there_or_in_place_of_them(cache: DirectoryCache) -> None:
    before = len((await cache.refresh()).places)
    line = f"x1,单家桥,地标,,{PIN[0]},{PIN[1]}"
    assert await keep_file(cache, line) == PlacesKept(1, 0, 0)
    assert await keep_file(cache, line) == PlacesKept(0, 1, 0)
    there = await cache.refresh()
    assert len(there.places) == before + 1
    assert {place.name for place in there.find_places("sjq")} == {"单家桥"}, "a surname's reading"
    kept = await keep_file(cache, line, replacing=True)
    assert kept.removed == len(FIRST)
    left = (await cache.refresh()).places
    assert [place.place_id for place in left.values() if (place.cell or "").startswith("441802001001")] == ["x1"]
    assert len(left) > 1, "other communities keep theirs"


async def test_each_load_is_on_record(cache: DirectoryCache) -> None:
    await keep(cache, redrawn(c001="901"), await today(cache) + TOMORROW)
    await keep_file(cache, f"x1,钟楼,地标,,{PIN[0]},{PIN[1]}")
    async with cache._db.reading() as tx:
        query = (
            "SELECT subject, details FROM identity.audit_log WHERE action = 'directory.loaded' ORDER BY at DESC LIMIT 2"
        )
        rows: list[Any] = list(await tx.execute(sa.text(query)))
    assert [row.subject for row in rows] == ["441802001", "441802001"]
    assert [sorted(row.details) for row in rows] == [["places", "removed"], ["changed", "ended", "from", "new"]]


async def test_the_streets_folder_leaves_alone_what_came_by_a_file(database: Database) -> None:
    cache = DirectoryCache(database)
    async with database.transaction() as tx:
        await load_street(tx, SAMPLE, SystemIds())
    sample: list[Feature] = json.loads((SAMPLE / "cells.geojson").read_text("utf-8"))["features"]
    own = [feature for feature in sample if feature["properties"]["code"].startswith(CODE[:12])]
    own[0]["properties"] |= {"code": CODE[:12] + "901"}
    await keep(cache, own, await today(cache))
    lng, lat = middle(own[1])
    await keep_file(cache, f"x1,钟楼,地标,,{lng},{lat}", replacing=True)
    async with database.transaction() as tx:
        assert not await load_street(tx, SAMPLE, SystemIds())
    there = await cache.refresh()
    assert CODE not in there.cells
    assert [place.name for place in there.places.values() if (place.cell or "").startswith(CODE[:12])] == ["钟楼"]
