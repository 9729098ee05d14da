"""A report on the phone's form, as a finger makes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import expect

from tests.e2e.browser.conftest import PATIENCE_MS, Screen

_PAGE = re.compile(r"/m/reports/([^/?#]+)")


@dataclass(frozen=True, slots=True)
class Matter:
    """What somebody saw: the tile, the class behind it, a named place, a line."""

    tile: str
    kind: str
    place: str
    text: str


def report(finder: Screen, matter: Matter) -> str:
    """Fill the form and send it; answers the report's id."""
    page = finder.page
    page.locator("a.tab.is-report").tap()
    page.get_by_label("地点：输入两个字或拼音首字母").fill(matter.place)
    page.get_by_role("option", name=matter.place, exact=False).first.tap()
    page.get_by_role("button", name=matter.tile, exact=True).tap()
    page.get_by_role("radio", name=matter.kind, exact=True).tap()
    page.locator("textarea").first.fill(matter.text)
    page.get_by_role("button", name="上报", exact=True).tap()
    done, other = page.locator(".receipt.is-done"), page.get_by_role("button", name="不是同一问题，继续上报")
    expect(done.or_(other).first).to_be_visible(timeout=PATIENCE_MS)
    if other.is_visible():  # something like it has been found there already
        other.tap()
    expect(done).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("link", name="查看进度").tap()
    page.wait_for_url(_PAGE)
    sent = _PAGE.search(page.url)
    assert sent
    return sent[1]
