"""Grids were redrawn at midnight: each report lies in the cells of the day on which its position was taken."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.chassis.coordinates import Crs
from services.chassis.db import grid_now, move_clock
from services.chassis.directory.areas import day_of
from services.chassis.directory.survey.cells import survey_cells
from services.chassis.directory.survey.keeping import keep_cells
from tests.integration.intake.conftest import Street, key
from tests.support.areas import Feature, collection, middle
from tests.support.sample import SAMPLE

pytestmark = pytest.mark.anyio
URL = "/api/v1/reports"
FIRST = [
    feature
    for feature in json.loads((SAMPLE / "cells.geojson").read_text("utf-8"))["features"]
    if feature["properties"]["code"].startswith("441802001001")
]
ENDED, DIVIDED = (feature["properties"]["code"] for feature in FIRST[:2])
HEIR = ENDED[:12] + "901"
PIN = middle(FIRST[0])


def halves(feature: Feature) -> list[Feature]:
    """A cell cut from its first corner to the one across, each part under a new code."""
    ring = feature["geometry"]["coordinates"][0][:-1]
    across = len(ring) // 2
    parts = ([*ring[: across + 1], ring[0]], [*ring[across:], ring[0], ring[across]])
    return [
        {
            "type": "Feature",
            "properties": feature["properties"] | {"code": ENDED[:12] + code, "name": code},
            "geometry": {"type": "Polygon", "coordinates": [list(part)]},
        }
        for code, part in zip(("902", "903"), parts, strict=True)
    ]


@pytest.fixture(autouse=True)
async def midnight(street: Street) -> date:
    """One cell goes on under another code, one is divided; then a day passes. Answers the new cells' first day."""
    async with street.db.reading() as tx:
        today = day_of(await grid_now(tx))
    tomorrow = today + timedelta(days=1)
    renamed = FIRST[0] | {"properties": FIRST[0]["properties"] | {"code": HEIR, "name": "改划单元"}}
    made = [renamed, *halves(FIRST[1]), *FIRST[2:]]
    survey = survey_cells(collection(made), street.cache.current(), tomorrow, Crs.WGS84)
    assert survey.faults == []
    async with street.db.transaction() as tx:
        await keep_cells(tx, survey, tomorrow, today)
    await street.cache.refresh()
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(days=1))
    return tomorrow


async def sent(worker: httpx.AsyncClient, report: dict[str, object], **changes: object) -> dict[str, Any]:
    answer = await worker.post(URL, json={**report, **changes}, headers=key())
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def pin(at: datetime | None = None, lng: float = PIN[0], lat: float = PIN[1]) -> dict[str, object]:
    return {"lng": lng, "lat": lat, "at": at.isoformat() if at else None}


async def test_a_pin_lies_in_the_cell_of_the_day_it_was_taken(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object]
) -> None:
    async with street.db.reading() as tx:
        now = await grid_now(tx)
    yesterday = now - timedelta(days=1)
    assert HEIR not in street.cache.current().cells, "this process has not looked yet, and need not"
    assert (await sent(worker, report, position=pin()))["cell"] == HEIR
    assert (await sent(worker, report, position=pin(now)))["cell"] == HEIR
    waited = await sent(worker, report, position=pin(yesterday), client_at=now.isoformat())
    assert waited["cell"] == ENDED, "a report that waited on the phone"
    assert (await sent(worker, report, position=pin(), occurred_at=yesterday.isoformat()))["cell"] == ENDED
    wrong = await sent(worker, report, position=pin(now + timedelta(days=400)))
    assert wrong["cell"] == HEIR, "a phone whose clock runs ahead"
    stored = await street.scalar("SELECT raw_crs FROM intake.reports WHERE report_id = :id", id=waited["id"])
    assert stored == "wgs84"


async def test_a_cell_of_yesterday_chosen_on_a_phone_is_never_an_error(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object], midnight: date
) -> None:
    async with street.db.reading() as tx:
        now = await grid_now(tx)
    yesterday = (now - timedelta(days=1)).isoformat()
    plain = report | {"place_words": "门口"}
    assert (await sent(worker, plain, position={"cell": ENDED}, occurred_at=yesterday))["cell"] == ENDED
    assert (await sent(worker, plain, position={"cell": ENDED}))["cell"] == HEIR, "what took its ground over"
    divided = await sent(worker, plain, position={"cell": DIVIDED})
    assert (divided["cell"], divided["cross_border"]) == (None, False)
    spot = "SELECT street || ' ' || community || ' ' || coalesce(grid, '-') FROM intake.reports WHERE report_id = :id"
    assert await street.scalar(spot, id=divided["id"]) == f"{ENDED[:9]} {ENDED[:12]} -"
    await street.cache.refresh()
    named = next(p for p in street.cache.current().places.values() if p.place_id.startswith(DIVIDED))
    by_place = await sent(worker, report, position={"cell": DIVIDED}, place_words=named.name)
    assert by_place["cell"] == named.cell
    assert str(named.cell)[-3:] in ("902", "903")
    unknown = await worker.post(URL, json=plain | {"position": {"cell": "441802001001999"}}, headers=key())
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (422, "unknown_cell")


async def test_the_form_and_its_places_are_those_of_today(worker: httpx.AsyncClient, street: Street) -> None:
    await street.cache.refresh()
    cells = (await worker.get("/api/v1/form")).json()["cells"]["features"]
    codes = {cell["properties"]["code"] for cell in cells}
    assert HEIR in codes
    assert not {ENDED, DIVIDED} & codes
    asked = {"lng": PIN[0], "lat": PIN[1], "limit": 5}
    near = (await worker.get("/api/v1/places", params=asked)).json()["places"]
    assert [place["distance_m"] for place in near] == sorted(place["distance_m"] for place in near)
    assert {place["cell"] for place in near} <= codes
    grid = FIRST[0]["properties"]["grid"]
    own = (await worker.get("/api/v1/places", params={"grid": grid})).json()["places"]
    of_grid = {cell["properties"]["code"] for cell in cells if cell["properties"]["grid"] == grid}
    assert {place["cell"] for place in own} == of_grid
