"""The bell: who must look is told while he sits there, reads it, and stands before the case. And what was pushed."""

from __future__ import annotations

from datetime import datetime

import pytest
from playwright.sync_api import expect

from services.chassis.clock import LOCAL
from services.escalation.notices.people import DAY_BEGINS, DAY_ENDS
from tests.e2e.browser.conftest import PATIENCE_MS, Screen, Sit
from tests.e2e.browser.test_accessible import NARROW, is_fine, page_is_fine, walk
from tests.e2e.town import Person, Town, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PUSHES = {
    "webhooks": "webhooks",
    "dead-letters": "dead",
    "allowed-addresses": "allowed",
    "robots": "robots",
    "sent-notices": "sent",
    "notices": "notices-page",
}


def unread(person: Person) -> int:
    answer = person.dispatch.get("/api/v1/escalation/notices/unread").raise_for_status().json()
    return int(answer["unread"])


def on_duty() -> str:
    """The duty chief of this shift, who is told in the street's name."""
    return "zhiban" if DAY_BEGINS <= datetime.now(LOCAL).hour < DAY_ENDS else "zhiban02"


def rings(screen: Screen) -> int:
    """What the bell says."""
    count = screen.find("bell-count")
    return int(count.inner_text()) if count.is_visible() else 0


def test_a_notice_arrives_by_itself_is_read_and_leads_to_its_case(sit: Sit, town: Town) -> None:
    login = on_duty()
    chief = sit(login, "console", color_scheme="dark")
    chief.find("bell").click()
    expect(chief.find("notices")).to_be_visible()
    until("the bell counts what is unread", lambda: rings(chief) == unread(town.person(login)))
    if rings(chief):
        chief.find("read-all").click()
    expect(chief.find("bell-count")).to_have_count(0, timeout=PATIENCE_MS)
    chief.page.keyboard.press("Escape")
    expect(chief.find("notices")).to_have_count(0)
    expect(chief.find("bell")).to_be_focused()

    no = town.report("wangge01", "0302", text="沟边塌了一块，有人差点掉下去", danger=True)
    expect(chief.find("bell-count")).to_be_visible(timeout=2 * PATIENCE_MS)
    chief.find("bell").click()
    told = chief.page.locator("[data-kind=notice]").filter(has_text=no).first
    expect(told).to_contain_text("呼叫街道", timeout=PATIENCE_MS)
    expect(told).to_contain_text("未读")
    page_is_fine(chief.page, "the bell", of=".bell-list")
    chief.shoot("74-console-bell")
    told.click()
    expect(chief.find("case-no")).to_have_text(no, timeout=PATIENCE_MS)
    expect(chief.find("notices")).to_have_count(0)
    until("the bell counts as the service does", lambda: rings(chief) == unread(town.person(login)))
    chief.find("bell").click()
    expect(told).to_be_visible()
    expect(told).not_to_contain_text("未读")


def test_the_desk_tells_too_and_says_by_which_ways(sit: Sit, town: Town) -> None:
    no = town.report("wangge01", "0302", text="施工占道")
    branch = sit("zhibu01", "desk", "mine")
    branch.find("notices-link").click()
    told = branch.page.locator("[data-kind=notice]").filter(has_text=no).first
    expect(told).to_be_visible(timeout=2 * PATIENCE_MS)
    is_fine(branch, "notices on the desk")
    branch.page.get_by_role("button", name="接收方式").click()
    expect(branch.find("choices")).to_be_visible()
    is_fine(branch, "ways of being told")
    branch.page.get_by_role("button", name="我的通知").click()
    told.click()
    expect(branch.find("case-no")).to_have_text(no, timeout=PATIENCE_MS)


def test_the_pages_of_what_is_pushed_are_fine_on_every_screen(sit: Sit, town: Town) -> None:
    keeper = town.person("admin").dispatch
    entry = {"scheme": "http", "host": "10.20.30.41", "port": 8080, "reason": "区平台在政务内网"}
    robot = {
        "kind": "wecom",
        "name": "值班群",
        "url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=made-up",
        "unit": "huanwei",
    }
    made = []
    for path, body in (("webhooks/allowed", entry), ("notices/robots", robot)):
        answer = keeper.post(f"/api/v1/escalation/{path}", json=body)
        assert answer.status_code == 201, answer.text
        made.append(f"/api/v1/escalation/{path}/{answer.json()['id']}")
    admin = sit("admin", "console", **NARROW)
    walk(admin, town, PUSHES)
    admin.page.emulate_media(color_scheme="dark")
    admin.page.set_viewport_size({"width": 1366, "height": 768})
    walk(admin, town, {name: PUSHES[name] for name in ("webhooks", "robots", "sent-notices")})
    for path in made:
        keeper.delete(path).raise_for_status()


def test_how_a_receiver_is_spoken_to_is_changed_in_its_form(sit: Sit, town: Town) -> None:
    body = {"url": "https://turned.example.org/hook", "name": "改用表单的平台", "events": ["case.closed"]}
    keeper = town.person("admin").dispatch
    made = keeper.post("/api/v1/escalation/webhooks", json=body).raise_for_status().json()
    admin = sit("admin", "console", "webhooks")
    row = admin.find(f"webhook-{made['id']}")
    row.get_by_test_id("edit-webhook").click()
    form = admin.find("webhook-form")
    form.locator("select[name=dialect]").select_option("city_form")
    form.locator("select[name=auth]").select_option("static_token")
    expect(form).to_contain_text("已排队的消息是按原方言写成的")
    form.get_by_test_id("submit-webhook").click()
    expect(form.locator(".field-error")).to_have_text("请填写这一项")
    form.locator("input[name=secret]").fill("handed-out")
    form.locator("input[name=partner]").fill("nobody")
    form.get_by_test_id("submit-webhook").click()
    expect(form.locator(".field-error")).to_contain_text("没有这个来件单位", timeout=PATIENCE_MS)
    is_fine(admin, "form of a receiver")
    form.locator("input[name=partner]").fill("")
    form.get_by_test_id("submit-webhook").click()
    expect(form).to_have_count(0, timeout=PATIENCE_MS)
    expect(row.get_by_test_id("webhook-dialect")).to_have_text("数字城管表单")

    row.get_by_test_id("edit-webhook").click()
    expect(form.locator("select[name=auth]")).to_have_value("static_token")
    expect(form).to_contain_text("留空则沿用现有密钥")
    form.locator("select[name=dialect]").select_option("cloudevents")
    form.locator("select[name=auth]").select_option("standard_webhooks")
    form.get_by_test_id("submit-webhook").click()
    expect(admin.find("webhook-secret")).to_contain_text("whsec_", timeout=PATIENCE_MS)
    keeper.delete(f"/api/v1/escalation/webhooks/{made['id']}").raise_for_status()
