"""The walk through the pages themselves: every person signed in at a screen of his own, nobody reloading anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import PATIENCE_MS, Screen, Sit
from tests.e2e.city import City
from tests.e2e.phone.taps import MOST, Taps
from tests.e2e.town import Town, facts_are_dense, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]


def report_on_the_phone(finder: Screen, snapshot: Path, place: str) -> str:
    """Fill the form as a finger does; answers the case number on the receipt."""
    page, taps = finder.page, Taps(finder.page)
    taps.listen()
    page.locator("input[type=file]").first.set_input_files(snapshot)
    expect(page.locator(".photo img")).to_be_visible()
    page.get_by_label("地点：输入两个字或拼音首字母").fill(place)
    page.get_by_role("option", name=place, exact=False).first.tap()
    page.get_by_role("button", name="施工违建").tap()
    page.get_by_role("radio", name="私搭乱建").tap()
    finder.shoot("01-phone-form")
    page.locator(".submit-bar button").tap()
    made = taps.made()
    assert len(made) <= MOST, made
    done, other = page.locator(".receipt.is-done"), page.get_by_role("button", name="不是同一问题，继续上报")
    expect(done.or_(other)).to_be_visible()
    if other.is_visible():  # another test has found something here already
        other.tap()
    expect(done).to_be_visible()
    finder.shoot("02-phone-receipt")
    page.get_by_role("link", name="查看进度").tap()
    number = page.get_by_text(re.compile(r"FC-\d{8}-\d{5}")).first
    expect(number).to_be_visible(timeout=PATIENCE_MS)
    finder.shoot("02-phone-progress")
    found = re.search(r"FC-\d{8}-\d{5}", number.inner_text())
    assert found
    return found.group()


def test_from_the_phone_to_closed(sit: Sit, town: Town, city: City, snapshot: Path) -> None:
    place = town.place_of("wangge01")
    here = {"longitude": place["lng"], "latitude": place["lat"], "accuracy": 12}
    finder = sit("wangge01", "m", geolocation=here, permissions=["geolocation"])
    branch = sit("zhibu01", "desk", "lists/branch_triage")
    community = sit("shequ01", "desk", "lists/community_calls")
    clerk = sit("shouli", "console", "queues/intake")
    chief = sit("zhiban", "console", "queues/intake")
    lead = sit("zhifadui", "desk", "lists/to_sign")
    co = sit("huanwei", "desk", "lists/co_tasks")

    no = report_on_the_phone(finder, snapshot, place["name"])

    branch.open(no)
    branch.shoot("03-desk-branch-case")
    branch.do("call_up", "04-desk-branch-form", 原因=("缺执法权",), 说明="已劝阻，需执法")
    branch.see("at_community")

    community.open(no)
    community.see("at_community")
    community.do("answer")
    community.shoot("05-desk-community-case")
    community.do("call_up", 原因=("缺执法权",), 说明="上门两次，当事人不听")
    community.see("at_street")

    for console in (clerk, chief):
        console.open(no)
        console.see("at_street")
    clerk.shoot("06-console-intake")
    clerk.do("answer")
    expect(chief.find("action-answer")).to_have_count(0)  # his page follows what the clerk did
    chief.do("file", "07-console-file-form")
    chief.see("filed")
    clerk.see("filed")
    clerk.do("dispatch", "08-console-dispatch-form", 协办单位=("凤洁环卫公司",))
    clerk.see("dispatched")
    chief.see("dispatched")

    lead.open(no)
    lead.do("sign")
    lead.do("respond", 方式=("到场",))
    lead.see("handling")
    lead.shoot("09-desk-unit-case")
    co.open(no)
    co.shoot("10-desk-co-case")
    co.do("co_done", 说明="建筑垃圾已清运")
    town.person("chengguanban").act(no, "co_done", note="已巡查")  # the unit that the catalogue names beside the lead
    expect(lead.find("action-feedback")).to_be_visible(timeout=PATIENCE_MS)  # offered once nobody is still at work
    lead.do("feedback", "11-desk-feedback-form", 说明="已停工，现场恢复", 已达到结案条件=True, 现场凭证=snapshot)
    lead.see("fed_back")

    checker = sit("wangge01", "desk", "lists/to_verify")
    checker.open(no)
    checker.do("verify_pass", "12-desk-verify-form", 方式=("到场",))
    checker.see("closed")
    checker.shoot("13-desk-closed")
    for screen in (chief, clerk, branch, community, lead):
        screen.see("closed")
    chief.shoot("14-console-closed")
    chief.page.get_by_test_id("timeline").scroll_into_view_if_needed()
    chief.shoot("15-console-timeline")

    finder.page.goto(f"{town.stand.streets.intake}/m/mine")
    newest = finder.page.locator("a[href*='/m/reports/']").first
    expect(newest).to_contain_text("结案", timeout=PATIENCE_MS)
    finder.shoot("16-phone-mine")
    newest.tap()
    expect(finder.page.get_by_text(no).first).to_be_visible()
    expect(finder.page.get_by_text("结案", exact=True).first).to_be_visible()
    finder.shoot("17-phone-progress")
    case = town.person("zhiban").case(no)
    facts_are_dense(case)
    until("the city hears of it", lambda: city.of(no))


def test_a_phone_call_is_registered(sit: Sit, town: Town) -> None:
    clerk = sit("shouli", "console", "register")
    form = clerk.find("register-form")
    expect(form).to_be_visible()
    clerk.shoot("20-console-register")
    form.get_by_test_id("place-words").fill("鸣翠")
    clerk.page.get_by_test_id("place-option").first.click()
    form.get_by_test_id("register-category").click()
    clerk.page.get_by_role("option", name="施工扰民").click()
    form.locator("textarea").first.fill("居民来电：夜里一点还在施工")
    clerk.shoot("21-console-register-filled")
    form.get_by_test_id("submit-register").click()
    number = clerk.find("receipt-case")
    expect(number).to_be_visible(timeout=PATIENCE_MS)
    no = number.inner_text()
    clerk.find("open-case").click()
    expect(clerk.find("case-no")).to_have_text(no)
    clerk.see("reported")
    clerk.shoot("22-console-registered-case")
    case = town.person("zhibu01").look(no)
    assert case.status_code == 200 or town.person("shequ01").look(no).status_code == 200
    assert town.person("shouli").case(no)["source"] == "phone"


def test_a_whistle_through_the_leader_to_the_district_and_the_log_of_what_was_sent(
    sit: Sit, town: Town, city: City
) -> None:
    no = town.report("wangge01", "0302", text="施工占道，街道无权处理")
    town.person("zhibu01").act(no, "call_up", reason="no_enforcement")
    town.person("shequ01").act(no, "call_up", reason="no_enforcement", note="劝过")
    lead_unit = town.person("zhiban").case(no)["routing"]["lead"]
    town.person("shouli").act(no, "file_dispatch", condition="0302.1", lead_unit=lead_unit)
    town.person(lead_unit).act(no, "respond", means="phone")

    chief = sit("zhiban", "console", f"cases/{no}")
    leader = sit("lingdao", "desk", "lists/to_approve")
    district = sit("quji", "desk", "lists/whistles")
    chief.do("whistle", "30-console-whistle-form", 类型=("街道无法解决",), 说明="需区级牵头")
    leader.open(no)
    leader.shoot("31-desk-leader-case")
    leader.do("approve")
    chief.see("at_district")
    district.open(no)
    district.do("answer_whistle")
    district.shoot("32-desk-district-case")
    district.do("feedback", 已达到结案条件=True)
    chief.see("fed_back")
    town.person("wangge01").act(no, "verify_pass", means="on_site")
    chief.see("closed")

    until("both are delivered", lambda: len(city.of(no)) == 2)
    chief.find("nav-deliveries").click()
    rows = chief.page.locator("[data-kind=delivery]").filter(has_text=no)
    expect(rows).to_have_count(2)
    for row in rows.all():
        expect(row.get_by_test_id("delivery-state")).to_have_text("已送达")
    chief.shoot("33-console-deliveries")
    admin = sit("admin", "console", "webhooks")
    expect(admin.find("webhooks")).to_be_visible()
    admin.shoot("34-console-webhooks")
    admin.find("preview-webhook").first.click()
    expect(admin.find("message")).to_contain_text("case_no")
    admin.shoot("35-console-webhook-preview")
    admin.page.keyboard.press("Escape")
    for number, page in ((36, "dead"), (37, "allowed")):
        admin.find(f"push-{page}").click()
        expect(admin.find(page)).to_be_visible()
        admin.shoot(f"{number}-console-{page}")


def test_a_foreign_case_and_a_conflict_are_told_in_words(sit: Sit, town: Town) -> None:
    no = town.report("wangge01", "0302")
    stranger = sit("shequ02", "desk", f"cases/{no}")
    expect(stranger.page.get_by_role("alert").or_(stranger.page.get_by_test_id("away")).first).to_be_visible()
    assert "施工" not in stranger.page.content()
    stranger.shoot("40-desk-foreign-case")

    branch = sit("zhibu01", "desk", f"cases/{no}")
    branch.find("action-call_up").click()
    form = branch.find("action-form")
    form.get_by_label("说明").fill("写到一半")
    town.person("bjiao01")
    town.person("zhibu01").act(no, "self_resolve_start")
    expect(form.or_(branch.find("impossible")).first).to_be_visible()
    branch.see("grid_handling")
    branch.shoot("41-desk-moved-on")
    expect(branch.page.get_by_text("写到一半").or_(form.get_by_label("说明")).first).to_be_visible()
