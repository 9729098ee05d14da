"""A new request: what it needs, what becomes of it, and what is refused in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from services.intake.app import http_app
from tests.integration.open311 import shapes
from tests.integration.open311.conftest import V2, Door
from tests.integration.open311.proving import proves

pytestmark = pytest.mark.anyio


@proves("create", "create-read", "token", "same")
async def test_create_then_read(door: Door) -> None:
    for form in ("xml", "json"):
        answer = await door.post(door.form(), form)
        assert answer.status_code == 200, answer.text
        told = answer.json() if form == "json" else shapes.of_xml("created", answer.content)
        shapes.check("created", told)
        number = told[0]["service_request_id"]
        (read,) = await door.get("requests", f"{V2}/requests/{number}")
        assert (read["service_request_id"], read["status"], read["service_code"]) == (number, "open", "0110")
        newest = await door.get("requests", f"{V2}/requests", page_size=1)
        assert newest[0] == read
    receipt = (await door.post(door.form(extensions="true"))).json()
    shapes.check("receipt", receipt)
    token = receipt[0]["extended_attributes"]["token"]
    (found,) = await door.get("token", f"{V2}/tokens/{token}")
    assert found == {"service_request_id": receipt[0]["service_request_id"], "token": token}
    page = await door.client.get(httpx.URL(receipt[0]["extended_attributes"]["track_url"]).path)
    assert page.status_code == 200


@proves("create")
async def test_it_is_a_report_like_any_other(door: Door) -> None:
    before = await door.scalar("SELECT count(*) FROM intake.ledger")
    number = await door.filed(description="门口有垃圾，电话13812345678")
    counts = [
        await door.scalar(f"SELECT count(*) FROM intake.{table} JOIN intake.reports USING (report_id)"
                          " WHERE receipt_no = :n", n=number)
        for table in ("ledger", "vault", "track_tokens")
    ]  # fmt: skip
    assert counts == [1, 1, 1]
    assert await door.scalar("SELECT count(*) FROM intake.ledger") == before + 1
    row = "SELECT masked_text || ' ' || source || ' ' || reporter_role FROM intake.reports WHERE receipt_no = :n"
    assert await door.scalar(row, n=number) == "门口有垃圾，电话138****5678 app RP"
    payload = (
        "SELECT convert_from(o.payload, 'UTF8') FROM intake.outbox o JOIN intake.reports r"
        " ON convert_from(o.key, 'UTF8') = r.report_id::text WHERE r.receipt_no = :n"
    )
    assert "13812345678" not in await door.scalar(payload, n=number)


@proves("create-key")
@pytest.mark.parametrize("key", [None, "wrong", "role"])
async def test_a_key_of_this_interface_is_needed(door: Door, key: str | None) -> None:
    told = await door.refused(door.form(api_key=door.role_key if key == "role" else key), 403)
    assert "api_key" in told[0]


@proves("create-key")
async def test_the_key_may_come_in_the_address_or_as_a_bearer(door: Door) -> None:
    body = {name: str(value) for name, value in door.form().items()}
    by_address = await door.client.post(f"{V2}/requests.json", params={"api_key": door.key}, data=body)
    by_header = await door.client.post(
        f"{V2}/requests.json", headers={"authorization": f"Bearer {door.key}"}, data=body
    )
    assert (by_address.status_code, by_header.status_code) == (200, 200)


@proves("create-service", "create-location", "create-attributes", "create-description", "create-media", "empty")
@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"service_code": None}, 400, "service_code"),
        ({"service_code": ""}, 400, "service_code"),
        ({"service_code": "no-such"}, 404, "service_code"),
        ({"lat": None, "long": None}, 400, "lat"),
        ({"long": None}, 400, "long"),
        ({"lat": None}, 400, "lat"),
        ({"lat": "north"}, 400, "lat"),
        ({"long": "nan"}, 400, "long"),
        ({"long": "181"}, 400, "long"),
        ({"lat": "0", "long": "0"}, 400, "position"),
        ({"lat": "113.06", "long": "23.69"}, 400, "position"),
        ({"lat": None, "long": None, "address_id": "no-such"}, 400, "address_id"),
        ({"address_string": "长" * 201}, 400, "address_string"),
        ({"attribute[colour]": "red"}, 400, "attribute[colour]"),
        ({"attribute[condition]": "0110.99"}, 400, "attribute[condition]"),
        ({"attribute[condition]": ["0110.1", "0110.2"]}, 400, "attribute[condition]"),
        ({"attribute[danger]": "maybe"}, 400, "attribute[danger]"),
        ({"attribute[landmark]": "长" * 201}, 400, "attribute[landmark]"),
        ({"attribute[occurred_at]": "yesterday"}, 400, "attribute[occurred_at]"),
        ({"attribute[occurred_at]": "2026-03-02T09:30:00"}, 400, "attribute[occurred_at]"),
        ({"attribute[occurred_at]": "2099-01-01T00:00:00Z"}, 400, "occurred_at"),
        ({"service_code": "unsure", "attribute[condition]": "0110.1"}, 400, "attribute[condition]"),
        ({"service_code": "unsure", "description": None}, 400, "description"),
        ({"description": "长" * 4001}, 400, "description"),
        ({"description": "a\0b"}, 400, "description"),
        ({"media_url": "picture.jpg"}, 400, "media_url"),
        ({"media_url": "file:///etc/passwd"}, 400, "media_url"),
        ({"email": "x" * 201}, 400, "email"),
        ({"external_id": "x" * 129}, 400, "external_id"),
    ],
)
async def test_what_is_refused_names_its_field(door: Door, change: dict[str, Any], status: int, field: str) -> None:
    told = await door.refused(door.form(**change), status)
    assert [words.split(":")[0] for words in told] == [field]


@proves("create-location", "create-attributes", "create-description")
async def test_every_way_to_tell_the_place(door: Door) -> None:
    no_pin: dict[str, Any] = {"lat": None, "long": None}
    words = await door.filed(**no_pin, address_string="大榕树下")
    named = await door.filed(**no_pin, address_id=door.place.place_id, address_string="东侧")
    answers = {
        "attribute[condition]": "0110.1",
        "attribute[danger]": "no",
        "attribute[landmark]": "石桥",
        "attribute[occurred_at]": "2026-03-02T09:30:00+08:00",
    }
    asked = await door.filed(**answers, description="长" * 4000)
    shown = {n: (await door.get("requests", f"{V2}/requests/{n}", api_key=door.key))[0] for n in (words, named, asked)}
    assert shown[words]["address"].startswith("大榕树下，")
    assert shown[named]["address_id"] == door.place.place_id
    assert shown[named]["address"].startswith(f"{door.place.name}，东侧")
    assert shown[asked]["address"].startswith("石桥，")
    assert shown[asked]["description"].startswith("长" * 4000 + "\n情形：")
    danger = await door.filed(**{"attribute[danger]": "yes"})
    assert await door.scalar("SELECT danger FROM intake.reports WHERE receipt_no = :n", n=danger)


@proves("create-form", "errors")
@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/json", b'{"service_code": "0110"}'),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("application/x-www-form-urlencoded", b"description=%ff%fe"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(400))),
        ("application/x-www-form-urlencoded", b"description=" + b"x" * 70_000),
    ],
)
async def test_only_a_readable_form_is_taken(door: Door, media: str, body: bytes) -> None:
    answer = await door.client.post(
        f"{V2}/requests.xml", params={"api_key": door.key}, content=body, headers={"content-type": media}
    )
    assert answer.status_code == 400
    shapes.check("errors", shapes.of_xml("errors", answer.content))


@proves("create-person", "create-media")
async def test_who_reports_lies_in_the_vault_alone(door: Door) -> None:
    person = {"first_name": "小明", "last_name": "欧阳", "phone": "13900001111", "email": "ouyang@example.cn"}
    other = {"device_id": "device-7f3a", "account_id": "account-7f3a", "media_url": "https://p.example/1.jpg"}
    number = await door.filed(**person, **other)
    assert (
        await door.scalar(
            "SELECT count(*) FROM intake.identities JOIN intake.reports USING (report_id) WHERE receipt_no = :n",
            n=number,
        )
        == 1
    )
    for key in (None, door.key, door.other_key):
        told = await door.client.get(
            f"{V2}/requests/{number}.json", params={"extensions": "true", **({"api_key": key} if key else {})}
        )
        assert not any(each in told.text for each in (*person.values(), "device-7f3a", "account-7f3a"))
    everywhere = "SELECT string_agg(convert_from(payload, 'UTF8'), '') FROM intake.outbox"
    published = await door.scalar(everywhere)
    assert not any(each in published for each in (*person.values(), "device-7f3a", "account-7f3a"))
    (own,) = await door.get("requests", f"{V2}/requests/{number}", api_key=door.key)
    assert own["description"].endswith("\n图片链接：https://p.example/1.jpg")
    assert own["media_url"] is None


@proves("ext-repeat")
async def test_a_repeat_is_answered_as_the_first_time(door: Door) -> None:
    form = door.form()
    first, again = [(await door.post(form)).content for _ in range(2)]
    assert first == again
    key = {"Idempotency-Key": "a-key-of-the-client"}
    first, again = [(await door.post(form, **key)).content for _ in range(2)]
    assert first == again
    numbered = door.form(external_id="N-100")
    first, again = [(await door.post(numbered)).content for _ in range(2)]
    assert first == again
    other = (await door.post({**numbered, "api_key": door.other_key})).content
    assert other != first, "numbers and keys belong to the client"


@proves("ext-reused")
async def test_a_key_or_number_used_for_something_else(door: Door) -> None:
    key = {"Idempotency-Key": "another-key"}
    assert (await door.post(door.form(), **key)).status_code == 200
    assert (await door.refused(door.form(), 400, **key))[0].startswith("Idempotency-Key")
    await door.filed(external_id="N-200")
    assert (await door.refused(door.form(external_id="N-200"), 400))[0].startswith("external_id")


@proves("errors-pace", "errors")
async def test_who_goes_too_fast(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCOUNT", 2), ("PAGES", 3)):
        monkeypatch.setenv(f"GRID_INTAKE_{name}_PER_MINUTE", "1")
        monkeypatch.setenv(f"GRID_INTAKE_{name}_BURST", str(value))
    app = http_app(door.db, door.cache, door.clock, tmp_path)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        form = {"api_key": door.key, "service_code": "no-such"}
        filed = [await client.post(f"{V2}/requests.xml", data=form) for _ in range(3)]
        read = [await client.get(f"{V2}/services.xml") for _ in range(4)]
    assert [answer.status_code for answer in filed] == [404, 404, 429]
    assert [answer.status_code for answer in read] == [200, 200, 200, 429]
    for answer in (filed[-1], read[-1]):
        assert int(answer.headers["retry-after"]) > 1
        (error,) = shapes.of_xml("errors", answer.content)
        assert error["code"] == 429
