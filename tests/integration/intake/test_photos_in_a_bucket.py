"""Photos with the bucket there, gone and back, and a process that dies at the worst moment: nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from services.chassis.pictures.folder import FolderStore
from services.chassis.pictures.settings import MediaSettings, picture_store
from services.intake.store import photos as store
from services.intake.store.retention import stored_photos
from tests.integration.intake.conftest import SERVICE_TOKEN, Street, picture
from tests.integration.intake.test_photos import JPEG, named, submitted
from tests.support.buckets import Bucket, bucket

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def there() -> Iterator[Bucket]:
    with bucket() as made:
        yield made


@pytest.fixture(autouse=True)
def _kept_there(there: Bucket, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Autouse: before the application is built."""
    for name, value in there.settings(request.node.name).items():
        monkeypatch.setenv(name, value)


async def test_photo_goes_to_the_bucket_and_comes_back_through_the_service(
    worker: httpx.AsyncClient, there: Bucket, street: Street, report: dict[str, object], tmp_path: Path
) -> None:
    data = picture()
    url = f"{await submitted(worker, report, named(data))}/p1"
    stored = await worker.put(url, content=data, headers=JPEG)
    assert stored.status_code == 201, stored.text
    shown = await worker.get(stored.json()["url"])
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert "immutable" in shown.headers["cache-control"]
    again = await worker.get(stored.json()["url"], headers={"if-none-match": shown.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    path = str(await street.scalar("SELECT path FROM intake.photos"))
    assert {name.partition("/")[2] for name in there.names()} >= {path, path.replace(".jpg", ".thumb.jpg")}
    assert there.endpoint not in stored.text
    assert [page async for page in FolderStore(tmp_path / "media").old("", time.time() + 60)] == []


async def test_a_bucket_that_is_gone_costs_a_second_try_and_nothing_else(
    worker: httpx.AsyncClient, there: Bucket, street: Street, report: dict[str, object]
) -> None:
    data = picture("green")
    url = f"{await submitted(worker, report, named(data))}/p1"
    there.take_away()
    try:
        refused = await worker.put(url, content=data, headers=JPEG | {"accept-language": "en-US"})
        assert (refused.status_code, refused.json()["code"]) == (503, "picture_store_away")
        assert refused.headers["retry-after"]
        assert refused.json()["title"] == "Photos cannot be stored or shown just now"
        known = await worker.head(url)
        assert (known.headers["upload-offset"], known.headers["upload-complete"]) == (str(len(data)), "?0")
        assert await street.scalar("SELECT state FROM intake.photos") == "named"
        assert (await worker.get("/api/v1/reports", params={"mine": "true"})).status_code == 200
    finally:
        there.make()
    assert (await worker.put(url, content=data, headers=JPEG)).status_code == 201
    there.take_away()
    there.make()
    shown = await worker.get(url.replace("/reports/", "/media/").replace("/photos/", "/"))
    assert (shown.status_code, shown.json()["code"]) == (404, "not_found")


async def test_death_between_picture_and_row_is_healed_by_sending_again(
    app: FastAPI,
    worker: httpx.AsyncClient,
    there: Bucket,
    street: Street,
    report: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = picture("blue")
    url = f"{await submitted(worker, report, named(data))}/p1"

    async def dies(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(store, "mark_stored", dies)
        with pytest.raises(SystemExit):
            await worker.put(url, content=data, headers=JPEG)
    lost = _mine(there)
    assert len(lost) == 2
    assert (await worker.head(url)).headers["upload-complete"] == "?0"
    assert (await worker.put(url, content=data, headers=JPEG)).status_code == 201
    assert await street.count("outbox") == 2
    kept = picture_store(MediaSettings(), tmp_path)
    names = [name async for page in kept.old("photos", time.time() + 60) for name in page]
    async with street.db.reading() as tx:
        needed = await stored_photos(tx, names)
    assert {name for name in names if name not in needed} == {name.partition("photos/")[2] for name in lost}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as service:
        facts = await service.get(url.rpartition("/")[0], headers={"authorization": f"Bearer {SERVICE_TOKEN}"})
    assert [one["id"] for one in facts.json()["photos"]] == ["p1"]


def _mine(there: Bucket) -> list[str]:
    return [name for name in there.names() if name.startswith("test_death")]
