"""What hands do in a hurry: several cases at once, twice one button, back, no line, a second tab, a wrong paste."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.e2e.browser.conftest import PATIENCE_MS, Screen, Sit
from tests.e2e.browser.test_console import called
from tests.e2e.town import Town
from tests.support.stand import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def twice(page: Page, button: Locator) -> None:
    """A double click, as a mouse makes it: whatever lies there by then takes the second."""
    button.click(trial=True)  # in sight, at rest, and nothing lies over it
    box = button.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    page.wait_for_timeout(110)
    page.mouse.click(x, y, click_count=2)


def sent_by(page: Page) -> list[str]:
    """Acts that the page sends from now on."""
    sent: list[str] = []

    def note(one: Request) -> None:
        if one.method == "POST" and "/api/v1/" in one.url:
            sent.append(one.url)

    page.on("request", note)
    return sent


def opened(form: Locator) -> Locator:
    """The form, once it takes clicks."""
    expect(form).to_be_visible()
    expect(form.locator(".action-form")).not_to_have_class(re.compile("is-fresh"))
    return form.get_by_test_id("submit-action")


def lose_the_answer(route: Route) -> None:
    """The service does what is asked, and nobody hears of it."""
    route.fetch()
    route.abort()


def acts_in(sent: list[str]) -> list[str]:
    return [url.rsplit("/", 1)[-1] for url in sent if "/actions/" in url or "/bulk/" in url]


def test_several_cases_at_once_and_each_tells_what_became_of_it(sit: Sit, town: Town) -> None:
    first, second = called(town, "沙土占道，一号口"), called(town, "沙土占道，二号口")
    clerk = sit("shouli", "console", "queues/intake")
    sent = sent_by(clerk.page)
    for no in (first, second):
        expect(clerk.row(no)).to_be_visible(timeout=PATIENCE_MS)
        clerk.row(no).get_by_test_id("pick").check()
    expect(clerk.find("bulk-bar")).to_contain_text("已选 2 件")
    expect(clerk.find("bulk-answer")).to_be_visible(timeout=PATIENCE_MS)
    twice(clerk.page, clerk.find("bulk-answer"))
    form = clerk.find("bulk-form")
    expect(form).to_contain_text("2")
    expect(clerk.find("bulk-bar")).to_contain_text("已选 2 件")
    assert acts_in(sent) == []
    town.person("zhiban").act(second, "answer")
    form.get_by_test_id("submit-action").click()
    rows = clerk.find("bulk-row")
    expect(rows).to_have_count(2, timeout=PATIENCE_MS)
    expect(rows.filter(has_text=first)).to_contain_text("✓")
    expect(rows.filter(has_text=second)).to_have_class(re.compile("is-bad"))
    clerk.shoot("70-console-bulk")
    clerk.find("bulk-keep").click()
    expect(clerk.find("bulk-bar")).to_contain_text("已选 1 件")
    expect(clerk.row(second).get_by_test_id("pick")).to_be_checked()
    facts = [one["kind"] for one in town.person("shouli").case(first)["timeline"]]
    assert facts[-1] == "case.answered"


def test_twice_on_the_button_opens_the_form_and_sends_nothing_and_undo_undoes_once(sit: Sit, town: Town) -> None:
    no = called(town, "碎石堆在盲道上")
    clerk = sit("shouli", "console", f"cases/{no}")
    sent = sent_by(clerk.page)
    twice(clerk.page, clerk.offer("file_dispatch"))
    form = clerk.find("action-form")
    submit = opened(form)
    assert acts_in(sent) == []
    twice(clerk.page, submit)
    clerk.see("dispatched")
    expect(clerk.find("undo")).to_be_visible(timeout=PATIENCE_MS)
    clerk.shoot("71-console-undo")
    twice(clerk.page, clerk.find("undo"))
    clerk.see("at_street")
    expect(clerk.find("undo")).to_have_count(0)
    assert acts_in(sent) == ["file_dispatch", "undo"]
    assert town.person("shouli").case(no)["lead_unit"] is None


def test_who_was_quicker_is_named_and_what_was_typed_stays(sit: Sit, town: Town) -> None:
    no = called(town, "围挡挡住了公交站牌")
    chief = town.person("zhiban")
    clerk = sit("shouli", "console", f"cases/{no}")
    clerk.offer("file_dispatch").click()
    form = clerk.find("action-form")
    form.get_by_label("说明").fill("请今天到场")

    def overtaken(route: Route) -> None:
        chief.act(no, "answer")
        route.continue_()

    clerk.page.route("**/actions/file_dispatch", overtaken, times=1)
    form.get_by_test_id("submit-action").click()
    expect(clerk.find("conflict")).to_contain_text(chief.session["name"], timeout=PATIENCE_MS)
    expect(form.get_by_label("说明")).to_have_value("请今天到场")
    clerk.shoot("72-console-overtaken")
    form.get_by_test_id("submit-action").click()
    clerk.see("dispatched")


def test_without_a_line_nothing_typed_is_lost_and_nothing_is_done_twice(sit: Sit, town: Town) -> None:
    no = called(town, "沙袋堵住排水口")
    clerk = sit("shouli", "console", f"cases/{no}")
    form = clerk.find("action-form")
    clerk.offer("note").click()
    form.get_by_label("说明").fill("已电话告知施工方")
    clerk.context.set_offline(True)
    form.get_by_test_id("submit-action").click()
    expect(form.get_by_role("alert")).to_be_visible(timeout=PATIENCE_MS)
    expect(form.get_by_label("说明")).to_have_value("已电话告知施工方")
    clerk.context.set_offline(False)
    clerk.page.route("**/actions/note", lose_the_answer, times=1)
    form.get_by_test_id("submit-action").click()
    expect(form.get_by_test_id("submit-action")).to_be_enabled(timeout=PATIENCE_MS)
    form.get_by_test_id("submit-action").click()
    expect(form).to_have_count(0, timeout=PATIENCE_MS)
    notes = [one for one in town.person("shouli").case(no)["timeline"] if one["note"] == "已电话告知施工方"]
    assert len(notes) == 1


def test_what_is_pasted_is_taken_whole_and_what_is_wrong_is_said_at_its_field(sit: Sit, town: Town) -> None:
    no = called(town, "钢管伸到路面")
    chief = sit("zhiban", "console", f"cases/{no}")
    form = chief.find("action-form")
    chief.offer("supervise").click()
    form.get_by_label("说明").fill("第一行\x0b第二行\x07<b>粗</b>")
    form.get_by_label("截止时间").fill("2001-01-01T08:00")
    form.get_by_test_id("submit-action").click()
    expect(form.locator(".field-error")).to_contain_text("须晚于现在", timeout=PATIENCE_MS)
    form.get_by_label("说明").fill("长" * 2_500)
    form.get_by_test_id("submit-action").click()
    expect(form.locator(".field-error")).to_contain_text("最多 2000 个字符", timeout=PATIENCE_MS)
    assert len(form.get_by_label("说明").input_value()) == 2_500
    form.get_by_role("button", name="取消").click()
    chief.offer("note").click()
    form.get_by_label("说明").fill("第一行\x0b第二行\x07<b>粗</b>")
    form.get_by_test_id("submit-action").click()
    expect(form).to_have_count(0, timeout=PATIENCE_MS)
    expect(chief.find("timeline")).to_contain_text("第一行第二行<b>粗</b>", timeout=PATIENCE_MS)


def test_back_on_the_phone_closes_the_form_and_keeps_what_was_typed(sit: Sit, town: Town) -> None:
    no = town.report("wangge01", "0302", text="砖块散落")
    branch = sit("zhibu01", "desk", "lists/branch_triage")
    branch.open(no)
    branch.offer("call_up").click()
    form = branch.find("action-form")
    form.get_by_label("说明").fill("写到一半")
    branch.page.go_back()
    expect(form).to_have_count(0)
    expect(branch.find("case-no")).to_have_text(no)
    branch.offer("call_up").click()
    expect(form.get_by_label("说明")).to_have_value("写到一半")
    form.get_by_role("group", name="原因").get_by_label("缺执法权", exact=True).check()
    twice(branch.page, opened(form))
    branch.see("at_community")
    expect(form).to_have_count(0)
    branch.find("close-case").click()
    expect(branch.find("queue-branch_triage")).to_be_visible()


def test_tabs_agree_on_who_is_signed_in(sit: Sit, town: Town) -> None:
    clerk = sit("shouli", "console")
    expect(clerk.find("account")).to_contain_text(town.person("shouli").session["name"])
    other = clerk.context.new_page()
    other.goto(clerk.page.url)
    second = Screen("zhiban", other, clerk.context)
    second.find("account").click()
    second.find("sign-out").click()
    expect(clerk.page.locator("input[name=password]")).to_be_visible(timeout=PATIENCE_MS)
    other.locator("input[name=username]").fill("zhiban")
    other.locator("input[name=password]").fill(PASSWORD)
    other.locator("button[type=submit]").click()
    expect(clerk.find("account")).to_contain_text(town.person("zhiban").session["name"], timeout=PATIENCE_MS)
