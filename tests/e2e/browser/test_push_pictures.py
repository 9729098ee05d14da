"""The pictures of what goes out in docs/images: deliveries, dead letters, call-backs, notices. A street of its own, in
which a platform refuses and a robot is away; `make pictures`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import PATIENCE_MS, Screen, Sit
from tests.e2e.browser.pictures import keep
from tests.e2e.city import City, platform
from tests.e2e.conftest import a_town
from tests.e2e.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(600)]
PATIENT = 3 * PATIENCE_MS
TOKEN = "handed-out-by-the-platform"
HEARD = ["case.escalated", "case.overdue", "case.supervised", "case.closed", "case.reopened"]
ROBOT = {
    "kind": "wecom",
    "name": "街道值班群",
    "url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=made-up",
}
INSIDE = {"scheme": "http", "host": "10.20.30.40", "port": 8080, "reason": "区城管平台在政务内网，与区局信息科确认过"}


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    with platform() as city:
        yield city


@pytest.fixture(scope="module")
def town(city: City) -> Iterator[Town]:
    quick = {"GRID_WEBHOOK_SCHEDULE_S": "[0.2, 0.3]", "GRID_NOTICE_SCHEDULE_S": "[0.2, 0.3]"}
    with a_town(city, quick | {"GRID_NOTICE_OPENS": "0", "GRID_NOTICE_CLOSES": "24"}) as town:
        yield town


def add(town: Town, path: str, **body: Any) -> dict[str, Any]:
    answer = town.person("admin").dispatch.post(f"/api/v1/escalation/{path}", json=body)
    assert answer.status_code in (201, 202), answer.text
    made: dict[str, Any] = answer.json()
    return made


def calls_back(town: Town, endpoint: str, code: str, unit: str) -> None:
    said = {"taskNum": f"QP-{code}", "sourceNum": "FC-20260101-00001", "eventState": code, "disposeUnitName": unit}
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/x-www-form-urlencoded"}
    town.client("escalation").post(
        f"/api/v1/platform/{endpoint}/events", content=urlencode(said), headers=headers
    ).raise_for_status()


def has(screen: Screen, page: str, kind: str) -> None:
    """He goes to the page, and it has something to show."""
    screen.page.goto(f"{screen.page.url.partition('/console/')[0]}/console/{page}")
    expect(screen.page.locator(f"[data-kind={kind}]").first).to_be_visible(timeout=PATIENT)


def test_what_goes_out_and_what_comes_back(sit: Sit, town: Town, city: City) -> None:
    spoken = {"dialect": "city_form", "auth": "static_token", "secret": TOKEN, "crs": "gcj02"}
    form = add(town, "webhooks", url=f"http://{city.address}/record", name="区城管平台", events=HEARD, **spoken)
    add(town, "webhooks/allowed", **INSIDE)
    add(town, "notices/robots", **ROBOT)
    for code, unit in (("777", "区城管局"), ("205", "区住建局")):
        calls_back(town, form["id"], code, unit)
    numbers = [town.report("wangge01", "0302", text=text, danger=True) for text in ("沟边塌了一块", "围挡倒在路上")]
    chief = sit("zhiban", "console")
    expect(chief.find("bell-count")).to_be_visible(timeout=PATIENT)
    chief.find("bell").click()
    expect(chief.page.locator("[data-kind=notice]").filter(has_text=numbers[-1]).first).to_be_visible(timeout=PATIENT)
    keep(chief, "console-bell")
    has(chief, "receipts", "receipt")
    expect(chief.page.locator("[data-kind=receipt]")).to_have_count(2)
    keep(chief, "console-receipts")

    add(town, f"webhooks/{form['id']}/test")
    admin = sit("admin", "console", "webhooks")
    row = admin.find(f"webhook-{form['id']}")
    expect(row).to_be_visible(timeout=PATIENT)
    keep(admin, "console-webhooks")
    row.get_by_test_id("edit-webhook").click()
    expect(admin.find("webhook-form")).to_be_visible()
    keep(admin, "console-receiver")
    has(admin, "dead-letters", "dead")
    keep(admin, "console-dead")
    has(admin, "deliveries", "delivery")
    admin.find("attempts").first.click()
    expect(admin.page.locator(".tries").first).to_be_visible()
    keep(admin, "console-deliveries")
    for page, kind in (("allowed-addresses", "allowed"), ("robots", "robot"), ("sent-notices", "message")):
        has(admin, page, kind)
        keep(admin, f"console-{page.partition('-')[0]}")
    desk = sit("zhibu01", "desk", "notices")
    expect(desk.page.locator("[data-kind=notice]").first).to_be_visible(timeout=PATIENT)
    keep(desk, "desk-notices")
