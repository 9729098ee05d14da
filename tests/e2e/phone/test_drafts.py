"""Several drafts side by side, each with the place and the time it was made at, and gone once it is sent."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Geolocation, Page, expect

from tests.e2e.phone.stand_in import HERE, Intake

pytestmark = pytest.mark.browser
FAR: Geolocation = {"longitude": HERE[0] + 0.0031, "latitude": HERE[1] + 0.0025, "accuracy": 9}


def tile(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).tap()


def bodies(intake: Intake) -> list[dict[str, object]]:
    return [one["body"] for one in intake.reports.values()]


def test_a_draft_made_at_one_place_and_sent_at_another_keeps_the_first(
    form: Page, intake: Intake, snapshot: Path
) -> None:
    expect(form.get_by_text("精度约 12 米")).to_be_visible()
    form.locator("input[type=file]").set_input_files(snapshot)
    expect(form.locator(".photo img")).to_be_visible()
    made = form.evaluate("() => Date.now()")
    tile(form, "停车秩序")
    form.get_by_role("button", name="存着，另报一件").tap()
    form.context.set_geolocation(FAR)
    expect(form.get_by_text("另有 1 份草稿没有提交")).to_be_visible()

    form.reload()  # hours later, elsewhere: the draft that was left is there, at its place
    expect(form.get_by_text("已恢复上次没有提交的内容")).to_be_visible()
    expect(form.locator(".pin-text")).to_contain_text("已锁定")
    form.get_by_role("button", name="存着，另报一件").tap()
    expect(form.get_by_text("精度约 9 米")).to_be_visible()
    tile(form, "路灯照明")
    form.locator(".submit-bar button").tap()
    expect(form.locator(".receipt.is-done")).to_be_visible()

    form.get_by_role("link", name="再报一件").tap()
    form.get_by_role("button", name="查看").tap()
    form.get_by_role("dialog", name="草稿").get_by_text("停车秩序").tap()
    expect(form.locator(".photo img")).to_be_visible()
    form.locator(".submit-bar button").tap()
    expect(form.locator(".receipt.is-done")).to_be_visible()
    there, here = bodies(intake)
    assert (here["position"]["lng"], here["position"]["lat"]) == HERE  # type: ignore[index]
    assert there["position"]["lng"] == round(FAR["longitude"], 6)  # type: ignore[index]
    assert here["position"]["at"] < here["client_at"]  # type: ignore[index]
    seen = datetime.fromisoformat(str(here["occurred_at"])).timestamp() * 1000
    assert abs(seen - made) < 20_000
    assert here["occurred_at"] < there["occurred_at"] < here["client_at"]  # type: ignore[operator]

    form.get_by_role("link", name="再报一件").tap()
    expect(form.locator(".tiles")).to_be_visible()
    expect(form.locator(".drafts")).to_have_count(0)


def test_each_draft_is_one_of_its_own_and_can_be_dropped(form: Page, intake: Intake) -> None:
    for name in ("摆摊占道", "施工违建", "路灯照明"):
        tile(form, name)
        form.get_by_role("button", name="存着，另报一件").tap()
    expect(form.get_by_text("另有 3 份草稿没有提交")).to_be_visible()
    form.get_by_role("button", name="查看").tap()
    sheet = form.get_by_role("dialog", name="草稿")
    rows = sheet.get_by_role("listitem")
    expect(rows).to_have_count(3)
    rows.filter(has_text="施工违建").get_by_role("button", name="删除").tap()
    expect(rows).to_have_count(2)
    rows.filter(has_text="摆摊占道").get_by_role("button").first.tap()
    expect(form.get_by_role("button", name="摆摊占道", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(form.get_by_text("另有 1 份草稿没有提交")).to_be_visible()
    assert intake.reports == {}


def test_a_photo_that_knows_its_moment_and_place_decides_both(form: Page, intake: Intake, tmp_path: Path) -> None:
    expect(form.get_by_text("精度约 12 米")).to_be_visible()
    exif = Image.Exif()
    taken = exif.get_ifd(0x8769)
    taken[0x9003], taken[0x9011] = "2026:11:20 09:30:00", "+08:00"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (23.0, 41.0, 36.0), "E", (113.0, 3.0, 54.0)
    picture = tmp_path / "IMG_0002.jpg"
    Image.new("RGB", (800, 600), "grey").save(picture, exif=exif)
    form.locator("input[type=file]").set_input_files(picture)
    expect(form.locator(".pin-text")).to_contain_text("按照片位置")
    tile(form, "停车秩序")
    form.locator(".submit-bar button").tap()
    expect(form.locator(".receipt.is-done")).to_be_visible()
    (body,) = bodies(intake)
    assert str(body["occurred_at"]).startswith("2026-11-20T01:30:00")
    where = body["position"]
    assert isinstance(where, dict)
    assert (round(where["lng"], 4), round(where["lat"], 4)) == (113.065, 23.6933)
