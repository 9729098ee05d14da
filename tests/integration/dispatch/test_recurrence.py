"""How often the same matter stood at a spot is read from the cases themselves, as far and as far back as the rulebook
says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from schemas.events.parts import CategoryV1, SpotV1
from tests.integration.dispatch.conftest import SignIn, Street

pytestmark = pytest.mark.anyio
METRE = 1 / 111_320
GB = {"scheme": "GB/T 30428.2", "version": "2013"}
LITTER, COVER = CategoryV1(code="0110", **GB), CategoryV1(code="P0102", **GB)


async def seen(street: Street, category: CategoryV1, north_m: float = 0.0) -> dict[str, Any]:
    """A report of this class so far from the spot, and the case it makes."""
    place = {"street": "441802001", "community": "441802001001", "grid": "44180200100101"}
    spot = SpotV1(**place, lng=113.06, lat=23.69 + north_m * METRE)
    case_no = await street.opened(category=category, spot=spot, staff=False, reporter_account=None)
    flags = await street.scalar("SELECT flags FROM dispatch.cases WHERE case_no = :no", no=case_no)
    body: Any = await street.scalar("SELECT body FROM dispatch.cases WHERE case_no = :no", no=case_no)
    return {"case_no": case_no, "flags": flags, "counters": dict(body["counters"])}


async def backdate(street: Street, case_no: str, days: int) -> None:
    async with street.db.transaction() as tx:
        statement = sa.text("UPDATE dispatch.cases SET opened_at = opened_at - :ago WHERE case_no = :no")
        await tx.execute(statement, {"ago": timedelta(days=days), "no": case_no})


async def test_the_third_in_thirty_days_stands_in_the_list_of_hard_ones(street: Street, sign_in: SignIn) -> None:
    first, second = await seen(street, LITTER), await seen(street, LITTER, 30)
    await backdate(street, first["case_no"], 20)
    third = await seen(street, LITTER, 10)
    assert [each["counters"].get("recurrence", 0) for each in (first, second, third)] == [0, 1, 2]
    assert ["hard" in each["flags"] for each in (first, second, third)] == [False, False, True]
    rows = (await (await sign_in("zhiban")).get("/api/v1/queues/hard")).json()["rows"]
    assert [row["case_no"] for row in rows] == [third["case_no"]]


async def test_another_class_another_spot_or_longer_ago_is_no_recurrence(street: Street) -> None:
    old = await seen(street, LITTER)
    await backdate(street, old["case_no"], 31)
    await seen(street, COVER)
    assert "recurrence" not in (await seen(street, LITTER, 60))["counters"]
    assert "recurrence" not in (await seen(street, LITTER, -20))["counters"]


async def test_how_near_is_the_same_spot_the_class_says(street: Street) -> None:
    """A cover is the same one within 15 metres, litter within 50, noise within 200."""
    await seen(street, COVER)
    assert "recurrence" not in (await seen(street, COVER, 20))["counters"]
    assert (await seen(street, COVER, 10))["counters"]["recurrence"] == 2  # the ones 10 metres to either side
    noise = CategoryV1(code="0128", **GB)
    await seen(street, noise)
    assert (await seen(street, noise, 180))["counters"]["recurrence"] == 1
