"""A duplicate is merged from the console, leads to its master, and is taken out again."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import PATIENCE_MS, Sit
from tests.e2e.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_duplicate_is_merged_and_taken_out_again(sit: Sit, town: Town) -> None:
    where = {"position": {"cell": town.cell_of("wangge01")}}
    master = town.report("wangge01", "0302", text="施工占道，第一次上报", **where)
    duplicate = town.report("wangge01", "0302", text="施工占道，再报一次", **where)
    clerk = sit("shouli", "console", f"cases/{duplicate}")
    chief = sit("zhiban", "console", f"cases/{master}")

    clerk.offer("merge").click()
    form = clerk.find("action-form")
    offered = form.locator("label.choice").filter(has_text=master)
    expect(offered).to_contain_text("施工占道，第一次上报", timeout=PATIENCE_MS)
    expect(offered).to_contain_text("上报1次")
    offered.locator("input").check()
    clerk.shoot("50-console-merge-form")
    form.get_by_test_id("submit-action").click()
    expect(form).to_have_count(0, timeout=PATIENCE_MS)

    clerk.see("merged")
    expect(clerk.find("master")).to_contain_text(f"并入 {master}")
    clerk.shoot("51-console-merged")
    absorbed = chief.find("absorbed")
    expect(absorbed).to_contain_text(duplicate, timeout=PATIENCE_MS)
    expect(chief.find("timeline")).to_contain_text("并入了同一问题的其他案件")
    absorbed.scroll_into_view_if_needed()
    chief.shoot("52-console-master")

    clerk.find("master").get_by_role("link").click()
    expect(clerk.find("case-no")).to_have_text(master)
    expect(clerk.find("absorbed")).to_contain_text(duplicate, timeout=PATIENCE_MS)
    clerk.find("absorbed").get_by_role("link").click()
    expect(clerk.find("case-no")).to_have_text(duplicate)
    clerk.see("merged")
    clerk.do("unmerge", 原因=("不是同一问题",))
    clerk.see("reported")
    expect(chief.find("absorbed")).to_have_count(0, timeout=PATIENCE_MS)


def test_a_number_that_cannot_be_merged_into_is_refused_in_words(sit: Sit, town: Town) -> None:
    no = town.report("wangge01", "0302", text="施工占道")
    clerk = sit("shouli", "console", f"cases/{no}", viewport={"width": 390, "height": 844})
    clerk.offer("merge").click()
    form = clerk.find("action-form")
    form.get_by_test_id("case-no-typed").fill(no)
    form.get_by_test_id("submit-action").click()
    expect(form.get_by_role("alert")).to_contain_text("该案件就是本案", timeout=PATIENCE_MS)
    expect(form.get_by_test_id("case-no-typed")).to_have_value(no)
    clerk.shoot("53-console-merge-refused")
