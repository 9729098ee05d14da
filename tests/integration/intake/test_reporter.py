"""Who reports: kept sealed, shown masked, revealed to few with a reason, and the reporter is told of each look."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from services.intake.usecases.identity import Identity, vault_sealer
from tests.integration.intake.conftest import ORIGIN, SERVICE_TOKEN, SignIn, Street, key

pytestmark = pytest.mark.anyio
URL = "/api/v1/reports"
WANG = {"name": "王小明", "phone": "138 1234 5678", "email": "wang.xm@example.cn", "contact": "phone"}


@pytest.fixture
async def report_id(worker: httpx.AsyncClient, report: dict[str, object]) -> str:
    """A report of the grid worker."""
    answer = await worker.post(URL, json=report, headers=key())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def vouched(app: FastAPI, account: str) -> httpx.AsyncClient:
    """Dispatch, which has let this account see the case."""
    headers = {"authorization": f"Bearer {SERVICE_TOKEN}", "x-grid-caller": account}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN, headers=headers)


async def account_of(street: Street, login: str) -> str:
    return str(await street.scalar("SELECT account_id FROM identity.accounts WHERE login = :login", login=login))


async def test_it_is_kept_sealed_and_shown_masked(
    worker: httpx.AsyncClient, street: Street, report_id: str, tmp_path: Path
) -> None:
    before = await worker.get(f"{URL}/{report_id}/reporter")
    assert before.json()["given"] is False
    assert before.json()["phone"] == ""
    given = await worker.put(f"{URL}/{report_id}/reporter", json=WANG)
    assert given.status_code == 200, given.text
    assert given.headers["cache-control"] == "no-store"
    again = (await worker.get(f"{URL}/{report_id}/reporter")).json()
    assert again == given.json()
    assert (again["name"], again["phone"], again["email"]) == ("王**", "138****5678", "w***@example.cn")
    sealed = await street.scalar("SELECT sealed FROM intake.identities")
    assert isinstance(sealed, bytes)
    assert "王小明".encode() not in sealed
    opened = vault_sealer(tmp_path).identity_of(sealed, UUID(report_id))
    assert opened == Identity("王小明", "13812345678", "wang.xm@example.cn", "phone")
    events = await street.scalar("SELECT string_agg(convert_from(payload, 'UTF8'), '') FROM intake.outbox")
    assert "王小明" not in str(events)
    recorded = await street.scalar("SELECT string_agg(action || details::text, ',') FROM identity.audit_log")
    assert "identity.given{}" in str(recorded)
    assert "王小明" not in str(recorded)
    assert (await worker.delete(f"{URL}/{report_id}/reporter")).status_code == 204
    assert await street.count("identities") == 0
    assert (await worker.get(f"{URL}/{report_id}")).status_code == 200


async def test_it_is_for_its_reporter_alone(sign_in: SignIn, worker: httpx.AsyncClient, report_id: str) -> None:
    await worker.put(f"{URL}/{report_id}/reporter", json=WANG)
    other = await sign_in("shouli")
    for answer in (
        await other.get(f"{URL}/{report_id}/reporter"),
        await other.put(f"{URL}/{report_id}/reporter", json=WANG),
        await other.delete(f"{URL}/{report_id}/reporter"),
        await other.post(f"{URL}/{report_id}/reporter/reveal", json={"reason": "need_to_call"}),
        await worker.get(f"{URL}/{uuid4()}/reporter"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"phone": "12345"}, "phone", "phone_format"),
        ({"email": "wang"}, "email", "email_format"),
        ({"name": "长" * 41}, "name", "string_too_long"),
        ({"contact": "post"}, "contact", "literal_error"),
        ({"phone": "", "contact": "phone"}, "body", "contact_missing"),
        ({"name": "", "phone": "", "email": "", "contact": "none"}, "body", "identity_empty"),
        ({"address": "x"}, "address", "extra_forbidden"),
    ],
)
async def test_what_cannot_be_kept_is_said(
    worker: httpx.AsyncClient, report_id: str, change: Mapping[str, object], field: str, code: str
) -> None:
    answer = await worker.put(f"{URL}/{report_id}/reporter", json=WANG | change)
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == (field, code)
    assert error["message"]
    assert error["remedy"]
    assert "王小明" not in answer.text


@pytest.mark.parametrize(
    ("login", "reason", "status"),
    [
        ("shouli", "need_to_call", 200),
        ("shouli", "visit", 403),
        ("zhiban", "danger", 200),
        ("hecha", "visit", 200),
        ("hecha", "need_to_call", 403),
        ("zhifadui", "need_to_call", 403),
        ("lingdao", "need_to_call", 403),
        ("admin", "danger", 403),
        ("shouli", "on_behalf", 403),
    ],
)
async def test_few_are_shown_it_for_a_reason(
    app: FastAPI, street: Street, worker: httpx.AsyncClient, report_id: str, login: str, reason: str, status: int
) -> None:
    await worker.put(f"{URL}/{report_id}/reporter", json=WANG)
    async with vouched(app, await account_of(street, login)) as dispatch:
        answer = await dispatch.post(f"{URL}/{report_id}/reporter/reveal", json={"reason": reason})
    assert answer.status_code == status, answer.text
    looks = (await worker.get(f"{URL}/{report_id}/reporter")).json()["revealed"]
    if status == 403:
        assert looks == []
        assert "王小明" not in answer.text
        return
    shown = answer.json()
    assert (shown["name"], shown["phone"]) == ("王小明", "13812345678")
    assert shown["watermark"].startswith(login)
    assert answer.headers["cache-control"] == "no-store"
    assert [(look["reason"], bool(look["role_name"])) for look in looks] == [(reason, True)]
    assert login not in str(looks)
    record = "SELECT reason FROM identity.audit_log WHERE action = 'identity.revealed' AND subject = :id"
    assert await street.scalar(record, id=report_id) == reason


async def test_who_took_it_down_for_somebody_looks_up_what_he_wrote(worker: httpx.AsyncClient, report_id: str) -> None:
    nothing = await worker.post(f"{URL}/{report_id}/reporter/reveal", json={"reason": "on_behalf"})
    assert (nothing.status_code, nothing.json()["code"]) == (404, "identity_not_kept")
    assert nothing.json()["detail"]
    await worker.put(f"{URL}/{report_id}/reporter", json=WANG)
    refused = await worker.post(f"{URL}/{report_id}/reporter/reveal", json={"reason": "need_to_call"})
    assert refused.status_code == 403
    shown = await worker.post(f"{URL}/{report_id}/reporter/reveal", json={"reason": "on_behalf"})
    assert shown.json()["name"] == "王小明"


async def test_looks_are_never_taken_back(street: Street, worker: httpx.AsyncClient, report_id: str) -> None:
    """The record of looks is append-only for the service's own role, as its comment says."""
    comment = await street.scalar("SELECT obj_description('intake.reveals'::regclass)")
    assert str(comment).startswith("append-only")


