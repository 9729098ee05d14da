"""House numbers are read by whoever has a share in the case, and by nobody else: lists, page, search, file."""

from __future__ import annotations

import httpx
import pytest

from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import do, get

pytestmark = pytest.mark.anyio
TEXT, PLACE = "楼道堆放杂物，在3栋2单元门口", "鸣翠花苑3栋2单元501室"
HIDDEN = "鸣翠花苑*栋*单元***室"


async def row_of(client: httpx.AsyncClient, case_no: str, words: str) -> dict[str, object] | None:
    answer = await client.get("/api/v1/cases", params={"q": words})
    assert answer.status_code == 200, answer.text
    return next((row for row in answer.json()["rows"] if row["case_no"] == case_no), None)


async def test_they_come_up_with_the_case(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(
        category=await street.category(), staff=False, masked_text=TEXT, masked_place=PLACE, has_place_words=True
    )
    await street.indexed()
    worker, clerk, leader = await sign_in("zhibu01"), await sign_in("shouli"), await sign_in("lingdao")
    page = await get(worker, case_no)
    assert page["place"]["words"] == PLACE
    assert page["reports"][0]["text"] == TEXT
    for other in (clerk, leader):  # the matter is still its grid's; they look over the whole street
        page = await get(other, case_no)
        assert page["place"]["words"] == HIDDEN
        assert (page["reports"][0]["text"], page["reports"][0]["place_words"]) == (
            "楼道堆放杂物，在*栋*单元门口",
            HIDDEN,
        )
        row = await row_of(other, case_no, case_no)
        assert row is not None
        assert (row["address"], row["summary"]) == (HIDDEN, "楼道堆放杂物，在*栋*单元门口")
        for door in ("3栋2单元", "501", "栋2"):  # nor by a part of one
            assert await row_of(other, case_no, door) is None
        assert await row_of(other, case_no, "楼道堆放") is not None
    assert (await row_of(worker, case_no, "3栋2单元") or {})["address"] == PLACE
    written = (await leader.get("/api/v1/export/cases.csv")).text
    assert "501室" not in written
    assert HIDDEN in written
    community = await sign_in("shequ01")
    await do(worker, case_no, "call_up", reason="no_means")
    await do(community, case_no, "call_up", reason="no_enforcement", note="已到3栋2单元劝导")
    page = await get(clerk, case_no)
    assert page["place"]["words"] == PLACE
    assert "501室" in (await leader.get("/api/v1/export/cases.csv")).text
