"""Who may do what, as the buttons of the pages say it: exactly what the service offers, for the most used posts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import PATIENCE_MS, Screen, Sit
from tests.e2e.browser.test_console import called
from tests.e2e.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

DISPATCHED = {
    ("shouli", "console"): ({"redispatch", "urge", "add_co"}, {"sign", "respond", "feedback", "rule", "approve"}),
    ("zhifadui", "desk"): ({"sign", "respond", "return"}, {"redispatch", "dispatch", "supervise", "verify_pass"}),
    ("huanwei", "desk"): ({"co_done"}, {"sign", "respond", "return", "feedback", "redispatch"}),
    ("shequ01", "desk"): (set(), {"sign", "respond", "return", "redispatch", "feedback", "co_done"}),
}
"""Of a case that was just sent to 综合行政执法队 with 环卫 beside it: what stands there, and what does not."""


def buttons(screen: Screen) -> set[str]:
    """Every act that the page offers, also behind 更多."""
    expect(screen.find("actions")).to_be_visible(timeout=PATIENCE_MS)
    more = screen.find("action-more")
    if more.is_visible():
        more.click()
        expect(screen.page.locator("#panel-menu, .more-sheet").first).to_be_visible()
    found = screen.page.locator("[data-testid^=action-]:not([data-testid=action-more]):not([data-testid=action-form])")
    return {str(one.get_attribute("data-testid")).removeprefix("action-") for one in found.all()}


def test_each_post_finds_its_own_buttons_and_no_others(sit: Sit, town: Town) -> None:
    no = called(town, "混凝土块占道")
    form = town.person("shouli").offers(no)["file_dispatch"]
    condition = next(one["value"] for one in form["inputs"] if one["name"] == "condition")
    given = {"condition": condition, "lead_unit": "zhifadui", "co_units": ["huanwei"]}
    town.person("shouli").act(no, "file_dispatch", **given)
    for (login, where), (held, barred) in DISPATCHED.items():
        screen = sit(login, where, f"cases/{no}")
        expect(screen.find("case-state")).to_be_visible(timeout=PATIENCE_MS)
        shown = buttons(screen)
        assert shown == set(town.person(login).offers(no)), login
        assert held <= shown, login
        assert not barred & shown, login
