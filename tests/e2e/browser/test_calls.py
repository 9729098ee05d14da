"""A call about danger: taken, sent to a unit from the same page, and its caller looked up again for a reason."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.browser.conftest import PATIENCE_MS, Sit
from tests.e2e.town import Town

NAME, NUMBER = "何秀英", "13800005678"


def test_a_call_is_registered_and_dispatched_in_one_go_and_its_caller_stays_apart(sit: Sit, town: Town) -> None:
    clerk = sit("shouli", "console", "register")
    form = clerk.find("register-form")
    form.get_by_test_id("place-words").fill("鸣翠")
    clerk.page.get_by_test_id("place-option").first.click()
    form.get_by_test_id("register-category").click()
    clerk.page.get_by_role("option", name="施工扰民").click()
    form.locator("textarea").first.fill("居民来电：脚手架松了，下面有人走")
    form.get_by_label("有危险", exact=True).check()
    form.get_by_label("来电人姓名").fill(NAME)
    form.get_by_label("来电人电话").fill(NUMBER)
    clerk.shoot("23-console-call-filled")
    form.locator("textarea").first.press("Control+Enter")

    expect(clerk.find("caller-kept")).to_be_visible(timeout=PATIENCE_MS)
    dispatch = clerk.find("action-form")
    expect(dispatch).to_have_attribute("data-action", "file_dispatch", timeout=PATIENCE_MS)
    clerk.shoot("24-console-call-dispatch")
    dispatch.get_by_test_id("submit-action").click()
    expect(clerk.find("receipt-sent"), str(clerk.refused[-1:])).to_be_visible(timeout=PATIENCE_MS)
    no = clerk.find("receipt-case").inner_text()

    clerk.find("open-case").click()
    clerk.see("dispatched")
    expect(clerk.find("step-times")).to_be_visible()
    expect(clerk.find("lane").first).to_have_attribute("data-unit", town.person("shouli").case(no)["lead_unit"])
    assert NUMBER not in town.person("shouli").look(no).text
    clerk.find("reveal").click()
    clerk.find("reveal-on_behalf").click()
    expect(clerk.find("revealed")).to_contain_text(NAME)
    expect(clerk.find("revealed")).to_contain_text(NUMBER)
    clerk.shoot("25-console-caller-shown")
