"""值班 at the console: the duty chief lends a post, the stand-in sees until when and by whom, it is taken back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import PATIENCE_MS, Sit
from tests.e2e.browser.test_accessible import NARROW, WIDE, is_fine

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
LOCAL = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(("size", "name"), [(WIDE, "wide"), (NARROW, "narrow")], ids=["wide", "narrow"])
def test_a_chief_lends_a_post_and_takes_it_back(sit: Sit, size: dict[str, Any], name: str) -> None:
    chief = sit("zhiban", "console", "delegations", **size)
    expect(chief.find("delegations")).to_be_visible(timeout=PATIENCE_MS)
    chief.find("lend").click()
    form = chief.find("lend-form")
    form.get_by_label("值班人").select_option("hecha02")
    form.get_by_label("岗位").select_option("GW")
    form.get_by_label("范围").select_option(index=1)
    until = form.locator("input[name=until]")
    until.fill("2020-01-01T08:00")
    form.get_by_test_id("submit-lend").click()
    expect(form.locator(".field-error")).to_contain_text("结束时间须晚于开始时间")
    is_fine(chief, f"form {name}")
    chief.shoot(f"lending-form-{name}")
    until.fill(f"{datetime.now(LOCAL) + timedelta(days=2):%Y-%m-%dT%H:%M}")
    form.get_by_test_id("submit-lend").click()
    expect(form).to_be_hidden()  # it fades, and half faded nobody can read it
    row = chief.page.locator("[data-kind=delegation]").filter(has_text="网格员")
    expect(row).to_contain_text("值班中", timeout=PATIENCE_MS)
    is_fine(chief, f"list {name}")
    chief.shoot(f"lending-{name}")

    stand_in = sit("hecha02", "console", **size)
    stand_in.find("account").click()
    expect(stand_in.find("posts")).to_contain_text("值班至")
    stand_in.shoot(f"lending-account-{name}")

    row.get_by_test_id("end-delegation").click()
    chief.page.get_by_role("button", name="确定").last.click()
    expect(row).to_have_count(0, timeout=PATIENCE_MS)
