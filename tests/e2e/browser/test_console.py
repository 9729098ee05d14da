"""The command centre's screen: what an operator sees at a glance, and does without taking the hands off the keys."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import PATIENCE_MS, Screen, Sit
from tests.e2e.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
FIRST_LOAD = 450 * 1024


def called(town: Town, text: str) -> str:
    """An ordinary matter that the branch and the community have passed up to the street."""
    no = town.report("wangge01", "0302", text=text)
    for login in ("zhibu01", "shequ01"):
        town.person(login).act(no, "call_up", reason="no_enforcement", note="需街道处理")
    return no


def stand_on(screen: Screen, case_no: str) -> None:
    """Walk down the list until the cursor stands on the case."""
    expect(screen.row(case_no)).to_be_visible(timeout=PATIENCE_MS)
    for _ in range(screen.page.locator("[data-testid=case-row]").count()):
        screen.page.keyboard.press("j")
        if screen.row(case_no).get_attribute("aria-selected") == "true":
            return
    raise AssertionError(f"the cursor never came to {case_no}")


def test_an_ordinary_case_is_dispatched_from_its_row_in_three_keys(sit: Sit, town: Town) -> None:
    no = called(town, "沙石堆在路边，行人绕行")
    clerk = sit("shouli", "console", "queues/intake")
    stand_on(clerk, no)
    keys: list[str] = []

    def press(key: str) -> None:
        keys.append(key)
        clerk.page.keyboard.press(key)

    press("d")
    form = clerk.find("action-form")
    expect(form).to_have_attribute("data-action", "file_dispatch", timeout=PATIENCE_MS)
    expect(form.get_by_test_id("submit-action")).to_be_focused()
    press("Enter")
    expect(form).to_have_count(0, timeout=PATIENCE_MS)
    clerk.see("dispatched")
    assert town.person("shouli").case(no)["state"] == "dispatched"
    assert len(keys) <= 3


def test_the_keys_find_what_there_is_to_do(sit: Sit, town: Town) -> None:
    no = called(town, "水泥块掉在人行道上")
    clerk = sit("shouli", "console", "queues/intake")
    page = clerk.page
    stand_on(clerk, no)

    page.keyboard.press("x")
    expect(clerk.find("bulk-bar")).to_contain_text("已选 1 件")
    page.keyboard.press("Escape")
    expect(clerk.find("bulk-bar")).to_have_count(0)

    page.keyboard.press("c")
    expect(clerk.find("action-form")).to_have_attribute("data-action", "answer", timeout=PATIENCE_MS)
    page.keyboard.press("Escape")
    expect(clerk.find("action-form")).to_have_count(0)
    page.keyboard.press(".")
    expect(clerk.find("action-more")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(clerk.find("action-more")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Escape")
    expect(clerk.find("case-panel")).to_have_count(0)

    page.keyboard.press("/")
    expect(clerk.find("search")).to_be_focused()
    page.keyboard.type("jxd")  # letters of a pinyin that is being typed are no keys
    expect(clerk.find("case-panel")).to_have_count(0)
    page.keyboard.press("Escape")

    page.keyboard.press("Control+k")
    expect(clerk.find("palette-input")).to_be_focused()
    page.keyboard.type("待派遣")
    expect(page.locator("[data-command=queue-to_dispatch]")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{town.stand.streets.dispatch}/console/queues/to_dispatch")
    page.keyboard.type("g1")
    expect(page).to_have_url(f"{town.stand.streets.dispatch}/console/queues/branch_triage")
    page.keyboard.press("?")
    expect(clerk.find("help")).to_contain_text("立案、派遣、裁定")


@pytest.mark.parametrize("size", [(1366, 768), (1440, 900)], ids=["1366", "1440"])
def test_fourteen_rows_stand_beside_the_open_case(sit: Sit, town: Town, size: tuple[int, int]) -> None:
    no = called(town, "拉土车遗撒一路")
    width, height = size
    clerk = sit("shouli", "console", "queues/intake?late=over,soon", viewport={"width": width, "height": height})
    expect(clerk.find("filter-chips")).to_be_visible(timeout=PATIENCE_MS)
    clerk.page.goto(f"{town.stand.streets.dispatch}/console/queues/intake/{no}?urgency=U0,U1,U2,U3")
    expect(clerk.find("filter-chips")).to_be_visible(timeout=PATIENCE_MS)
    expect(clerk.row(no)).to_be_visible(timeout=PATIENCE_MS)
    expect(clerk.find("actions")).to_be_visible(timeout=PATIENCE_MS)
    seen: dict[str, Any] = clerk.page.evaluate(
        """() => {
          const box = document.querySelector("[data-testid=case-list]");
          const row = document.querySelector("[data-testid=case-row]");
          const wide = (el) => el.scrollWidth - el.clientWidth;
          return {
            rows: Math.floor(box.clientHeight / row.getBoundingClientRect().height),
            sideways: Math.max(wide(document.documentElement), wide(box), wide(row)),
          };
        }"""
    )
    assert seen["rows"] >= 14
    assert seen["sideways"] <= 0
    for words in ("街道", "剩余", no):
        expect(clerk.row(no)).to_contain_text(words)


def test_the_first_load_fits_a_slow_line(sit: Sit) -> None:
    """Everything that a browser with nothing kept fetches until the queues stand there, as it travels."""
    clerk = sit("shouli", "console")
    expect(clerk.find("queue-intake")).to_be_visible(timeout=PATIENCE_MS)
    travelled = clerk.page.evaluate(
        """() => performance.getEntries()
          .filter((one) => one.entryType === "navigation" || one.entryType === "resource")
          .filter((one) => new URL(one.name).pathname.startsWith("/console/"))
          .reduce((sum, one) => sum + one.encodedBodySize, 0)"""
    )
    assert 50_000 < travelled <= FIRST_LOAD
