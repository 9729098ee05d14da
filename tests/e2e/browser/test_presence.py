"""Two people before one case see each other; a list that is worked down goes on by itself; a thumb takes back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import PATIENCE_MS, Sit
from tests.e2e.browser.test_console import called
from tests.e2e.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_who_is_at_a_case_stands_in_its_row_and_on_it_until_he_leaves(sit: Sit, town: Town) -> None:
    no = called(town, "护栏被撞歪")
    clerk, chief = sit("shouli", "console", "queues/intake"), sit("zhiban", "console", "queues/intake")
    here, there = town.person("shouli").session["name"], chief.row(no).get_by_test_id("present")
    expect(chief.row(no)).to_be_visible(timeout=PATIENCE_MS)
    clerk.open(no)
    expect(there).to_have_text(f"{here} 正在查看", timeout=PATIENCE_MS)
    clerk.offer("answer").click()
    expect(there).to_have_text(f"{here} 正在处理", timeout=PATIENCE_MS)
    chief.open(no)
    expect(chief.find("case-panel").get_by_test_id("present")).to_have_text(f"{here} 正在处理")
    chief.shoot("26-console-presence")
    clerk.page.keyboard.press("Escape")
    clerk.find("close-case").click()
    expect(there).to_have_count(0, timeout=PATIENCE_MS)


def test_a_list_that_is_worked_down_goes_on_by_itself_and_back(sit: Sit, town: Town) -> None:
    first, second = called(town, "井盖松动"), called(town, "路牌倒了")
    clerk = sit("shouli", "console", "queues/intake")
    page = clerk.page
    clerk.find("account").click()
    clerk.find("next").get_by_role("button", name="转到下一件").click()
    page.keyboard.press("Escape")
    clerk.open(first)
    clerk.do("file_dispatch")
    expect(clerk.find("case-no")).not_to_have_text(first, timeout=PATIENCE_MS)
    expect(clerk.row(first)).to_have_count(0)
    after = clerk.find("case-no").inner_text()
    expect(clerk.row(after)).to_have_attribute("aria-selected", "true")
    assert town.person("shouli").case(first)["state"] == "dispatched"
    page.keyboard.press("z")
    expect(clerk.find("case-no")).to_have_text(first, timeout=PATIENCE_MS)
    clerk.see("at_street")
    page.reload()
    clerk.find("account").click()
    clerk.find("next").get_by_role("button", name="停在本件").click()
    clerk.open(second)
    clerk.do("file_dispatch")
    clerk.see("dispatched")
    expect(clerk.find("case-no")).to_have_text(second)


def test_a_thumb_takes_back_and_a_request_says_what_it_is(sit: Sit, town: Town) -> None:
    no = called(town, "路面塌了一块")
    form = town.person("shouli").offers(no)["file_dispatch"]["inputs"]
    town.person("shouli").act(no, "file_dispatch", **{one["name"]: one["value"] for one in form if one.get("value")})
    unit = town.person("shouli").case(no)["lead_unit"]
    desk = sit(unit, "desk", "lists/to_sign")
    desk.open(no)
    desk.do("sign")
    expect(desk.find("undo")).to_be_visible(timeout=PATIENCE_MS)
    desk.shoot("27-desk-undo")
    desk.find("undo").click()
    expect(desk.find("undo")).to_have_count(0, timeout=PATIENCE_MS)
    expect(desk.offer("sign")).to_be_visible(timeout=PATIENCE_MS)

    for action, said in (("sign", {}), ("respond", {"means": "on_site"}), ("extend_request", {"reason": "weather"})):
        town.person(unit).act(no, action, **said, **({"note": "连日大雨"} if action == "extend_request" else {}))
    desk.page.goto(f"{town.stand.streets.dispatch}/desk/lists/my_requests")
    expect(desk.row(no).get_by_test_id("row-request")).to_have_text("申请延期天气原因 · 待审批", timeout=PATIENCE_MS)
    desk.shoot("28-desk-requests")
    chief = sit("zhiban", "console", "queues/approvals")
    asked = f"申请延期 · 天气原因 · {town.person(unit).session['name']}"
    expect(chief.row(no).get_by_test_id("row-request")).to_have_text(asked, timeout=PATIENCE_MS)
    chief.shoot("29-console-approvals")
