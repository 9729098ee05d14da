"""A phone with a real browser, and the stand-in that its page talks to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.phone.stand_in import HERE, STATIC, Intake, serve

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert (STATIC / "index.html").is_file(), "the phone form is not built: make web"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
def address(intake: Intake) -> Iterator[str]:
    with serve(intake) as found:
        yield found


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about: policy violations, script errors. Lost connections are not complaints."""
    return []


@pytest.fixture
def phone(browser: Browser, complaints: list[str]) -> Iterator[Callable[..., BrowserContext]]:
    """Makes phones: 390 px wide, with a position; keyword arguments change the browser's context."""
    made: list[BrowserContext] = []

    def make(**changes: Any) -> BrowserContext:
        context = browser.new_context(
            **{
                "viewport": {"width": 390, "height": 844},
                "is_mobile": True,
                "has_touch": True,
                "locale": "zh-CN",
                "geolocation": {"longitude": HERE[0], "latitude": HERE[1], "accuracy": 12},
                "permissions": ["geolocation"],
                **changes,
            }
        )
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", lambda message: _note(complaints, message.type, message.text))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def form(phone: Callable[..., BrowserContext], address: str) -> Page:
    """The open form of a grid worker who is signed in."""
    page = phone().new_page()
    page.goto(f"{address}/m/")
    page.locator(".tiles").wait_for()
    return page


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A camera's photo: large, and with camera data that must not leave the phone."""
    path = tmp_path_factory.mktemp("camera") / "IMG_0001.jpg"
    exif = Image.Exif()
    exif[0x010F] = "Camera maker"
    Image.linear_gradient("L").resize((4000, 3000)).convert("RGB").save(path, exif=exif)
    return path


def _note(complaints: list[str], kind: str, text: str) -> None:
    if kind in {"error", "warning"} and "Failed to load resource" not in text:
        complaints.append(text)
