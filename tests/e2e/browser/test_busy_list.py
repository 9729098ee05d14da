"""A long list under many changes: it stays quick, and what somebody points at stays where it is."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser.busy_street import LIST, BusyStreet, serve

PER_SECOND = 50
SECONDS = 4
LONGEST_MS = 100
ROW_PX = 44
MIDDLE = 8
"""A row in the middle of the screen."""


@pytest.fixture
def street(request: pytest.FixtureRequest) -> BusyStreet:
    return BusyStreet(getattr(request, "param", 400))


@pytest.fixture
def page(browser: Browser, street: BusyStreet) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    with serve(street) as url:
        shown = context.new_page()
        shown.goto(f"{url}queues/{LIST}")
        expect(shown.get_by_role("grid")).to_have_attribute("aria-rowcount", str(street.rows), timeout=60_000)
        expect(shown.get_by_test_id("case-row").first).to_be_visible()
        _until(lambda: bool(street.listeners))
        yield shown
        context.close()


@pytest.mark.parametrize("street", [10_000], indirect=True)
def test_scrolling_ten_thousand_rows_under_changes_keeps_no_key_waiting(page: Page, street: BusyStreet) -> None:
    """The processor time of the longest task: how long it takes on the wall is for the machine's other work to say."""
    assert page.context.browser is not None
    chance = random.Random(20261122)
    page.get_by_test_id("case-list").hover()
    page.context.browser.start_tracing(page=page, categories=["disabled-by-default-devtools.timeline", "toplevel"])
    began, told = time.monotonic(), 0
    while (gone := time.monotonic() - began) < SECONDS:
        while told < gone * PER_SECOND:
            number = chance.randrange(street.rows)
            street.change(number, minutes=chance.uniform(0, street.rows))
            told += 1
        page.mouse.wheel(0, 3_000)
        page.wait_for_timeout(16)
    trace = json.loads(page.context.browser.stop_tracing())
    assert page.get_by_test_id("case-list").evaluate("box => box.scrollTop") > 100 * ROW_PX
    tasks = _tasks_ms(trace)
    assert len(tasks) > PER_SECOND
    assert max(tasks) < LONGEST_MS


def test_a_row_stays_under_the_pointer_whatever_comes_and_goes_above(page: Page, street: BusyStreet) -> None:
    row = page.get_by_test_id("case-row").nth(MIDDLE)
    row.hover()
    number = row.get_attribute("data-case-no")
    held = page.locator(f"[data-case-no='{number}']")
    assert (before := held.bounding_box()) is not None
    for n in range(30):
        street.change(100 + n, minutes=-1 - n)  # from far below to the top
    expect(page.locator("[data-testid=case-row][aria-rowindex='39']")).to_have_attribute("data-case-no", str(number))
    assert held.bounding_box() == before
    for n in range(30):
        street.change(100 + n, stands=False)
    for n in range(MIDDLE):
        street.change(n, stands=False)  # now there is nothing left above it to scroll back to
    expect(page.locator("[data-testid=case-row][aria-rowindex='1']")).to_have_attribute("data-case-no", str(number))
    assert held.bounding_box() == before


def test_the_selected_row_keeps_its_place_and_says_so_when_it_has_left(page: Page, street: BusyStreet) -> None:
    for _ in range(3):
        page.keyboard.press("j")
    chosen = page.locator("[data-testid=case-row][aria-selected=true]")
    expect(chosen).to_have_count(1)
    number, before = chosen.get_attribute("data-case-no"), chosen.bounding_box()
    assert number is not None
    street.change(int(number[-5:]), stands=False)
    street.change(300, minutes=-5)
    expect(page.locator("[data-testid=case-row][aria-rowindex='1']")).to_have_attribute(
        "data-case-no", street.number(300)
    )
    assert chosen.get_attribute("data-case-no") == number
    assert chosen.bounding_box() == before
    expect(chosen).to_have_class(re.compile("is-left"))
    page.keyboard.press("j")
    expect(page.locator(f"[data-case-no='{number}']")).to_have_count(0)


def test_a_cut_line_is_opened_again_by_itself_where_it_broke_off(page: Page, street: BusyStreet) -> None:
    street.change(300, minutes=-5)
    first = page.locator("[data-testid=case-row][aria-rowindex='1']")
    expect(first).to_have_attribute("data-case-no", street.number(300))
    street.cut()
    _until(lambda: bool(street.listeners))
    assert street.came_from == ["c0", f"c{street.sequence}"]
    street.change(200, minutes=-9)
    expect(first).to_have_attribute("data-case-no", street.number(200))


def test_what_happened_while_the_service_was_away_stands_there_without_a_reload(page: Page, street: BusyStreet) -> None:
    """It is started anew behind a proxy that answers in its place meanwhile."""
    page.get_by_test_id("case-list").evaluate("list => { list.dataset.kept = 'yes' }")
    street.change(300, minutes=-5)
    first, second = (page.locator(f"[data-testid=case-row][aria-rowindex='{n}']") for n in (1, 2))
    expect(first).to_have_attribute("data-case-no", street.number(300))
    street.away = True
    street.cut()
    street.change(200, minutes=-9)
    street.change(300, stands=False)
    street.change(100, minutes=-7)
    _until(lambda: street.refused > 0)
    expect(first).to_have_attribute("data-case-no", street.number(300))
    street.away = False
    expect(first).to_have_attribute("data-case-no", street.number(200), timeout=60_000)
    expect(second).to_have_attribute("data-case-no", street.number(100))
    expect(page.locator(f"[data-case-no='{street.number(300)}']")).to_have_count(0)
    expect(page.get_by_test_id("case-list")).to_have_attribute("data-kept", "yes")


def test_tabs_share_the_line_and_go_on_when_the_one_with_it_closes(page: Page, street: BusyStreet) -> None:
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.get_by_test_id("case-row").first).to_be_visible()
    for number, minutes in ((300, -5), (250, -7)):  # the second of them is heard by both for certain, not loaded
        street.change(number, minutes=minutes)
        for each in (page, second):
            first = each.locator("[data-testid=case-row][aria-rowindex='1']")
            expect(first).to_have_attribute("data-case-no", street.number(number))
    assert len(street.came_from) == 1
    page.close()
    _until(lambda: len(street.came_from) == 2)
    assert street.came_from[1] == f"c{street.sequence}"
    street.change(200, minutes=-9)
    first = second.locator("[data-testid=case-row][aria-rowindex='1']")
    expect(first).to_have_attribute("data-case-no", street.number(200))


def _tasks_ms(trace: dict[str, Any]) -> list[float]:
    """Processor time of every task of the page's main thread."""
    named = [e for e in trace["traceEvents"] if e["name"] == "thread_name" and e["args"]["name"] == "CrRendererMain"]
    mains = {(event["pid"], event["tid"]) for event in named}
    tasks = [e for e in trace["traceEvents"] if e["name"] == "RunTask" and (e["pid"], e["tid"]) in mains]
    return [event["tdur"] / 1000 for event in tasks if "tdur" in event]


def _until(holds: Callable[[], bool], patience_s: float = 30.0) -> None:
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
