"""Lists, single requests, tokens, extensions; and what of all that is for whose eyes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.intake.app import http_app
from tests.integration.open311.conftest import V2, Door
from tests.integration.open311.proving import proves

pytestmark = pytest.mark.anyio
LIST = f"{V2}/requests"


def ids(told: list[dict[str, Any]]) -> list[str]:
    return [each["service_request_id"] for each in told]


@proves("list", "list-ids", "empty", "same")
async def test_by_numbers(door: Door) -> None:
    one, two = [await door.filed() for _ in range(2)]
    told = await door.get("requests", LIST, service_request_id=f"{one}, {two},{one},R0", status="closed")
    assert ids(told) == [two, one]
    nothing = {"service_request_id": "", "service_code": "", "status": "", "start_date": "", "page": ""}
    assert ids(await door.get("requests", LIST, **nothing)) == ids(await door.get("requests", LIST))


@proves("list-code")
async def test_by_service(door: Door) -> None:
    litter, unsure = await door.filed(), await door.filed(service_code="unsure")
    both = await door.get("requests", LIST, service_code="unsure,0110")
    assert ids(both)[:2] == [unsure, litter]
    repeated = await door.get("requests", LIST, service_code=["unsure", "0110"])
    assert repeated == both
    assert {each["service_code"] for each in await door.get("requests", LIST, service_code="unsure")} == {"unsure"}
    assert await door.get("requests", LIST, service_code="no-such") == []


@proves("list-status", "single-closed", "single", "times")
async def test_by_status(door: Door) -> None:
    one, two = [await door.filed() for _ in range(2)]
    view = await door.becomes(one, "closed", "closing")
    still_open = ids(await door.get("requests", LIST, status="open"))
    closed = ids(await door.get("requests", LIST, status="closed"))
    assert (one in closed, two in closed, one in still_open, two in still_open) == (True, False, False, True)
    assert {one, two} <= set(ids(await door.get("requests", LIST, status="open,closed")))
    (told,) = await door.get("requests", f"{LIST}/{one}")
    assert told["status"] == "closed"
    assert view.closed_at is not None
    assert datetime.fromisoformat(told["updated_datetime"]) == view.closed_at.replace(microsecond=0)
    assert (await door.get("errors", LIST, 400, status="done"))[0]["description"].startswith("status:")


@proves("list-dates", "list-span")
async def test_by_dates(door: Door) -> None:
    new, old, older = [await door.filed() for _ in range(3)]
    await door.aged(old, 80)
    await door.aged(older, 100)
    now = datetime.now(UTC)

    async def found(**params: str) -> list[str]:
        return [number for number in (new, old, older) if number in ids(await door.get("requests", LIST, **params))]

    assert await found() == [new, old]
    assert await found(end_date=(now - timedelta(days=90)).isoformat()) == [older]
    assert await found(start_date=(now - timedelta(days=101)).isoformat()) == [old, older]
    assert await found(
        start_date=(now - timedelta(days=81)).isoformat(), end_date=(now - timedelta(days=1)).isoformat()
    ) == [old]
    lost_plus = (now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S 00:00")
    assert await found(start_date=lost_plus) == [new]


@proves("list-span")
@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "end_date"),
        ("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z", "end_date"),
        ("2026-02-01T00:00:00", None, "start_date"),
        ("2026-02-01", None, "start_date"),
        (None, "soon", "end_date"),
        (None, "0001-01-01T00:00:00+08:00", "end_date"),
    ],
)
async def test_ranges_that_are_refused(door: Door, first: str | None, last: str | None, field: str) -> None:
    params = {name: value for name, value in (("start_date", first), ("end_date", last)) if value}
    told = await door.get("errors", LIST, 400, **params)
    assert told[0]["description"].startswith(f"{field}:")


@proves("list-volume", "ext-paging")
async def test_pages(door: Door) -> None:
    filed = [await door.filed() for _ in range(5)]
    first = ids(await door.get("requests", LIST, page_size=2))
    second = ids(await door.get("requests", LIST, page_size=2, page=2))
    assert first + second == filed[::-1][:4]
    seen: list[str] = []
    url: httpx.URL | None = httpx.URL(f"{LIST}.json", params={"page_size": "2", "service_code": "0110"})
    while url is not None and len(seen) < 20:
        answer = await door.client.get(url)
        seen += ids(answer.json())
        url = httpx.URL(answer.links["next"]["url"]) if "next" in answer.links else None
        if len(seen) == 2:
            await door.filed()  # what comes in meanwhile moves nothing
    assert seen[:5] == filed[::-1]
    assert len(set(seen)) == len(seen)
    assert (await door.get("errors", LIST, 400, page_size="1001"))[0]["code"] == 400


@proves("ext-updated")
async def test_what_has_moved_since(door: Door) -> None:
    old, master = [await door.filed() for _ in range(2)]
    await door.aged(old, 200)
    await door.aged(master, 200)
    mark = datetime.now(UTC) - timedelta(seconds=1)
    since = {"updated_after": mark.isoformat()}
    assert old not in ids(await door.get("requests", LIST, **since))
    view = await door.becomes(old, "handling", "disposal", "responded")
    assert old in ids(await door.get("requests", LIST, **since))
    before = {"updated_before": (mark - timedelta(days=1)).isoformat()}
    assert old not in ids(await door.get("requests", LIST, **before))
    other = await door.becomes(master, "at_community", "community_call", "called", changed_at=mark)
    await door.becomes(old, "merged", "disposal", "merged", changed_at=mark - timedelta(hours=1), master=other.case_id)
    assert view.case_id != other.case_id
    assert old in ids(await door.get("requests", LIST, updated_after=(mark - timedelta(minutes=1)).isoformat()))
    (told,) = await door.get("requests", f"{LIST}/{old}")
    assert (told["status"], told["status_notes"]) == ("open", "已呼叫社区")


@proves("ext-own")
async def test_a_clients_own(door: Door) -> None:
    mine, numbered = await door.filed(), await door.filed(external_id="A-1")
    theirs = await door.filed(api_key=door.other_key, external_id="A-1")
    own = ids(await door.get("requests", LIST, mine="true", api_key=door.key))
    assert {mine, numbered} <= set(own)
    assert theirs not in own
    assert ids(await door.get("requests", LIST, external_id="A-1", api_key=door.key)) == [numbered]
    assert ids(await door.get("requests", LIST, external_id="A-1", api_key=door.other_key)) == [theirs]
    for params in ({"mine": "true"}, {"external_id": "A-1"}, {"api_key": "wrong"}, {"api_key": door.role_key}):
        assert (await door.get("errors", LIST, 403, **params))[0]["code"] == 403


@proves("ext-state", "ext-absent")
async def test_the_streets_own_state_and_steps(door: Door) -> None:
    number = await door.filed()
    await door.becomes(number, "at_community", "community_call", "called")
    (plain,) = await door.get("requests", f"{LIST}/{number}")
    (told,) = await door.get("extended", f"{LIST}/{number}", extensions="true")
    assert plain == {name: value for name, value in told.items() if name not in ("extended_attributes", "notes")}
    assert told["extended_attributes"]["state"] == "at_community"
    assert told["extended_attributes"]["stage_name"] == "社区呼叫"
    assert [note["type"] for note in told["notes"]] == ["case.called"]
    listed = await door.get("extended", LIST, extensions="true", service_request_id=number)
    assert listed == [told]


@proves("single-unknown", "token-unknown")
@pytest.mark.parametrize("path", ["requests/R0", "requests/a%00b", "tokens/no-such-token-at-all", "tokens/%00"])
async def test_what_is_not_there(door: Door, path: str) -> None:
    assert (await door.get("errors", f"{V2}/{path}", 404))[0]["code"] == 404


@proves("seen-stranger", "seen-own")
async def test_who_filed_it_sees_more(door: Door) -> None:
    number = await door.filed(
        description="301室门口，电话13812345678", address_string="大榕树下12号", external_id="S-1"
    )
    (own,) = await door.get("extended", f"{LIST}/{number}", api_key=door.key, extensions="true")
    assert own["description"] == "301室门口，电话138****5678"
    assert own["address"].startswith("大榕树下12号，")
    assert (own["lat"], own["long"]) == (door.place.lat, door.place.lng)
    for key in ({}, {"api_key": door.other_key}):
        (told,) = await door.get("extended", f"{LIST}/{number}", extensions="true", **key)
        assert (told["description"], told["address_id"]) == (None, None)
        assert "榕树" not in str(told)
        assert "S-1" not in str(told)
        assert told["lat"] == round(door.place.lat or 0, 3)
        assert told["extended_attributes"]["case_no"] is None


@proves("seen-restricted")
async def test_a_restricted_matter(door: Door) -> None:
    services = await door.get("services", f"{V2}/services")
    book = await door.cache.current_rulebook("441802001", door.clock.now())
    codes = {category.code for category in book.categories.values() if category.restricted}
    assert codes <= {service["service_code"] for service in services}
    number = await door.filed(service_code=min(codes), description="邻里争吵")
    for state in (None, "closed"):
        if state:
            await door.becomes(number, state, "closing", restricted=True, category=min(codes))
        (told,) = await door.get("extended", f"{LIST}/{number}", extensions="true")
        shown = {name for name, value in told.items() if value is not None} - {"extended_attributes"}
        names = {"service_request_id", "status", "service_name", "service_code", "agency_responsible"}
        assert shown == names | {"requested_datetime", "address"}
        assert told["status"] == "open", "how it stands is not told"
        assert told["requested_datetime"].endswith("T00:00:00+08:00"), "nor since when, beyond the day in its number"
        assert set(told["extended_attributes"].values()) == {None, told["extended_attributes"]["community"]}
        assert number not in ids(await door.get("requests", LIST))
        assert number not in ids(await door.get("requests", LIST, status="closed"))
    (own,) = await door.get("requests", f"{LIST}/{number}", api_key=door.key)
    assert (own["status"], own["description"], own["lat"]) == ("closed", None, None)


@proves("seen-closed-door")
async def test_reading_may_need_a_key(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRID_OPEN311_READ_KEY", "1")
    app = http_app(door.db, door.cache, door.clock, tmp_path)
    number = await door.filed()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        for path in ("requests", f"requests/{number}"):
            answers = [await client.get(f"{V2}/{path}.json", params=params) for params in ({}, {"api_key": door.key})]
            assert [answer.status_code for answer in answers] == [403, 200], path
        assert (await client.get(f"{V2}/services.xml")).status_code == 200
