"""Whoever merges is shown what the case may repeat: the same class, close by, as far as he may read it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from schemas.events.report import SpotV1
from tests.integration.dispatch.conftest import SignIn, Street

pytestmark = pytest.mark.anyio
METRE = 1 / 111_320  # of latitude, in degrees


async def beside(client: httpx.AsyncClient, case_no: str) -> list[dict[str, Any]]:
    """What the form of a merge offers to choose among; nothing where he may not merge."""
    answer = await client.get(f"/api/v1/cases/{case_no}")
    assert answer.status_code == 200, answer.text
    fields = [i for a in answer.json()["actions"] if a["action"] == "merge" for i in a["inputs"]]
    return [choice for field in fields if field["name"] == "master" for choice in field["choices"]]


async def spot(street: Street, north_m: float | None) -> SpotV1:
    """So many metres north of a point in the first grid; None: without a pin."""
    known = (await street.report()).spot
    pin = {"lng": 113.06, "lat": 23.69 + north_m * METRE} if north_m is not None else {}
    return known.model_copy(update=pin)


async def test_the_nearest_of_the_same_class_come_first(street: Street, sign_in: SignIn) -> None:
    kind, other = await street.category(), await street.category(restricted=True)
    case_no = await street.opened(category=kind, spot=await spot(street, 0))
    far = await street.opened(category=kind, spot=await spot(street, 250))
    close = await street.opened(category=kind, spot=await spot(street, 40))
    for north_m, category in ((400, kind), (10, other)):
        await street.opened(category=category, spot=await spot(street, north_m))
    clerk = await sign_in("shouli")
    found = await beside(clerk, case_no)
    assert [one["id"] for one in found] == [close, far]
    assert [one["label"] for one in found] == ["垃圾堆在路口"] * 2
    for one, told in zip(found, ("相距40米", "相距250米"), strict=True):
        assert one["detail"].startswith(f"{one['id']} · {told} · 上报1次 · 已上报待研判")


async def test_without_a_pin_it_is_the_cell_and_nobody_is_shown_what_he_may_not_read(
    street: Street, sign_in: SignIn
) -> None:
    kind = await street.category()
    case_no, other = [await street.opened(category=kind, spot=await spot(street, None)) for _ in range(2)]
    assert [one["id"] for one in await beside(await sign_in("shouli"), case_no)] == [other]
    quarrel = await street.category(restricted=True)
    hidden, hidden_too = [await street.opened(category=quarrel, spot=await spot(street, None)) for _ in range(2)]
    assert [one["id"] for one in await beside(await sign_in("zhibu01"), hidden)] == [hidden_too]
    assert await beside(await sign_in("shouli"), hidden) == []