async def test_who_calls_is_hidden_in_what_he_said(sign_in: SignIn, report: dict[str, object], street: Street) -> None:
    """登记: the clerk writes down a name without any word around it that says so."""
    clerk = await sign_in("shouli")
    words = {"text": "欧阳小明家门口的井盖松动，请打 138 1234 5678", "place_words": "欧阳小明家门口"}
    called = {**report, **words, "source": "phone", "reporter": WANG | {"name": "欧阳小明"}}
    answer = await clerk.post(URL, json=called, headers=key())
    assert answer.status_code == 201, answer.text
    report_id = answer.json()["id"]
    stored = str(await street.scalar("SELECT masked_text || '|' || masked_place FROM intake.reports"))
    assert stored.startswith("****家门口的井盖松动，请打 *** **** ****|****家门口")
    kept = (await clerk.get(f"{URL}/{report_id}/reporter")).json()
    assert (kept["given"], kept["name"], kept["contact"]) == (True, "欧***", "phone")
    events = str(await street.scalar("SELECT string_agg(convert_from(payload, 'UTF8'), '') FROM intake.outbox"))
    assert "欧阳小明" not in events
    assert "13812345678" not in events.replace(" ", "")


async def test_only_who_registers_for_another_says_who_it_was(
    worker: httpx.AsyncClient, report: dict[str, object]
) -> None:
    answer = await worker.post(URL, json={**report, "reporter": WANG}, headers=key())
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, "reporter")
