"""A case keeps the cell of its day: named and drawn as it was, after the grids have been redrawn."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from schemas.events.parts import SpotV1
from services.chassis.coordinates import Crs
from services.chassis.db import move_clock
from services.chassis.directory.areas import day_of
from services.chassis.directory.survey.cells import survey_cells
from services.chassis.directory.survey.keeping import keep_cells
from tests.integration.dispatch.conftest import SignIn, Street
from tests.support.areas import collection, middle
from tests.support.sample import SAMPLE

pytestmark = pytest.mark.anyio
FIRST = [
    feature
    for feature in json.loads((SAMPLE / "cells.geojson").read_text("utf-8"))["features"]
    if feature["properties"]["grid"].startswith("441802001001")
]


async def test_before_and_after_the_change(street: Street, sign_in: SignIn) -> None:
    named = FIRST[0]["properties"]
    lng, lat = middle(FIRST[0])
    spot = SpotV1(
        street=named["code"][:9], community=named["code"][:12], grid=named["grid"], cell=named["code"], lng=lng, lat=lat
    )
    before = await street.opened(spot=spot, masked_place="")
    clerk = await sign_in("shouli")
    place = (await clerk.get(f"/api/v1/cases/{before}")).json()["place"]
    assert (place["cell"], place["cell_name"], place["cell_outline"]) == (named["code"], named["name"], None)
    assert place["words"] == named["name"]

    today = day_of(await street.now())
    heir = named | {"code": named["code"][:12] + "901", "name": "改划单元"}
    other = FIRST[1]["properties"] | {"code": named["code"], "name": "改号单元"}  # the old code, given to the neighbour
    made = [FIRST[0] | {"properties": heir}, FIRST[1] | {"properties": other}, *FIRST[2:]]
    survey = survey_cells(collection(made), street.cache.current(), today + timedelta(days=1), Crs.WGS84)
    async with street.db.transaction() as tx:
        await keep_cells(tx, survey, today + timedelta(days=1), today)
        await move_clock(tx, timedelta(days=1))
    await street.cache.refresh()

    place = (await clerk.get(f"/api/v1/cases/{before}")).json()["place"]
    assert (place["cell"], place["cell_name"], place["words"]) == (named["code"], named["name"], named["name"])
    assert place["cell_outline"] == FIRST[0]["geometry"], "drawn as it was"
    new = spot.model_copy(update={"cell": heir["code"]})
    after = (await clerk.get(f"/api/v1/cases/{await street.opened(spot=new, masked_place='')}")).json()["place"]
    assert (after["cell_name"], after["cell_outline"], after["words"]) == ("改划单元", None, "改划单元")
    late = await street.opened(spot=spot, masked_place="", occurred_at=await street.now() - timedelta(days=1))
    place = (await clerk.get(f"/api/v1/cases/{late}")).json()["place"]
    assert (place["cell_name"], place["words"]) == (named["name"], named["name"]), "its pin tells which cell is meant"
