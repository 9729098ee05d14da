"""POST /api/v1/reports: acknowledged once, refused with field and remedy, many in one commit."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy import make_url
from structlog.testing import capture_logs

from schemas.registry import decode
from services.chassis.db import grid_now, move_clock
from services.intake.usecases.identity import vault_sealer
from tests.integration.intake.conftest import SignIn, Street, key
from tests.support.postgres import TestServer

pytestmark = pytest.mark.anyio
URL = "/api/v1/reports"


async def test_a_report_is_stored_with_ledger_and_event(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object], tmp_path: Path
) -> None:
    own_id = str(uuid4())
    answer = await worker.post(URL, json=report, headers=key(own_id))
    assert answer.status_code == 201
    body = answer.json()
    assert body["id"] == own_id
    assert body["receipt_no"].startswith("R")
    assert body["due_at"] is not None
    async with street.db.reading() as tx:
        rows = (await tx.execute(sa.text("SELECT headers, payload, key, topic FROM intake.outbox"))).all()
        stored = (await tx.execute(sa.text("SELECT masked_text, cell, event_seq FROM intake.reports"))).one()
        kept = (await tx.execute(sa.text("SELECT text, sealed FROM intake.vault"))).one()
    (row,) = rows
    event = decode({name: value.encode() for name, value in row.headers.items()}, bytes(row.payload))
    assert (row.topic, bytes(row.key), event.sequence, event.type) == (
        "grid.report.v1",
        own_id.encode(),
        1,
        "report.submitted",
    )
    assert b"13812345678" not in bytes(row.payload)
    assert stored.masked_text == "门口垃圾，联系电话138****5678"
    assert stored.cell == body["cell"]
    assert kept.text == ""
    assert b"13812345678" not in bytes(kept.sealed)
    sealer = vault_sealer(tmp_path)
    assert sealer.words_of(bytes(kept.sealed), UUID(own_id))[0] == report["text"]
    assert await street.count("ledger") == 1


async def test_the_same_key_again_gets_the_same_answer(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object]
) -> None:
    headers = key()
    first = await worker.post(URL, json=report, headers=headers)
    reordered = json.dumps(dict(reversed(report.items()))).encode()
    again = await worker.post(URL, content=reordered, headers={**headers, "content-type": "application/json"})
    assert (again.status_code, again.content) == (201, first.content)
    other = await worker.post(URL, json={**report, "text": "别的"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await street.count("reports") == await street.count("outbox") == 1


async def test_the_time_is_the_databases_however_its_clock_jumps(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object]
) -> None:
    """Time and number come along with the write before; they are not taken where they have gone wrong meanwhile."""
    answers = [await worker.post(URL, json=report, headers=key())]
    for ahead in (timedelta(hours=3), -timedelta(minutes=5)):
        async with street.db.transaction() as tx:
            await move_clock(tx, ahead)
            before = await grid_now(tx)
        answers += [await worker.post(URL, json=report, headers=key()) for _ in range(2)]
        for answer in answers[-2:]:
            made = datetime.fromisoformat(answer.json()["created_at"])
            query = "SELECT created_at FROM intake.outbox WHERE key = CAST(:id AS bytea)"
            written = await street.scalar(query, id=answer.json()["id"].encode())
            assert isinstance(written, datetime)
            assert before <= made <= written
    numbers = [answer.json()["receipt_no"] for answer in answers]
    assert len(set(numbers)) == 5
    assert await street.count("reports") == 5


async def test_keys_belong_to_the_caller(sign_in: SignIn, street: Street, report: dict[str, object]) -> None:
    headers = key()
    mine = await (await sign_in("wangge01")).post(URL, json=report, headers=headers)
    other = await (await sign_in("shequ01")).post(URL, json=report, headers=headers)
    assert (mine.status_code, other.status_code) == (201, 201)
    assert mine.json()["id"] != other.json()["id"]
    assert await street.count("reports") == 2


async def test_a_key_that_is_no_uuid(worker: httpx.AsyncClient, report: dict[str, object]) -> None:
    first, again = [await worker.post(URL, json=report, headers=key("draft-7")) for _ in range(2)]
    assert first.status_code == 201
    assert UUID(first.json()["id"])
    assert again.content == first.content


async def test_fifty_at_once_share_commits(
    app: FastAPI, worker: httpx.AsyncClient, street: Street, report: dict[str, object]
) -> None:
    before = await street.scalar("SELECT count(DISTINCT xid) FROM intake.outbox")
    answers = await asyncio.gather(*(worker.post(URL, json=report, headers=key()) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["receipt_no"] for answer in answers}) == 50
    commits = await street.scalar("SELECT count(DISTINCT xid) FROM intake.outbox")
    assert before == 0
    assert isinstance(commits, int)
    assert commits < 25
    for table in ("ledger", "reports", "vault", "track_tokens", "outbox"):
        assert await street.count(table) == 50, table


async def test_the_same_key_at_once_makes_one_report(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object]
) -> None:
    headers = key()
    answers = await asyncio.gather(*(worker.post(URL, json=report, headers=headers) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await street.count("reports") == 1


async def test_bad_row_spares_its_neighbours(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object]
) -> None:
    """A check in the database refuses one row; the others of its batch go through."""
    async with street.db.transaction() as tx:
        await tx.execute(sa.text("ALTER TABLE intake.reports ADD CHECK (masked_text NOT LIKE '%毒%')"))
    bodies = [report | {"text": "有毒" if n == 3 else f"第{n}件"} for n in range(20)]
    with capture_logs() as logs:
        answers = await asyncio.gather(*(worker.post(URL, json=body, headers=key()) for body in bodies))
    assert [answer.status_code for answer in answers] == [500 if n == 3 else 201 for n in range(20)]
    for table in ("ledger", "reports", "vault", "track_tokens", "outbox"):
        assert await street.count(table) == 19, table
    assert [entry["event"] for entry in logs] == ["request_failed"]


@pytest.mark.parametrize(
    ("change", "status", "field", "code"),
    [
        ({"category": {"scheme": "x", "version": "1", "code": "9"}}, 422, "category", "unknown_category"),
        ({"position": {"lng": 0, "lat": 0}}, 422, "position", "position_impossible"),
        ({"position": {"lng": 23.695, "lat": 113.065}}, 422, "position", "position_swapped"),
        ({"position": {"cell": "9"}}, 422, "position.cell", "unknown_cell"),
        ({"position": {"lng": "x", "lat": 1}}, 422, "position.lng", "float_parsing"),
        ({"text": 5}, 422, "text", "string_type"),
        ({"text": "长" * 2001}, 422, "text", "string_too_long"),
        ({"text": "a\u0000b"}, 422, "text", "control_character"),
        ({"nature": "rage"}, 422, "nature", "enum"),
        ({"unknown": 1}, 422, "unknown", "extra_forbidden"),
        ({"occurred_at": "2099-01-01T00:00:00+08:00"}, 422, "occurred_at", "in_the_future"),
        ({"joins": "FC-1"}, 422, "joins", "unknown_case"),
        ({"call_now": True}, 403, "call_now", "not_permitted"),
        ({"source": "phone"}, 403, "source", "not_permitted"),
        ({"danger": True, "on_the_spot": {"act": "sao", "note": "扫"}}, 422, "on_the_spot", "danger_not_on_the_spot"),
    ],
)
async def test_refusals_name_field_and_remedy(
    worker: httpx.AsyncClient,
    street: Street,
    report: dict[str, object],
    change: dict[str, object],
    status: int,
    field: str,
    code: str,
) -> None:
    answer = await worker.post(URL, json=report | change, headers=key())
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    wrong = answer.json()["errors"][0]
    assert (wrong["field"], wrong["code"]) == (field, code)
    assert wrong["remedy"]
    english = await worker.post(URL, json=report | change, headers=key() | {"accept-language": "en"})
    assert english.json()["errors"][0]["message"].isascii()
    assert english.json()["errors"][0]["message"] != wrong["message"]
    assert await street.count("ledger") == 0


async def test_ten_megabytes_of_text(worker: httpx.AsyncClient, street: Street, report: dict[str, object]) -> None:
    answer = await worker.post(URL, json=report | {"text": "a" * 10_000_000}, headers=key())
    assert answer.status_code in (413, 422)
    assert await street.count("ledger") == 0


async def test_a_pin_across_the_border_is_kept(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object]
) -> None:
    far = report | {"position": {"lng": 113.6, "lat": 24.3}}
    answer = await worker.post(URL, json=far, headers=key())
    assert (answer.status_code, answer.json()["cross_border"], answer.json()["cell"]) == (201, True, None)


async def test_without_key_or_sign_in(app: FastAPI, worker: httpx.AsyncClient, report: dict[str, object]) -> None:
    without = await worker.post(URL, json=report)
    assert (without.status_code, without.json()["code"]) == (422, "idempotency_key_required")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as nobody:
        assert (await nobody.post(URL, json=report, headers=key())).status_code == 401
        assert (await nobody.get("/api/v1/form")).status_code == 401


async def test_my_reports_page_by_page(sign_in: SignIn, report: dict[str, object]) -> None:
    worker, other = await sign_in("wangge01"), await sign_in("shequ01")
    sent = [(await worker.post(URL, json=report, headers=key())).json()["id"] for _ in range(3)]
    first = (await worker.get(URL, params={"mine": "true", "limit": 2})).json()
    rest = (await worker.get(URL, params={"limit": 2, "after": first["next"]})).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == sent[::-1]
    assert rest["next"] is None
    assert (await other.get(URL)).json()["items"] == []
    assert (await other.get(f"{URL}/{sent[0]}")).status_code == 404
    one = (await worker.get(f"{URL}/{sent[0]}")).json()
    assert (one["category_name"], one["case_no"], one["actions"]) == ("暴露垃圾", None, [])
    assert "13812345678" not in json.dumps(one)


async def test_anonymous_leaves_no_account(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object]
) -> None:
    await worker.post(URL, json=report | {"anonymous": True}, headers=key())
    await worker.post(URL, json=report, headers=key())
    query = (
        "SELECT array_agg(convert_from(payload, 'UTF8')::json ->> 'reporter_account' ORDER BY id) FROM intake.outbox"
    )
    accounts = await street.scalar(query)
    assert isinstance(accounts, list)
    assert accounts[0] is None
    assert accounts[1] is not None


async def test_form_places_and_duplicates(worker: httpx.AsyncClient, report: dict[str, object]) -> None:
    form = (await worker.get("/api/v1/form")).json()
    assert form["sample"] is True
    assert form["cells"]["features"][0]["properties"]["grid"] == form["me"]["grid"]
    assert len(form["tiles"]) == 8
    place = (await worker.get("/api/v1/places", params={"q": report["place_words"]})).json()["places"][0]
    assert place["name"] == report["place_words"]
    by_initials = (await worker.get("/api/v1/places", params={"q": place["initials"]})).json()["places"]
    assert place["name"] in [found["name"] for found in by_initials]
    near = await worker.get("/api/v1/duplicates", params={"lng": place["lng"], "lat": place["lat"]})
    assert near.json() == {"items": []}
    assert (await worker.get("/api/v1/duplicates", params={"lng": 0, "lat": 0})).status_code == 422


async def test_database_away(
    worker: httpx.AsyncClient,
    street: Street,
    report: dict[str, object],
    postgres: TestServer,
    database_url: str,
) -> None:
    """503 with Retry-After, nothing kept in memory; the same request is taken once the database is back."""
    headers, name = key(), make_url(database_url).database
    assert (await worker.post(URL, json=report, headers=key())).status_code == 201
    postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    away = await worker.post(URL, json=report, headers=headers)
    assert (away.status_code, away.json()["code"]) == (503, "unavailable")
    assert away.headers["retry-after"].isdigit()
    postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert await street.count("reports") == 1
    assert (await worker.post(URL, json=report, headers=headers)).status_code == 201
    assert await street.count("reports") == 2
