"""讲: a note is kept once, read raw by its teller and masked by his branch secretary, and makes nothing else."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from tests.integration.intake.conftest import SignIn, Street, key

pytestmark = pytest.mark.anyio
URL = "/api/v1/good-deeds"
NOTE = {"text": "李阿姨把走失的孩子送回家，电话13812345678", "place_words": "凤城花园"}


async def test_a_note_is_kept_once_and_makes_no_case(
    worker: httpx.AsyncClient, street: Street, sign_in: SignIn
) -> None:
    headers = key(str(uuid4()))
    first = await worker.post(URL, json=NOTE, headers=headers)
    assert first.status_code == 201, first.text
    again = await worker.post(URL, json=NOTE, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    other = await worker.post(URL, json={**NOTE, "text": "别的"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert first.json()["text"] == NOTE["text"]
    assert await street.count("good_deeds") == 1
    assert [await street.count(table) for table in ("reports", "ledger", "outbox", "case_views")] == [0, 0, 0, 0]
    async with street.db.reading() as tx:
        kept = (await tx.execute(sa.text("SELECT text, sealed FROM intake.vault"))).one()
        note = (await tx.execute(sa.text("SELECT masked_text FROM intake.good_deeds"))).scalar_one()
    assert (kept.text, b"13812345678" in bytes(kept.sealed)) == ("", False)
    assert "13812345678" not in note

    stranger = await sign_in("shequ01")
    taken = await stranger.post(URL, json=NOTE, headers=headers)  # keys belong to the caller, ids to the first
    assert taken.status_code == 201
    assert taken.json()["id"] != first.json()["id"]


async def test_a_secretary_reads_his_grids_notes_masked_and_nobody_else_does(
    worker: httpx.AsyncClient, sign_in: SignIn
) -> None:
    for n in range(3):
        assert (
            await worker.post(URL, json={**NOTE, "text": f"{NOTE['text']}（{n}）"}, headers=key())
        ).status_code == 201
    secretary, next_door = await sign_in("zhibu01"), await sign_in("zhibu02")
    page = (await secretary.get(URL, params={"mine": False, "limit": 2})).json()
    assert [one["text"][-2] for one in page["items"]] == ["2", "1"]
    assert all(not one["mine"] and "13812345678" not in one["text"] for one in page["items"])
    rest = (await secretary.get(URL, params={"mine": False, "limit": 2, "after": page["next"]})).json()
    assert [one["text"][-2] for one in rest["items"]] == ["0"]
    assert rest["next"] is None
    assert (await secretary.get(URL)).json()["items"] == []
    assert (await next_door.get(URL, params={"mine": False})).json()["items"] == []
    assert len((await worker.get(URL)).json()["items"]) == 3
    refused = await worker.get(URL, params={"mine": False})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")


MISTAKES: tuple[tuple[dict[str, object], str], ...] = (
    ({"text": "  "}, "text"),
    ({"text": "好" * 501}, "text"),
    ({"cell": "999"}, "cell"),
    ({"seen_at": "2199-01-01T00:00:00Z"}, "seen_at"),
    ({"extra": 1}, "extra"),
)


async def test_a_mistake_is_told_at_its_field(worker: httpx.AsyncClient) -> None:
    for change, field in MISTAKES:
        answer = await worker.post(URL, json={**NOTE, **change}, headers=key())
        assert answer.status_code == 422, change
        assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_where_it_was_seen_decides_who_reads_it(
    worker: httpx.AsyncClient, street: Street, sign_in: SignIn
) -> None:
    far = next(cell for cell in street.cache.current().cells.values() if cell.grid != "44180200100101")
    told = await worker.post(URL, json={**NOTE, "cell": far.code}, headers=key())
    assert told.json()["grid"] == far.grid
    assert (await (await sign_in("zhibu01")).get(URL, params={"mine": False})).json()["items"] == []
