"""Other authorities hand matters over: signed, counted once, answered the same for ever, each item judged by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from standardwebhooks.webhooks import Webhook

from schemas.events.report import ReportSubmittedV1
from schemas.registry import decode
from services.chassis.signing import decode_secret
from services.intake.store import partners
from services.intake.usecases.identity import vault_sealer
from services.intake.usecases.partners import new_secret
from tests.integration.intake.conftest import Street

pytestmark = pytest.mark.anyio
LANGUAGES = ("zh-CN", "en-US")


class Partner:
    """Another authority's machine, that signs with the public library."""

    def __init__(self, client: httpx.AsyncClient, name: str, secret: str) -> None:
        self.client, self.name, self.secret = client, name, secret

    async def push(
        self,
        body: Any,
        webhook_id: str = "m1",
        at: datetime | None = None,
        lang: str = "zh-CN",
        raw: bytes | None = None,
    ) -> httpx.Response:
        sent = raw if raw is not None else json.dumps(body, ensure_ascii=False).encode()
        at = at or datetime.now(UTC)
        headers = {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(webhook_id, at, sent.decode("utf-8", "surrogatepass")),
            "content-type": "application/json",
            "accept-language": lang,
        }
        return await self.client.post(f"/api/v1/push/{self.name}", content=sent, headers=headers)


