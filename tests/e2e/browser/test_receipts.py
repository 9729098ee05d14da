"""平台回执异常: a code that nobody agreed on is counted in the rail; the chief takes it for something or leaves it."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import PATIENCE_MS, Sit
from tests.e2e.browser.test_accessible import is_fine
from tests.e2e.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
TOKEN = "handed-out-by-the-platform"


def test_a_strange_code_waits_for_the_chief(sit: Sit, town: Town) -> None:
    body = {
        "url": "https://platform.example.org/receipts",
        "name": "区平台",
        "events": ["case.reopened"],
        "dialect": "city_form",
        "auth": "static_token",
        "secret": TOKEN,
    }
    made = town.person("admin").dispatch.post("/api/v1/escalation/webhooks", json=body)
    assert made.status_code == 201, made.text
    for code in ("777", "888"):
        said = {"taskNum": "QP-1", "sourceNum": "FC-20200101-00001", "eventState": code, "disposeUnitName": "区城管局"}
        told = town.client("escalation").post(
            f"/api/v1/platform/{made.json()['id']}/events",
            content=urlencode(said),
            headers={"authorization": f"Bearer {TOKEN}", "content-type": "application/x-www-form-urlencoded"},
        )
        assert told.json() == {"code": "0", "message": "unknown"}

    chief = sit("zhiban", "console")
    counted = chief.find("queue-platform_receipts")
    expect(counted).to_contain_text("2", timeout=PATIENCE_MS)
    counted.click()
    strange = chief.page.locator("[data-kind=receipt]").filter(has_text="777")
    expect(strange).to_contain_text("区城管局", timeout=PATIENCE_MS)
    is_fine(chief, "receipts")
    chief.shoot("receipts")

    strange.get_by_test_id("map-receipt").click()
    form = chief.find("receipt-form")
    form.get_by_test_id("submit-receipt").click()
    expect(form.locator(".field-error")).to_have_text("请填写这一项")
    form.get_by_label("处置完成").check()
    is_fine(chief, "receipt form")
    chief.shoot("receipts-form")
    form.get_by_test_id("submit-receipt").click()
    expect(chief.find("receipt-form")).to_have_count(0, timeout=PATIENCE_MS)

    other = chief.page.locator("[data-kind=receipt]").filter(has_text="888")
    other.get_by_test_id("set-aside").click()
    form.locator("textarea[name=note]").fill("对方测试")
    form.get_by_test_id("submit-receipt").click()
    expect(other).to_have_count(0, timeout=PATIENCE_MS)
    chief.page.get_by_text("全部回执").click()
    expect(other).to_contain_text("不作处理：对方测试", timeout=PATIENCE_MS)
    # there is no such case, says dispatch, so the first one waits again
    refused = chief.page.locator("[data-kind=receipt]").filter(has_text="未被接受")
    expect(refused).to_contain_text("777", timeout=PATIENCE_MS)
    chief.page.reload()
    expect(counted).to_contain_text("1", timeout=PATIENCE_MS)
