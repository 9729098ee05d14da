"""What the form offers beside the report itself: a good deed told, a secretary's choice, names on the map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.phone.stand_in import PERSON, POST, Intake

pytestmark = pytest.mark.browser


def bodies(intake: Intake) -> list[dict[str, Any]]:
    return [one["body"] for one in intake.reports.values()]


def test_a_good_deed_is_told_without_a_network_and_is_no_report(form: Page, intake: Intake) -> None:
    form.get_by_role("link", name="讲一讲身边的好人好事").tap()
    form.get_by_role("button", name="记下来").tap()
    expect(form.get_by_role("alert")).to_have_text("请写一写发生了什么")
    form.get_by_label("讲一讲身边的好人好事").fill("邻居们把走失的老人送回了家")
    form.get_by_label("地点：输入两个字或拼音首字母").fill("lmsc")
    form.get_by_role("option", name="利民市场").tap()
    form.context.set_offline(True)
    form.get_by_role("button", name="记下来").tap()
    expect(form.get_by_test_id("outbox")).to_contain_text("邻居们把走失的老人送回了家")
    assert intake.deeds == {}
    form.context.set_offline(False)
    expect(form.get_by_test_id("deeds")).to_contain_text("邻居们把走失的老人送回了家", timeout=20_000)
    expect(form.get_by_test_id("outbox")).to_have_count(0)
    (note,) = intake.deeds.values()
    assert (note["place_words"], note["cell"]) == ("利民市场", "441802001002012")
    assert intake.reports == {}
    form.goto(form.url.replace("/mine", "/deed"))
    expect(form.get_by_label("讲一讲身边的好人好事")).to_have_value("")


def test_a_secretary_says_who_handles_his_own_report(
    phone: Callable[..., BrowserContext], address: str, intake: Intake
) -> None:
    intake.person = {**PERSON, "login": "zhibu01", "posts": [{**POST, "role": "GS"}]}
    page = phone().new_page()
    page.goto(f"{address}/m/")
    for way, told in (
        ("网格自办", {"in_grid": True, "call_now": False}),
        ("呼叫社区", {"in_grid": False, "call_now": True}),
    ):
        page.get_by_role("button", name="路灯照明").tap()
        expect(page.get_by_role("radio", name="网格自办")).to_be_checked()
        page.get_by_role("radio", name=way).check()
        page.locator(".submit-bar button").tap()
        expect(page.locator(".receipt.is-done")).to_be_visible()
        assert {name: bodies(intake)[-1][name] for name in told} == told
        expect(page.get_by_text("已记为网格自办" if told["in_grid"] else "已呼叫社区")).to_be_visible()
        page.get_by_role("link", name="再报一件").tap()
    page.get_by_role("switch", name="现在有人身危险").check()
    expect(page.get_by_role("radio", name="呼叫社区")).to_have_count(0)
    page.get_by_role("link", name="我的", exact=True).tap()
    page.get_by_test_id("deeds").get_by_role("button", name="本网格").tap()
    expect(page.get_by_text("本网格还没有人讲")).to_be_visible()


def test_the_map_says_places_by_name_and_takes_them_by_a_tap(form: Page, intake: Intake) -> None:
    form.get_by_role("button", name="在图上标定").tap()
    names = form.locator(".map-place-dot.is-named")
    expect(names.filter(has_text="凤城花园").first).to_be_visible()
    expect(names.nth(1)).to_be_visible()
    form.locator(".map-place").filter(has_text="凤城花园").first.tap()
    form.get_by_role("button", name="就是这里").tap()
    expect(form.get_by_label("地点：输入两个字或拼音首字母")).to_have_value("凤城花园")


def test_without_a_position_places_of_the_own_grid_are_offered_and_the_answers_are_kept(
    phone: Callable[..., BrowserContext], address: str, intake: Intake
) -> None:
    page = phone(permissions=[]).new_page()
    page.goto(f"{address}/m/")
    expect(page.get_by_text("定位不可用")).to_be_visible()
    expect(page.get_by_role("button", name="凤城花园", exact=True)).to_be_visible()
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.reload()
    page.get_by_label("地点：输入两个字或拼音首字母").fill("利民")
    page.get_by_role("option", name="利民市场").tap()
    page.get_by_role("button", name="路灯照明").tap()
    page.locator(".submit-bar button").tap()
    expect(page.get_by_role("heading", name="已存本机")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator(".receipt.is-done")).to_be_visible(timeout=20_000)
    assert bodies(intake)[0]["place_words"] == "利民市场"
