"""What one post only asks for another reads and decides; what the reporter is asked he answers on his phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import PATIENCE_MS, Sit
from tests.e2e.town import Town, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_proposal_is_read_and_granted(sit: Sit, town: Town) -> None:
    where = {"position": {"cell": town.cell_of("wangge01")}}
    master = town.report("wangge01", "0302", text="施工占道，第一次上报", **where)
    duplicate = town.report("wangge01", "0302", text="施工占道，又报一次", **where)
    branch = sit("zhibu01", "desk", f"cases/{duplicate}")
    clerk = sit("shouli", "console", f"cases/{duplicate}")

    branch.find("action-more").click()
    expect(branch.find("action-merge")).to_have_text("申请：并案")
    branch.find("action-merge").click()
    form = branch.find("action-form")
    form.locator("label.choice").filter(has_text=master).locator("input").check()
    form.get_by_label("说明").fill("同一个工地")
    branch.shoot("60-desk-proposal-form")
    form.get_by_test_id("submit-action").click()
    expect(form).to_have_count(0, timeout=PATIENCE_MS)
    request = branch.find("request")
    expect(request).to_contain_text("待审批", timeout=PATIENCE_MS)
    branch.see("reported")

    shown = clerk.find("request")
    for words in ("并案", master, "同一个工地"):
        expect(shown).to_contain_text(words, timeout=PATIENCE_MS)
    clerk.offer("approve").click()
    expect(clerk.find("asked")).to_contain_text(master)
    clerk.shoot("61-console-proposal")
    clerk.find("action-form").get_by_test_id("submit-action").click()
    clerk.see("merged")
    branch.see("merged")
    expect(branch.find("request")).to_have_attribute("data-status", "approved", timeout=PATIENCE_MS)


def test_the_reporter_is_asked_and_answers_on_his_phone(sit: Sit, town: Town) -> None:
    no = town.report("wangge01", "0302", text="施工占道")
    clerk = sit("shouli", "console", f"cases/{no}")
    clerk.do("ask_reporter", 说明="是哪一侧的围挡？")
    expect(clerk.find("timeline")).to_contain_text("询问上报人", timeout=PATIENCE_MS)

    finder = sit("wangge01", "m")
    mine = town.person("wangge01").intake.get("/api/v1/reports", params={"mine": "true"}).json()["items"]
    report_id = next(one["id"] for one in mine if one["case_no"] == no)
    path = f"/api/v1/reports/{report_id}"
    person = town.person("wangge01")
    until("the phone knows", lambda: "answer_question" in str(person.intake.get(path).json()["actions"]))
    finder.page.goto(f"{town.stand.streets.intake}/m/reports/{report_id}")
    expect(finder.find("questions")).to_contain_text("是哪一侧的围挡？", timeout=PATIENCE_MS)
    finder.shoot("62-phone-question")
    finder.find("ask-answer_question").tap()
    finder.page.get_by_label("回复内容").fill("北侧，靠公交站")
    finder.find("submit-action").tap()

    expect(clerk.find("timeline")).to_contain_text("上报人已回复", timeout=PATIENCE_MS)
    expect(clerk.find("timeline")).to_contain_text("北侧，靠公交站")
    clerk.find("timeline").scroll_into_view_if_needed()
    clerk.shoot("63-console-answer")
    expect(finder.find("questions")).to_contain_text("北侧，靠公交站", timeout=PATIENCE_MS)
    expect(finder.find("ask-answer_question")).to_have_count(0, timeout=PATIENCE_MS)
    finder.shoot("64-phone-answered")