@pytest.fixture
async def nobody(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


async def partner(street: Street, client: httpx.AsyncClient, home: Path, name: str, source: str) -> Partner:
    shown, sealed = new_secret(name, vault_sealer(home))
    async with street.db.transaction() as tx:
        assert await partners.add(tx, name, source, ("CJ/T 214", "2007"), sealed)
    return Partner(client, name, shown)


@pytest.fixture
async def hotline(street: Street, nobody: httpx.AsyncClient, tmp_path: Path) -> Partner:
    return await partner(street, nobody, tmp_path, "hotline", "hotline_12345")


def order(number: str = "GD1", **more: Any) -> dict[str, Any]:
    return {
        "external_id": number,
        "category": {"code": "0210", "name": "暴露垃圾"},
        "nature": "投诉",
        "text": "张三反映门口垃圾，电话13812345678",
        "place_words": "云溪路12号",
        **more,
    }


async def events(street: Street) -> list[ReportSubmittedV1]:
    async with street.db.reading() as tx:
        rows = (await tx.execute(sa.text("SELECT headers, payload FROM intake.outbox ORDER BY id"))).all()
    found = [decode({k: v.encode() for k, v in row.headers.items()}, bytes(row.payload)).data for row in rows]
    assert all(isinstance(one, ReportSubmittedV1) for one in found)
    return found  # type: ignore[return-value]


async def test_a_matter_comes_with_its_numbers_and_its_due_time(
    hotline: Partner, street: Street, tmp_path: Path
) -> None:
    due = "2026-12-24T18:00:00+08:00"
    caller = {"name": "张三", "phone": "13812345678"}
    alias = [{"source": "platform", "external_id": "P7"}]
    answer = await hotline.push(order(due=due, caller=caller, also_known_as=alias))
    assert answer.status_code == 200, answer.text
    (result,) = answer.json()["results"]
    assert (result["result"], result["external_id"]) == ("accepted", "GD1")
    assert result["receipt_no"].startswith("R")
    (event,) = await events(street)
    assert event.partner
    assert event.due_by == datetime.fromisoformat(due)
    assert [(one.system, one.number) for one in event.external] == [("hotline", "GD1"), ("platform", "P7")]
    assert (event.source, event.source_event_id, event.staff) == ("hotline_12345", "hotline:GD1", False)
    assert (event.reporter_account, event.reporter_role) == (None, None)
    told = event.model_dump_json()
    assert "13812345678" not in told
    assert "张三" not in told, "the caller's own name leaves masked"
    async with street.db.reading() as tx:
        row = (await tx.execute(sa.text("SELECT report_id, sealed FROM intake.identities"))).one()
    kept = vault_sealer(tmp_path).identity_of(bytes(row.sealed), row.report_id)
    assert (kept.name, kept.phone) == ("张三", "13812345678")


async def test_the_same_message_has_one_answer_for_ever(hotline: Partner, street: Street) -> None:
    body = {"items": [order("A"), {"external_id": "B"}, order("C")]}
    first, *others = await asyncio.gather(*(hotline.push(body) for _ in range(4)))
    again = await hotline.push(body, lang="en-US")
    assert {first.status_code, again.status_code} == {200}
    assert {one.content for one in (*others, again)} == {first.content}
    assert [one["result"] for one in first.json()["results"]] == ["accepted", "refused", "accepted"]
    assert (first.json()["accepted"], first.json()["known"], first.json()["refused"]) == (2, 0, 1)
    assert await street.count("reports") == await street.count("outbox") == 2
    other = await hotline.push(order("D"))
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_of_a_message_nothing_is_kept_but_its_digest_and_what_became_of_it(
    hotline: Partner, street: Street
) -> None:
    wrong = {"external_id": " 13899887761 ", "text": "找祁冬葵", "caller": {"phone": "13899887761"}}
    body = {"items": [wrong, {"external_id": 7}, order("A")]}
    first = await hotline.push(body)
    assert [one.get("external_id") for one in first.json()["results"]] == ["13899887761", None, "A"]
    async with street.db.reading() as tx:
        row = (await tx.execute(sa.text("SELECT body_sha256, answer FROM intake.pushes"))).one()
    assert bytes(row.body_sha256) == sha256(json.dumps(body, ensure_ascii=False).encode()).digest()
    assert "refused" in row.answer
    for word in ("13899887761", "祁冬葵"):
        assert word not in row.answer
    assert (await hotline.push(body)).content == first.content


async def test_a_number_is_taken_once(hotline: Partner, street: Street) -> None:
    first = (await hotline.push(order(), "m1")).json()["results"][0]
    second = (await hotline.push(order(), "m2")).json()["results"][0]
    third = (await hotline.push({"items": [order(text="别的"), order("N"), order("N")]}, "m3")).json()["results"]
    assert (second["result"], second["id"], second["changed"]) == ("known", first["id"], False)
    assert (third[0]["result"], third[0]["id"], third[0]["changed"]) == ("known", first["id"], True)
    assert [one["result"] for one in third[1:]] == ["accepted", "known"]
    assert third[1]["id"] == third[2]["id"]
    assert await street.count("reports") == 2


async def test_the_same_number_at_once(
    hotline: Partner, street: Street, nobody: httpx.AsyncClient, tmp_path: Path
) -> None:
    answers = await asyncio.gather(*(hotline.push(order(), f"m{n}") for n in range(6)))
    found = [one.json()["results"][0] for one in answers]
    assert sorted(one["result"] for one in found) == ["accepted", *["known"] * 5]
    assert len({one["id"] for one in found}) == 1
    platform = await partner(street, nobody, tmp_path, "platform", "hotline_12345")
    assert (await platform.push(order())).json()["accepted"] == 1, "numbers belong to the partner"
    assert await street.count("reports") == 2


# --- who may ----------------------------------------------------------------------------------------------------------
async def test_only_who_signs_rightly_is_heard(hotline: Partner, street: Street, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    stranger = Partner(hotline.client, "hotline", new_secret("x", vault_sealer(tmp_path))[0])
    unknown = Partner(hotline.client, "nobody", hotline.secret)
    answers = [
        await stranger.push(order()),
        await unknown.push(order()),
        await hotline.push(order(), at=now - timedelta(minutes=6)),
        await hotline.push(order(), at=now + timedelta(minutes=6)),
        await hotline.client.post("/api/v1/push/hotline", json=order()),
        await hotline.push(order(), "x" * 300),
    ]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(401, "signature_invalid")}
    assert await street.count("reports") == await street.count("pushes") == 0


async def test_a_changed_secret_overlaps_for_a_day(hotline: Partner, street: Street, tmp_path: Path) -> None:
    kept = await street.scalar("SELECT secret FROM intake.partners")
    assert decode_secret(hotline.secret) not in bytes(kept)  # type: ignore[call-overload]
    shown, sealed = new_secret("hotline", vault_sealer(tmp_path))
    async with street.db.transaction() as tx:
        assert await partners.rotate(tx, "hotline", sealed)
    fresh = Partner(hotline.client, "hotline", shown)
    assert [(await one.push(order(), f"m{n}")).status_code for n, one in enumerate((fresh, hotline))] == [200, 200]
    async with street.db.transaction() as tx:
        await tx.execute(sa.text("UPDATE intake.partners SET previous_until = directory.grid_now() - interval '1 s'"))
    assert [(await one.push(order(), f"n{n}")).status_code for n, one in enumerate((fresh, hotline))] == [200, 401]
    async with street.db.transaction() as tx:
        assert await partners.remove(tx, "hotline")
        assert not await partners.rotate(tx, "hotline", sealed)
    assert (await fresh.push(order(), "z")).status_code == 401


# --- what is refused, and what is kept all the same -------------------------------------------------------------------
CELL = "position.cell"
WRONG: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("no number", {"external_id": ""}, "external_id", "string_too_short"),
    ("number too long", {"external_id": "x" * 129}, "external_id", "string_too_long"),
    ("number with NUL", {"external_id": "a\0b"}, "external_id", "control_character"),
    ("no place", {"place_words": ""}, "position", "place_missing"),
    ("no matter", {"category": None, "text": ""}, "text", "matter_missing"),
    ("nature unknown", {"nature": "命令"}, "nature", "enum"),
    ("danger in words", {"danger": "是"}, "danger", "bool_type"),
    ("time without zone", {"due": "2026-12-01T10:00:00"}, "due", "timezone_aware"),
    ("no time", {"occurred_at": "昨天"}, "occurred_at", "datetime_from_date_parsing"),
    ("in the future", {"occurred_at": "2099-01-01T00:00:00Z"}, "occurred_at", "in_the_future"),
    ("due before", {"occurred_at": "2026-01-02T00:00:00Z", "due": "2026-01-01T00:00:00Z"}, "due", "due_before_start"),
    ("place on the sea", {"position": {"lng": 0, "lat": 0}}, "position", "position_impossible"),
    ("unknown cell", {"position": {"cell": "000"}}, CELL, "unknown_cell"),
    ("unknown CRS", {"position": {"lng": 113, "lat": 23, "crs": "mars"}}, "position.crs", "literal_error"),
    ("a field too many", {"priority": 1}, "priority", "extra_forbidden"),
    ("alias without number", {"also_known_as": [{"source": "p"}]}, "also_known_as.0.external_id", "missing"),
    (
        "no case of ours",
        {"also_known_as": [{"source": "grid", "external_id": "FC-1"}]},
        "also_known_as",
        "unknown_case",
    ),
    ("text too long", {"text": "长" * 5001}, "text", "string_too_long"),
    ("caller's name", {"caller": {"name": "x" * 101}}, "caller.name", "string_too_long"),
)


