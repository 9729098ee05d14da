"""What a photo tells beside what it shows: kept here, handed to services only, and nothing of it published."""

from __future__ import annotations

import io
import random
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image, ImageDraw

from schemas.labels import Labels
from tests.integration.intake.conftest import SERVICE_TOKEN, SignIn, Street, key
from tests.integration.intake.test_photos import JPEG, named, submitted
from tests.support.hostile import corpus, encoded, scene, with_segment

pytestmark = pytest.mark.anyio
TRICKS = ("..%2f..%2fetc%2fpasswd", "%00", "p1%00.jpg", "a" * 2_000, "%ff", "p1%20", "照片")
LIES: tuple[dict[str, object], ...] = (
    {"bytes": 0},
    {"bytes": 12 * 1024 * 1024 + 1},
    {"sha256": "x" * 64},
    {"mime": "image/svg+xml"},
    {"taken_at": "yesterday"},
    {"fix": {"lng": 181, "lat": 0}},
    {"fix": {"lng": 0, "lat": 91}},
    {"fix": {"lng": 0}},
)
AT_THE_DOOR = {
    "one byte",
    "jpeg cut at 0.5",
    "jpeg with a zip behind",
    "jpeg header of 65 500 squared",
    "png that unpacks too much",
    "svg named jpeg",
    "webp named jpeg",
}
TAKEN = "2026-06-01T08:30:00+08:00"


def marked(picture: Image.Image, words: str) -> bytes:
    """The same picture with another mark burnt in, as a phone does."""
    copy = picture.copy()
    ImageDraw.Draw(copy).text((6, copy.height - 14), words, fill="white")
    return encoded(copy, quality=80)


@pytest.fixture
def street_corner() -> Image.Image:
    return scene(random.Random(7), (640, 480))


async def facts(app: FastAPI, photos: str) -> list[dict[str, Any]]:
    headers = {"authorization": f"Bearer {SERVICE_TOKEN}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as service:
        answer = await service.get(photos, headers=headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["photos"])


async def put(client: httpx.AsyncClient, report: dict[str, object], data: bytes, **told: object) -> str:
    """The address of the photos of a new report with this one."""
    photos = await submitted(client, report, named(data) | told)
    stored = await client.put(f"{photos}/p1", content=data, headers=JPEG)
    assert stored.status_code == 201, stored.text
    return photos


async def test_time_and_place_stay_here_and_leave_as_a_distance(
    app: FastAPI, worker: httpx.AsyncClient, street: Street, report: dict[str, Any], street_corner: Image.Image
) -> None:
    pin = report["position"]
    fix = {"lng": pin["lng"], "lat": pin["lat"] + 0.01}
    photos = await put(worker, report, marked(street_corner, "08:30"), taken_at=TAKEN, fix=fix)
    [told] = await facts(app, photos)
    assert (told["taken_at"], told["metres_from_pin"], told["same"]) == ("2026-06-01T00:30:00Z", 1112, [])
    assert await street.scalar("SELECT fix_lat FROM intake.photos") == fix["lat"]
    published = await street.scalar("SELECT string_agg(convert_from(payload, 'UTF8'), ' ') FROM intake.outbox")
    assert str(fix["lat"])[:8] not in str(published)
    assert "taken_at" not in str(published)
    seen = (await worker.get(photos.removesuffix("/photos"))).text
    assert str(fix["lat"])[:8] not in seen
    assert (await worker.get(photos)).status_code == 404


async def test_the_same_picture_is_known_again_whoever_sends_it(
    app: FastAPI, sign_in: SignIn, street: Street, report: dict[str, object], street_corner: Image.Image
) -> None:
    one, other = await sign_in("wangge01"), await sign_in("shequ01")
    first = await put(one, report, marked(street_corner, "06-01 08:30 A"))
    smaller = street_corner.resize((480, 360))
    second = await put(other, report, marked(smaller, "06-02 19:05 B"))
    third = await put(one, report, marked(scene(random.Random(8), (640, 480)), "06-01 08:30 A"))
    assert [len(told["same"]) for photos in (first, second, third) for told in await facts(app, photos)] == [1, 1, 0]
    async with street.db.transaction() as tx:
        await tx.exec_driver_sql("UPDATE intake.reports SET submitted_at = submitted_at - interval '31 days'")
    assert [told["same"] for told in await facts(app, first)] == [[]]

    dark = encoded(Image.new("RGB", (640, 480), (3, 3, 4)))
    covered = [await put(one, report, dark) for _ in range(2)]
    assert [told["same"] for told in await facts(app, covered[1])] == [[]], "a covered lens is no picture seen before"


async def test_nothing_of_what_it_came_with_is_left(worker: httpx.AsyncClient, report: dict[str, object]) -> None:
    data = with_segment(encoded(scene(random.Random(9))), 0xFE, b"my home address") + b"and my phone number"
    photos = await put(worker, report, data)
    for size in ("full", "thumb"):
        shown = await worker.get(f"{photos.replace('/reports/', '/media/').replace('/photos', '')}/p1?size={size}")
        assert Image.open(io.BytesIO(shown.content)).format == "JPEG"
        assert b"my home" not in shown.content
        assert b"my phone" not in shown.content


async def test_tricks_in_the_id_and_lies_about_the_photo_are_refused(
    worker: httpx.AsyncClient, report: dict[str, object]
) -> None:
    data = encoded(scene(random.Random(1)))
    photos = await submitted(worker, report, named(data))
    for trick in TRICKS:
        for method, content in (("PUT", data), ("HEAD", None)):
            answer = await worker.request(method, f"{photos}/{trick}", content=content, headers=JPEG)
            assert answer.status_code == 404, trick
    ids: list[dict[str, object]] = [{"id": trick} for trick in TRICKS]
    for lie in (*ids, *LIES):
        body = report | {"photos": [named(data) | lie]}
        refused = await worker.post("/api/v1/reports", json=body, headers=key() | {"accept-language": "en"})
        assert refused.status_code == 422, lie
        wrong = refused.json()["errors"][0]
        assert wrong["field"].startswith(f"photos.0.{next(iter(lie))}")
        assert wrong["remedy"], lie


async def test_the_hostile_are_refused_with_a_remedy_and_the_service_goes_on(
    worker: httpx.AsyncClient, report: dict[str, object]
) -> None:
    """A few of each kind through the door; all of them are in the tests of the child."""
    met = [one for one in corpus() if one.name in AT_THE_DOOR]
    assert len(met) == len(AT_THE_DOOR)
    photos = await submitted(worker, report, *(named(one.content, f"p{n}", one.mime) for n, one in enumerate(met)))
    for n, one in enumerate(met):
        lang = ("zh-CN", "en-US")[n % 2]
        headers = {"content-type": one.mime, "accept-language": lang}
        answer = await worker.put(f"{photos}/p{n}", content=one.content, headers=headers)
        if answer.status_code != 201:
            told, words = answer.json(), Labels(lang)
            assert (answer.status_code, told["code"]) == (422, "broken_image"), one.name
            assert told["reason"] in one.outcomes, one.name
            assert (told["title"], told["detail"]) == (
                words.text("problem.broken_image"),
                words.text("problem.broken_image.detail"),
            )
    assert (await worker.get(photos.removesuffix("/photos"))).status_code == 200
