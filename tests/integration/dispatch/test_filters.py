"""Narrowed lists: what passes a filter, what a filter must not tell, and lists that are kept under a name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.chassis.db import move_clock
from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import get
from tests.integration.dispatch.test_queues import dispatched, ids_in

pytestmark = pytest.mark.anyio


async def row_of(client: httpx.AsyncClient, queue: str, case_no: str) -> dict[str, Any]:
    rows = (await client.get(f"/api/v1/queues/{queue}")).json()["rows"]
    return next(row for row in rows if row["case_no"] == case_no)


async def test_a_row_passes_by_what_it_says_of_itself(street: Street, sign_in: SignIn) -> None:
    clerk = await sign_in("shouli")
    handed, other = await dispatched(street, sign_in), await street.opened()
    shown, waiting = await row_of(clerk, "to_sign", handed), await row_of(clerk, "branch_triage", other)
    assert shown["unit"] == "zhifadui"
    assert len(shown["community"]) == 12
    for field in ("urgency", "tier", "community", "unit"):
        assert await ids_in(clerk, "to_sign", **{field: f"nobody,{shown[field]}"}) == [handed], field
        assert await ids_in(clerk, "to_sign", **{field: "nobody"}) == [], field
    assert await ids_in(clerk, "to_sign", category=shown["category"]["code"], urgency=shown["urgency"]) == [handed]
    assert await ids_in(clerk, "to_sign", category=shown["category"]["code"], urgency="U0") == []
    assert await ids_in(clerk, "branch_triage", tier=waiting["tier"]) == [other]


async def test_what_is_late_and_what_will_be_soon_is_asked_of_the_clock(street: Street, sign_in: SignIn) -> None:
    clerk, case_no = await sign_in("shouli"), await street.opened()
    assert await ids_in(clerk, "branch_triage", late="over,soon") == []
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(days=30))
    assert await ids_in(clerk, "branch_triage", late="over") == [case_no]
    assert await ids_in(clerk, "branch_triage", late="soon") == []
    wrong = await clerk.get("/api/v1/queues/branch_triage", params={"late": "soon-ish"})
    assert wrong.status_code == 422
    assert [one["field"] for one in wrong.json()["errors"]] == ["late"]


async def test_a_filter_does_not_tell_how_urgent_a_restricted_case_is(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(category=await street.category(restricted=True))
    branch, clerk = await sign_in("zhibu01"), await sign_in("shouli")
    urgency = (await get(branch, case_no))["urgency"]
    assert await ids_in(branch, "grid_open", urgency=urgency) == [case_no]
    seen = await row_of(clerk, "grid_open", case_no)
    assert seen["urgency"] is None
    assert seen["unit"] is None
    assert await ids_in(clerk, "grid_open", urgency="U0,U1,U2,U3") == []
    assert await ids_in(clerk, "grid_open", tier="T0,T1,T2,T3") == []
    assert await ids_in(clerk, "grid_open", community=seen["community"]) == [case_no]
    assert await ids_in(clerk, "grid_open", category=seen["category"]["code"]) == [case_no]


async def test_there_is_to_choose_what_the_street_has(street: Street, sign_in: SignIn) -> None:
    told = (await (await sign_in("shouli")).get("/api/v1/filters")).json()
    assert {"zhifadui", "huanwei"} <= {one["id"] for one in told["unit"]}
    assert {len(one["id"]) for one in told["community"]} == {12}
    assert all(one["label"] and one["label"] != one["id"] for group in told.values() for one in group)
    assert (await street.category()).code in {one["id"] for one in told["category"]}


async def test_a_list_is_kept_under_a_name_for_its_keeper_alone(sign_in: SignIn) -> None:
    clerk, chief = await sign_in("shouli"), await sign_in("zhiban")
    kept = {"name": "执法队超期的", "address": "/queues/in_handling?unit=zhifadui&late=over"}
    for name in ("先叫这个", kept["name"]):
        assert (await clerk.put("/api/v1/views/one", json=kept | {"name": name})).status_code == 200
    assert (await clerk.get("/api/v1/views")).json() == {"views": [{"id": "one", **kept}]}
    assert (await chief.get("/api/v1/views")).json() == {"views": []}
    assert (await chief.delete("/api/v1/views/one")).status_code == 204
    assert len((await clerk.get("/api/v1/views")).json()["views"]) == 1
    for address in ("https://elsewhere.example", "/queues/intake?x=<b>", "//elsewhere.example", "/audit"):
        assert (await clerk.put("/api/v1/views/two", json=kept | {"address": address})).status_code == 422, address
    assert (await clerk.delete("/api/v1/views/one")).status_code == 204
    assert (await clerk.get("/api/v1/views")).json() == {"views": []}


async def test_forty_lists_are_kept_and_no_more(sign_in: SignIn) -> None:
    clerk = await sign_in("shouli")
    kept = {"name": "超期", "address": "/queues/overdue"}
    for n in range(40):
        assert (await clerk.put(f"/api/v1/views/{n}", json=kept)).status_code == 200
    refused = await clerk.put("/api/v1/views/40", json=kept)
    assert refused.status_code == 422
    assert "40" in refused.json()["detail"]
    assert (await clerk.put("/api/v1/views/7", json=kept | {"name": "换个名字"})).status_code == 200
