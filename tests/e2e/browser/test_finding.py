"""Finding and comparing: a list kept under a name, acts by the palette, the same matter on a line, before and after."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.api.test_walk import report_with_photo
from tests.e2e.browser.conftest import PATIENCE_MS, Sit
from tests.e2e.browser.test_console import called
from tests.e2e.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

NAME = "早班先看的"


def test_a_list_is_kept_under_a_name_and_the_palette_goes_there_and_acts(sit: Sit, town: Town) -> None:
    no = called(town, "渣土车停在路口")
    clerk = sit("shouli", "console", "queues/intake?urgency=U2,U3")
    clerk.find("filter-save").click()
    clerk.find("filter-name").fill(NAME)
    clerk.find("filter-keep").click()
    expect(clerk.find("views")).to_contain_text(NAME, timeout=PATIENCE_MS)
    expect(clerk.find("filter-save")).to_have_count(0)
    clerk.page.goto(f"{town.stand.streets.dispatch}/console/cases/{no}")
    expect(clerk.find("case-state")).to_be_visible(timeout=PATIENCE_MS)

    page = clerk.page
    page.keyboard.press("Control+k")
    page.keyboard.type("催办")
    expect(clerk.find("palette-input")).to_have_value("催办")
    expect(page.locator("[data-command=act-urge]")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(clerk.find("action-form")).to_have_attribute("data-action", "urge", timeout=PATIENCE_MS)
    clerk.find("action-form").get_by_role("button", name="取消").click()

    page.keyboard.press("Control+k")
    page.keyboard.type(NAME)
    expect(page.locator("[data-command^=view-]")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/queues/intake\?urgency=U2(,|%2C)U3$"))
    expect(clerk.row(no)).to_be_visible(timeout=PATIENCE_MS)
    clerk.shoot("73-console-view")
    clerk.find("views").get_by_role("button", name=NAME).click()
    expect(clerk.find("views")).to_have_count(0, timeout=PATIENCE_MS)


def test_the_same_matter_is_merged_from_its_line(sit: Sit, town: Town) -> None:
    where = {"position": {"cell": town.cell_of("wangge01")}}
    master = town.report("wangge01", "0303", text="半夜开挖，第一次上报", **where)
    again = town.report("wangge01", "0303", text="半夜开挖，又报一次", **where)
    clerk = sit("shouli", "console", f"cases/{again}")
    alike = clerk.find("alike")
    expect(alike).to_be_visible(timeout=PATIENCE_MS)
    line = alike.locator(f"[data-testid=nearby][data-case-no='{master}']")
    if not line.is_visible():
        alike.locator("summary").click()  # only the likeliest stand there at once
    line.get_by_test_id("merge-into").click()
    form = clerk.find("action-form")
    expect(form).to_have_attribute("data-action", "merge")
    expect(form.locator("label.choice").filter(has_text=master).locator("input")).to_be_checked(timeout=PATIENCE_MS)
    form.get_by_test_id("submit-action").click()
    clerk.see("merged")
    expect(clerk.find("master")).to_contain_text(master)


def test_before_and_after_are_compared_by_moving_the_line(sit: Sit, town: Town) -> None:
    _, _, no = report_with_photo(town)
    branch = town.person("zhibu01")
    branch.act(no, "self_resolve_start")
    branch.act(no, "self_resolve_done", means="sao", note="已拆除", evidence=[branch.show(no)])
    clerk = sit("shouli", "console", f"cases/{no}")
    compared = clerk.find("before-after")
    expect(compared).to_be_visible(timeout=PATIENCE_MS)
    for photo in compared.locator("img.compare-photo").all():
        assert photo.evaluate("async img => { await img.decode(); return img.naturalWidth }") > 100
    line, slider = compared.locator(".compare-line"), compared.get_by_role("slider")
    before = line.bounding_box()
    slider.focus()
    for _ in range(20):
        clerk.page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("70")
    after = line.bounding_box()
    assert before is not None
    assert after is not None
    assert after["x"] > before["x"]
    clerk.shoot("74-console-before-after")
