"""The pictures of the phone in docs/images, taken while somebody uses it: `make pictures` takes them anew.

Each is taken where the page says what its text promises; a page that has changed its ways fails here first.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import pictures
from tests.e2e.browser.conftest import PATIENCE_MS, Screen, Sit
from tests.e2e.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(420)]
HERE = {"geolocation": {"longitude": 113.0601, "latitude": 23.6901, "accuracy": 9}, "permissions": ["geolocation"]}


def keep(screen: Screen, name: str) -> None:
    pictures.keep(screen, f"phone-{name}")


def fill(screen: Screen, text: str) -> None:
    """Place, class and a line, as on the street."""
    page = screen.page
    page.locator(".nearest button").first.tap()
    page.get_by_role("button", name="垃圾保洁").tap()
    page.get_by_role("radio", name="垃圾满溢").tap()
    page.locator("textarea").fill(text)
    page.evaluate("scrollTo(0, 0)")


def test_the_form_in_each_of_its_looks(sit: Sit) -> None:
    for name, kept in {"form": {}, "large": {"grid.size": "large"}, "contrast": {"grid.look": "contrast"}}.items():
        screen = sit("wangge01", "m", **HERE)
        for key, value in kept.items():
            screen.page.evaluate("([key, value]) => localStorage.setItem(key, value)", [key, value])
        screen.page.reload()
        expect(screen.page.locator(".tiles")).to_be_visible(timeout=PATIENCE_MS)
        expect(screen.page.get_by_text("精度约 9 米")).to_be_visible(timeout=PATIENCE_MS)
        keep(screen, name)
    dark = sit("wangge01", "m", color_scheme="dark", **HERE)
    fill(dark, "垃圾桶满了两天没人清")
    keep(dark, "dark")


def test_from_the_form_to_the_result(sit: Sit, town: Town) -> None:
    worker = sit("wangge01", "m", **HERE)
    page = worker.page
    page.get_by_role("button", name="上报", exact=True).tap()
    expect(page.locator(".field-error").first).to_be_visible()
    keep(worker, "missing")
    page.get_by_role("switch", name="现在有人身危险").tap()
    expect(page.get_by_role("link", name="119")).to_be_visible()
    keep(worker, "danger")
    page.get_by_role("switch", name="现在有人身危险").tap()
    fill(worker, "垃圾桶满了两天没人清")
    page.get_by_role("button", name="上报", exact=True).tap()
    expect(page.locator(".number").first).to_be_visible(timeout=PATIENCE_MS)
    keep(worker, "receipt")
    page.get_by_role("link", name="我的").tap()
    page.locator("a.report").first.tap()
    expect(page.locator(".facts")).to_be_visible(timeout=PATIENCE_MS)
    keep(worker, "detail")
    track = page.locator("a[href*='/t/']").first.get_attribute("href")
    page.goto(f"{town.stand.streets.intake}{track}")
    expect(page.locator("h1")).to_be_visible()
    keep(worker, "track")


def test_without_a_network(sit: Sit) -> None:
    worker = sit("wangge02", "m", **HERE)
    page = worker.page
    expect(page.locator(".tiles")).to_be_visible(timeout=PATIENCE_MS)
    worker.context.set_offline(True)
    fill(worker, "井盖松动，行人绕行")
    page.get_by_role("button", name="上报", exact=True).tap()
    expect(page.get_by_text("联网后自动发送").first).to_be_visible(timeout=PATIENCE_MS)
    keep(worker, "offline")
    page.get_by_role("link", name="我的").tap()
    expect(page.locator("[aria-labelledby=outbox-title]")).to_be_visible(timeout=PATIENCE_MS)
    keep(worker, "waiting")
    worker.context.set_offline(False)
    expect(page.locator("[aria-labelledby=outbox-title]")).to_have_count(0, timeout=PATIENCE_MS)