async def test_what_is_wrong_is_told_by_item_and_field(hotline: Partner, street: Street) -> None:
    items = [order(f"W{n}", **change) for n, (_, change, _, _) in enumerate(WRONG)]
    for lang in LANGUAGES:
        answer = await hotline.push({"items": [*items, order("good")]}, f"in {lang}", lang=lang)
        *refused, good = answer.json()["results"]
        told = [(one["errors"][0]["field"], one["errors"][0]["code"]) for one in refused]
        assert told == [(field, code) for _, _, field, code in WRONG]
        assert {one["result"] for one in refused} == {"refused"}
        for error in (one["errors"][0] for one in refused):
            for words in (error["message"], error.get("remedy") or error["message"]):
                assert any("\u4e00" <= sign <= "\u9fff" for sign in words) == (lang == "zh-CN"), words
        assert good["id"]
    assert await street.count("reports") == 1


NO_MESSAGES: tuple[tuple[bytes, str], ...] = (
    (b'{"items":', "body"),
    (b"[]", "body"),
    (b'{"items": []}', "items"),
    (b'{"items": [1]}', "items.0"),
    (b'{"items": "x"}', "items"),
    (b'{"items": [{}], "more": 1}', "more"),
    (b'{"external_id": NaN}', "body"),
    (json.dumps({"items": [{}] * 201}).encode(), "items"),
)


async def test_a_message_that_is_none(hotline: Partner, street: Street) -> None:
    for raw, field in NO_MESSAGES:
        answer = await hotline.push(None, raw=raw)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input"), answer.text
        assert answer.json()["errors"][0]["field"] == field
    unsigned = await hotline.client.post("/api/v1/push/hotline", content=b"\xff\xfe")
    assert unsigned.status_code == 401, "unsigned bytes are not even read"
    assert await street.count("pushes") == 0, "it may come again, corrected, under the same id"
    too_much = await hotline.push({"items": [order(text="长" * 1_500_000)]})
    assert (too_much.status_code, too_much.json()["code"]) == (413, "body_too_large")


async def test_a_class_nobody_knows_is_kept_for_a_person(hotline: Partner, street: Street) -> None:
    strange = order(category={"code": "ZZ9", "name": "低空扰民", "scheme": "12345-QY", "version": "2025"})
    assert (await hotline.push(strange)).json()["accepted"] == 1
    (event,) = await events(street)
    assert event.category is not None
    assert (event.category.scheme, event.category.version, event.category.code) == ("12345-QY", "2025", "ZZ9")
    assert event.masked_text.endswith("【低空扰民】")


async def test_a_position_in_their_own_coordinates(hotline: Partner, street: Street) -> None:
    place = next(p for p in street.cache.current().places.values() if p.lng is not None)
    there = {"lng": place.lng, "lat": place.lat, "crs": "GCJ-02"}
    beyond = {"lng": 113.30, "lat": 23.69, "crs": "cgcs2000"}
    answer = await hotline.push({"items": [order("A", position=there), order("B", position=beyond)]})
    assert answer.json()["accepted"] == 2
    inside, outside = await events(street)
    assert inside.spot.lng is not None
    assert abs(inside.spot.lng - float(place.lng or 0)) > 0.001, "converted"
    assert (outside.spot.cell, outside.spot.lng) == (None, 113.3), "kept, for the queue of those beyond the border"
