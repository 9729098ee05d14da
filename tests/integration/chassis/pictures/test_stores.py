"""The two places for pictures do the same; what can be wrong with a bucket is told in few words."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis.finding import Verdict
from services.chassis.ids import SystemIds
from services.chassis.pictures.bucket import BucketStore
from services.chassis.pictures.examine import examine
from services.chassis.pictures.examine import store as examine_store
from services.chassis.pictures.folder import FolderStore
from services.chassis.pictures.settings import MediaSettings, picture_store
from services.chassis.pictures.store import PictureMissing, PictureStore, StoreAway, probe, thumb_of
from services.dispatch.app import evidence_files
from services.dispatch.settings import DispatchSettings
from tests.support.buckets import BUCKET, DENIED, Bucket, bucket, door, response
from tests.support.cleaned import faults_of
from tests.support.hostile import encoded, scene

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def there() -> Iterator[Bucket]:
    with bucket() as made:
        yield made


@pytest.fixture(params=["folder", "bucket"])
def store(
    request: pytest.FixtureRequest, there: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> PictureStore:
    if request.param == "folder":
        return picture_store(MediaSettings(), tmp_path, "below")
    for name, value in there.settings("some/prefix").items():
        monkeypatch.setenv(name, value)
    return picture_store(MediaSettings(), tmp_path, request.node.name.partition("[")[0])


async def test_what_is_put_is_there_until_it_is_removed(store: PictureStore) -> None:
    path = "photos/ab/one.jpg"
    await store.put(path, b"full")
    await store.put(thumb_of(path), b"small")
    assert (await store.get(path), await store.get("photos/ab/one.thumb.jpg")) == (b"full", b"small")
    await store.remove(path)
    await store.remove(path)
    with pytest.raises(PictureMissing):
        await store.get(path)
    await probe(store, "me")
    assert "secret" not in store.describe()


async def test_only_what_is_old_goes(store: PictureStore) -> None:
    names = [f"xx/{n}.jpg" for n in range(3)]
    for name in names:
        await store.put(f"photos/{name}", b"x")
    await store.put("elsewhere/3.jpg", b"x")
    past, future = time.time() - 3600, time.time() + 3600
    assert [page async for page in store.old("photos", past)] == []
    found = [name async for page in store.old("photos", future) for name in page]
    assert sorted(found) == names
    assert await store.remove_old("photos", found[:2], future) == 2
    left = [name async for page in store.old("", future) for name in page]
    assert sorted(left) == sorted(["elsewhere/3.jpg", f"photos/{found[2]}"])


async def test_the_parts_of_a_bucket_do_not_see_each_other(
    there: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in there.settings("street").items():
        monkeypatch.setenv(name, value)
    whole, evidence = (picture_store(MediaSettings(), tmp_path, part) for part in ("", "evidence"))
    await evidence.put("a.jpg", b"x")
    assert await whole.get("evidence/a.jpg") == b"x"
    assert "street/evidence/a.jpg" in there.names()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (response("403 Forbidden", DENIED), "denied"),
        (response("503 Slow Down", b"<Error><Code>SlowDown</Code></Error>"), "unreachable"),
        (response("404 Not Found", b"<Error><Code>NoSuchBucket</Code></Error>"), "no_bucket"),
        (b"nonsense\r\n\r\n", "unreachable"),
        (None, "unreachable"),
    ],
    ids=["denied", "busy", "no bucket", "nonsense", "never answers"],
)
async def test_what_is_wrong_is_told_in_a_word_and_in_time(answer: bytes | None, why: str) -> None:
    with door(answer) as endpoint:
        broken = BucketStore(
            "b", "p", {"endpoint": endpoint, "access_key_id": "k", "secret_access_key": "hush"}, request_s=0.5
        )
        for asked in (broken.put("x.jpg", b"x"), broken.get("x.jpg"), broken.remove("x.jpg")):
            with pytest.raises(StoreAway) as told:
                await asked
            assert told.value.why == why
            assert "hush" not in str(told.value)


async def test_nobody_at_the_address() -> None:
    with door(None) as endpoint:
        pass
    gone = BucketStore("b", "p", {"endpoint": endpoint, "access_key_id": "k", "secret_access_key": "s"}, request_s=0.5)
    with pytest.raises(StoreAway, match="unreachable"):
        _ = [page async for page in gone.old("photos", 0)]


async def test_a_broken_off_write_leaves_nothing_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("services.chassis.pictures.shelf.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        await store.put("photos/a.jpg", b"x")
    assert [page async for page in store.old("", time.time() + 3600)] == []


def test_the_doctor_tries_the_store_and_says_what_to_mend(
    there: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [finding.verdict for finding in examine(tmp_path)] == [Verdict.OK, Verdict.OK]
    for name, value in there.settings("doctor").items():
        monkeypatch.setenv(name, value)
    found = examine_store(tmp_path)
    assert (found.verdict, found.what) == (Verdict.OK, f"pictures in s3://{BUCKET}/doctor at {there.endpoint}")
    assert not [name for name in there.names() if name.startswith("doctor")]
    monkeypatch.setenv("GRID_MEDIA_URL", "s3://another/doctor")
    found = examine_store(tmp_path)
    assert (found.verdict, "no_bucket" in found.what, bool(found.remedy)) == (Verdict.BAD, True, True)
    with door(response("403 Forbidden", DENIED)) as endpoint:
        monkeypatch.setenv("GRID_MEDIA_ENDPOINT", endpoint)
        assert "denied" in examine_store(tmp_path).what
    monkeypatch.setenv("GRID_MEDIA_URL", "ftp://here")
    assert "GRID_MEDIA_URL" in examine_store(tmp_path).what


async def test_evidence_lies_in_the_bucket_too(there: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRID_HOME", str(tmp_path))
    for name, value in there.settings("town").items():
        monkeypatch.setenv(name, value)
    files = evidence_files(DispatchSettings(), SystemIds())
    content = encoded(scene(random.Random(5)))
    first = await files.store("c" * 36, "e1", content)
    again = await files.store("c" * 36, "e1", content)
    assert (first.sha256, first.path == again.path) == (again.sha256, False)
    await files.discard(again)
    assert [faults_of(await files.read(first.path, thumb=thumb)) for thumb in (False, True)] == [[], []]
    with pytest.raises(PictureMissing):
        await files.read(again.path)
    assert len([name for name in there.names() if name.startswith("town/evidence/cc/")]) == 2
    assert [page async for page in FolderStore(tmp_path / "media" / "bench").old("", time.time() + 60)] == []
    there.take_away()
    with pytest.raises(StoreAway, match="no_bucket"):
        await files.store("c" * 36, "e2", content)
    there.make()
