"""Photos: in pieces, again, broken, somebody else's; clean pictures out."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from tests.integration.intake.conftest import SERVICE_TOKEN, SignIn, Street, key, picture

pytestmark = pytest.mark.anyio
JPEG = {"content-type": "image/jpeg"}


def named(data: bytes, photo_id: str = "p1", mime: str = "image/jpeg") -> dict[str, object]:
    return {"id": photo_id, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "mime": mime}


async def submitted(worker: httpx.AsyncClient, report: dict[str, object], *photos: dict[str, object]) -> str:
    """A report that names photos; the address of its photos."""
    answer = await worker.post("/api/v1/reports", json=report | {"photos": photos}, headers=key())
    assert answer.status_code == 201, answer.text
    return f"/api/v1/reports/{answer.json()['id']}/photos"


def piece(data: bytes, start: int, end: int) -> dict[str, str]:
    return JPEG | {"content-range": f"bytes {start}-{end - 1}/{len(data)}"}


async def test_whole_photo_is_cleaned_and_told_of(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object], tmp_path: Path
) -> None:
    data = picture()
    url = f"{await submitted(worker, report, named(data))}/p1"
    stored = await worker.put(url, content=data, headers=JPEG)
    assert (stored.status_code, stored.json()["stored"]) == (201, True)
    shown = await worker.get(stored.json()["url"].replace("/reports/", "/media/").replace("/photos/", "/"))
    assert shown.headers["content-type"] == "image/jpeg"
    clean = Image.open(io.BytesIO(shown.content))
    assert clean.size == (640, 480)
    assert not clean.getexif()
    assert b"taken at home" not in shown.content
    kinds = "SELECT array_agg((headers ->> 'ce_type') || (headers ->> 'ce_sequence') ORDER BY id) FROM intake.outbox"
    assert await street.scalar(kinds) == ["report.submitted1", "report.photo_added2"]
    assert not list((tmp_path / "media" / "partial").iterdir())


async def test_same_hash_again_and_other_content(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object]
) -> None:
    data = picture()
    url = f"{await submitted(worker, report, named(data))}/p1"
    assert (await worker.put(url, content=data, headers=JPEG)).status_code == 201
    assert (await worker.put(url, content=data, headers=JPEG)).status_code == 200
    for other in (picture("blue"), data[:-1] + b"x", data[:50]):
        refused = await worker.put(url, content=other, headers=JPEG)
        assert (refused.status_code, refused.json()["code"]) == (409, "photo_conflict")
    assert await street.count("outbox") == 2


async def test_upload_goes_on_where_it_stopped(worker: httpx.AsyncClient, report: dict[str, object]) -> None:
    data = picture()
    url, half = f"{await submitted(worker, report, named(data))}/p1", len(picture()) // 2
    first = await worker.put(url, content=data[:half], headers=piece(data, 0, half))
    assert (first.status_code, first.headers["upload-offset"]) == (202, str(half))
    come = (await worker.head(url)).headers
    assert (come["upload-offset"], come["upload-complete"]) == (str(half), "?0")
    gap = await worker.put(url, content=data[half + 9 :], headers=piece(data, half + 9, len(data)))
    assert (gap.status_code, gap.json()["code"], gap.json()["offset"]) == (409, "upload_offset", half)
    overlap = await worker.put(url, content=data[half - 5 :], headers=piece(data, half - 5, len(data)))
    assert overlap.status_code == 201
    come = (await worker.head(url)).headers
    assert (come["upload-offset"], come["upload-complete"]) == (str(len(data)), "?1")


async def test_what_a_phone_kept_goes_in_under_its_own_account_alone(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object]
) -> None:
    data = picture()
    me = (await worker.get("/api/v1/session")).json()["account_id"]
    url = f"{await submitted(worker, report, named(data))}/p1"
    mine, other = {"grid-account": me}, {"grid-account": "somebody-else"}
    refused = [
        await worker.post("/api/v1/reports", json=report, headers=key() | other),
        await worker.put(url, content=data, headers=JPEG | other),
    ]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(412, "other_account")] * 2
    assert (await worker.head(url, headers=other)).status_code == 412
    assert await street.count("reports") == 1
    assert (await worker.put(url, content=data, headers=JPEG | mine)).status_code == 201


@pytest.mark.parametrize("value", ["bytes 5-1/9", "bytes 0-9/5", "0-5", "bytes 0-5/*", "bytes 0-3/400"])
async def test_wrong_range(worker: httpx.AsyncClient, report: dict[str, object], value: str) -> None:
    data = picture()
    url = f"{await submitted(worker, report, named(data))}/p1"
    refused = await worker.put(url, content=data[:50], headers=JPEG | {"content-range": value})
    assert (refused.status_code, refused.json()["code"]) == (422, "range_invalid")


async def test_wrong_hash_starts_anew(worker: httpx.AsyncClient, report: dict[str, object]) -> None:
    data = picture()
    url = f"{await submitted(worker, report, named(data))}/p1"
    wrong = await worker.put(url, content=data[:-1] + b"x", headers=JPEG)
    assert (wrong.status_code, wrong.json()["code"]) == (409, "hash_mismatch")
    assert (await worker.head(url)).headers["upload-offset"] == "0"
    assert (await worker.put(url, content=data, headers=JPEG)).status_code == 201


@pytest.mark.parametrize(
    ("data", "mime", "reason"),
    [
        (b"no picture at all" * 20, "image/jpeg", "not_an_image"),
        (picture()[:400], "image/jpeg", "damaged"),
        (picture(), "image/png", "not_as_announced"),
        (b"\xff\xd8\xff" + b"\x00" * 500, "image/jpeg", "not_an_image"),
    ],
)
async def test_broken_image(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object], data: bytes, mime: str, reason: str
) -> None:
    url = f"{await submitted(worker, report, named(data, mime=mime))}/p1"
    refused = await worker.put(url, content=data, headers={"content-type": mime})
    body = refused.json()
    assert (refused.status_code, body["code"], body["reason"]) == (422, "broken_image", reason)
    assert await street.scalar("SELECT state FROM intake.photos") == "broken"
    assert await street.count("outbox") == 1


async def test_pixel_bomb(worker: httpx.AsyncClient, report: dict[str, object]) -> None:
    out = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(out, "PNG")
    data = out.getvalue()
    url = f"{await submitted(worker, report, named(data, mime='image/png'))}/p1"
    refused = await worker.put(url, content=data, headers={"content-type": "image/png"})
    assert (refused.status_code, refused.json()["reason"]) == (422, "too_many_pixels")


async def test_who_may_put_and_see(app: FastAPI, sign_in: SignIn, street: Street, report: dict[str, object]) -> None:
    worker, other, data = await sign_in("wangge01"), await sign_in("shequ01"), picture()
    photos = await submitted(worker, report, named(data))
    url, media = f"{photos}/p1", photos.replace("/reports/", "/media/").replace("/photos", "") + "/p1"
    assert (await other.put(url, content=data, headers=JPEG)).status_code == 404
    assert (await worker.get(media)).status_code == 404  # not there yet
    assert (await worker.put(url, content=data, headers=JPEG)).status_code == 201
    assert (await other.get(media)).status_code == 404
    assert (await worker.get(media, params={"size": "thumb"})).status_code == 200
    assert (await worker.put(f"{photos}/p9", content=data, headers=JPEG)).json()["code"] == "photo_unknown"
    account = await street.scalar("SELECT account_id FROM identity.accounts WHERE login = 'shequ01'")
    vouched = {"authorization": f"Bearer {SERVICE_TOKEN}", "x-grid-caller": str(account)}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as service:
        assert (await service.get(media, headers=vouched)).status_code == 200
        assert (await service.get(media)).status_code == 401
