"""A camera's photo on its way through the phone: upright, small, marked, and silent about where it was taken."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.phone.stand_in import Intake

NOTE_WHAT_IS_WRITTEN = """
  window.__written = [];
  const plain = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...more) {
    window.__written.push(text);
    return plain.call(this, text, ...more);
  };
"""
AS_ON_AN_OLD_PHONE = """
  delete window.createImageBitmap;
  const plain = HTMLCanvasElement.prototype.toBlob;
  HTMLCanvasElement.prototype.toBlob = function (done, ...more) {
    if (this.width * this.height > 1024 * 1024) done(null);
    else plain.call(this, done, ...more);
  };
"""


@pytest.fixture
def held_upright(tmp_path: Path) -> Path:
    """What a phone's camera stores when it is held upright: the picture on its side, and a note how to turn it."""
    picture = Image.new("RGB", (3200, 2400), "grey")
    pen = ImageDraw.Draw(picture)
    for colour, (x, y) in {"red": (0, 2400), "lime": (0, 0), "blue": (3200, 2400)}.items():
        pen.rectangle((x - 700, y - 700, x + 700, y + 700), fill=colour)
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise
    taken, gps = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    taken[0x9003], taken[0x9011] = "2026:11:20 09:30:00", "+08:00"
    gps[1], gps[2], gps[3], gps[4] = "N", (23.0, 41.0, 36.0), "E", (113.0, 3.0, 54.0)
    path = tmp_path / "IMG_0003.jpg"
    picture.save(path, exif=exif, quality=90)
    return path


def sent(page: Page, intake: Intake, photo: Path) -> tuple[dict[str, Any], Image.Image]:
    """Choose it, send the report; how it was announced, and what arrived."""
    page.locator("input[type=file]").set_input_files(photo)
    expect(page.locator(".photo img")).to_be_visible()
    page.get_by_role("button", name="路灯照明").tap()
    page.locator(".submit-bar button").tap()
    expect(page.locator(".receipt.is-done")).to_be_visible()
    (report,) = intake.reports.values()
    (announced,) = report["body"]["photos"]
    return announced, Image.open(io.BytesIO(intake.photos[announced["id"]]))


def test_a_photo_is_turned_upright_marked_and_emptied(
    phone: Callable[..., BrowserContext], address: str, intake: Intake, held_upright: Path
) -> None:
    intake.person = {**intake.person, "work_no": "FC001"}
    page = phone().new_page()
    page.add_init_script(NOTE_WHAT_IS_WRITTEN)
    page.goto(f"{address}/m/")
    announced, arrived = sent(page, intake, held_upright)
    assert arrived.size == (1200, 1600)
    corners = {"red": (40, 40), "lime": (1160, 40)}
    for colour, at in corners.items():
        wanted = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
        got = arrived.convert("RGB").getpixel(at)
        assert isinstance(wanted, tuple)
        assert isinstance(got, tuple)
        assert all(abs(a - b) < 60 for a, b in zip(got, wanted, strict=True)), colour
    assert not arrived.getexif()
    assert set(arrived.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "icc_profile"}  # of sRGB
    assert announced["taken_at"] == "2026-11-20T01:30:00.000Z"
    assert announced["fix"] == {"lng": 113.065, "lat": 23.693333}
    written = page.evaluate("window.__written")
    assert written[0] == "2026-11-20 09:30"
    assert any("工号 FC001" in line for line in written)
    assert not any(str(intake.person["name"]) in line for line in written)


def test_a_phone_with_little_memory_makes_a_smaller_one(
    phone: Callable[..., BrowserContext], address: str, intake: Intake, held_upright: Path
) -> None:
    page = phone().new_page()
    page.add_init_script(AS_ON_AN_OLD_PHONE)
    page.goto(f"{address}/m/")
    announced, arrived = sent(page, intake, held_upright)
    assert arrived.size == (768, 1024)
    assert announced["taken_at"] == "2026-11-20T01:30:00.000Z"
