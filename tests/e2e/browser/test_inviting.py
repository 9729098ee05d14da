"""First sign-in on a phone: a code from the console, scanned once; the page it opens keeps it out of the history."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browser.conftest import PATIENCE_MS, PHONE, Sit
from tests.e2e.browser.test_accessible import NARROW, WIDE, is_fine

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.mark.parametrize(("size", "name"), [(WIDE, "wide"), (NARROW, "narrow")], ids=["wide", "narrow"])
def test_a_worker_scans_the_code_of_the_chief(sit: Sit, browser: Browser, size: dict[str, Any], name: str) -> None:
    chief = sit("zhiban", "console", "accounts", **size)
    expect(chief.find("accounts")).to_be_visible(timeout=PATIENCE_MS)
    chief.page.get_by_role("searchbox", name="姓名、账号或岗位").fill("wangge02")
    row = chief.page.locator("[data-kind=account]")
    expect(row).to_have_count(1)
    is_fine(chief, f"people {name}")
    chief.shoot(f"people-{name}")
    row.get_by_test_id("give-link").click()
    given = chief.find("link-given")
    expect(given.locator("img")).to_be_visible(timeout=PATIENCE_MS)
    expect(given.locator("img"), "no QR code to be seen").not_to_have_js_property("naturalWidth", 0)
    chief.shoot(f"people-code-{name}")  # it fades in, and half faded nobody can read it
    expect(chief.page.locator(".el-overlay").last).to_have_css("opacity", "1")
    is_fine(chief, f"code {name}")
    link = given.locator("input").input_value()
    chief.page.get_by_role("button", name="关闭").last.click()
    expect(row).to_contain_text("登录码有效至")

    phone = browser.new_context(locale="zh-CN", **PHONE)
    page = phone.new_page()
    page.goto(link)
    expect(page.locator(".tiles")).to_be_visible(timeout=PATIENCE_MS)
    assert "#" not in page.url
    (sid,) = phone.cookies()
    again = browser.new_context(locale="zh-CN", **PHONE).new_page()
    again.goto(link)
    expect(again.get_by_role("alert")).to_contain_text("已用过或已过期", timeout=PATIENCE_MS)
    assert "#" not in again.url
    again.get_by_role("link", name="用账号密码登录").click()
    expect(again.locator("input[name=password]")).to_be_visible()
    assert sid["expires"] - page.evaluate("Date.now() / 1000") > 29 * 86_400
    phone.close()
    again.context.close()
