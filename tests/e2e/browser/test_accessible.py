"""Pages of console and desk: nothing that axe complains of, nothing wider than the screen, all of it by keyboard."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser.conftest import PATIENCE_MS, SCREENS, Screen, Sit
from tests.e2e.town import Town, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]
NARROW: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
WIDE: dict[str, Any] = {"viewport": {"width": 1366, "height": 768}}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


def is_fine(screen: Screen, what: str) -> None:
    """The page as it stands, with everything that opens open."""
    page_is_fine(screen.page, what)


@contextmanager
def whole(page: Page) -> Iterator[None]:
    """All of the page in sight, so that nothing lies half under a bar at its foot."""
    size = page.viewport_size
    assert size is not None
    height = max(size["height"], int(page.evaluate("document.documentElement.scrollHeight")))
    page.set_viewport_size({"width": size["width"], "height": height})
    yield
    page.set_viewport_size(size)


def page_is_fine(page: Page, what: str, of: str | None = None) -> None:
    """`of`: only that part, which lies over the rest of the page."""
    for one in page.locator("details").all():
        one.evaluate("details => { details.open = true }")
    with whole(page):
        found = Axe().run(page, context=of, options=RULES)
    assert found.violations_count == 0, f"{what}: {found.generate_report()}"
    # A phone's window grows with what is too wide for its screen.
    wide = page.evaluate("document.documentElement.scrollWidth - Math.min(innerWidth, screen.width)")
    assert wide <= 0, f"{what} is {wide} px wider than the screen"


def walk(screen: Screen, town: Town, pages: dict[str, str]) -> None:
    for path, shown in pages.items():
        screen.page.goto(f"{town.stand.streets.dispatch}/console/{path}")
        expect(screen.find(shown).first).to_be_visible(timeout=PATIENCE_MS)
        is_fine(screen, f"{screen.login} {path}")


@pytest.mark.parametrize(
    ("size", "scheme"), [(NARROW, "light"), (WIDE, "light"), (WIDE, "dark")], ids=["narrow", "wide", "dark"]
)
def test_the_console_is_accessible(sit: Sit, town: Town, size: dict[str, Any], scheme: str) -> None:
    no = town.report("wangge01", "0302", text="施工占道")
    clerk = sit("shouli", "console", color_scheme=scheme, **size)
    walk(
        clerk,
        town,
        {
            "queues/branch_triage": "case-row",
            f"cases/{no}": "timeline",
            "register": "register-form",
            "deliveries": "deliveries",
        },
    )
    clerk.page.goto(f"{town.stand.streets.dispatch}/console/cases/{no}")
    for action in ("merge", "note"):
        clerk.offer(action).click()
        expect(clerk.find("action-form")).to_have_attribute("data-action", action)
        is_fine(clerk, f"form of {action}")
        clerk.find("action-form").get_by_role("button", name="取消").click()
    auditor = sit("audit", "console", color_scheme=scheme, **size)
    expect(auditor.find("audit")).to_be_visible(timeout=PATIENCE_MS)
    auditor.find("audit-more").first.click()
    is_fine(auditor, "audit")
    walk(auditor, town, {"overdue": "timer-check"})


def test_each_post_is_offered_the_pages_it_may_use(sit: Sit) -> None:
    pages = {
        "shouli": {"queues", "register", "deliveries", "webhooks"},
        "hecha": {"queues"},
        "audit": {"audit", "overdue", "deliveries", "webhooks"},
        "admin": {"register", "delegations", "accounts", "deliveries", "webhooks"},
    }
    for login, offered in pages.items():
        screen = sit(login, "console")
        links = screen.page.locator(".top-link")
        expect(links).to_have_count(len(offered))
        assert {str(one.get_attribute("data-testid")).removeprefix("nav-") for one in links.all()} == offered
        assert screen.page.locator(".rail").count() == ("queues" in offered)
        assert not [line for line in screen.refused if "/session" not in line], screen.refused


def test_the_audit_page_says_what_was_done(sit: Sit, town: Town) -> None:
    no = town.report("wangge01", "0302", text="施工占道")
    town.person("zhibu01").act(no, "call_up", reason="no_means")
    auditor = sit("audit", "console", "audit")
    row = auditor.page.locator("[data-kind=audit]").filter(has_text=no)
    expect(row).to_contain_text("办理：呼叫", timeout=PATIENCE_MS)
    row.get_by_test_id("audit-more").click()
    expect(row.get_by_test_id("audit-details")).to_contain_text("办理动作")
    expect(row.get_by_test_id("audit-details")).not_to_contain_text("{")
    signed_in = auditor.page.locator("[data-kind=audit]").filter(has_text="登录").first
    expect(signed_in.locator("td").nth(3)).to_have_text(str(town.person("audit").session["name"]))


def test_the_auditor_has_the_timers_compared_with_the_cases(sit: Sit, town: Town) -> None:
    town.report("wangge01", "0302", text="施工占道")
    auditor = sit("audit", "console", "overdue")
    told = auditor.find("timer-check")
    expect(told).to_contain_text("最近核对", timeout=PATIENCE_MS)
    before = _looked_at(told.inner_text())
    with auditor.page.expect_response(lambda one: one.request.method == "POST" and "/checks" in one.url) as asked:
        auditor.find("compare-now").click()
    number = int(asked.value.json()["id"])
    until("what was asked for is shown", lambda: int(told.get_attribute("data-check") or 0) >= number)
    expect(auditor.find("compare-now")).to_be_enabled()
    assert _looked_at(told.inner_text()) >= max(1, before)
    expect(told).to_contain_text("修正 0 个")
    expect(told).to_contain_text("没有下一步 0 件")
    expect(auditor.find("overdue")).to_contain_text("没有被遗忘的超期案件")


def _looked_at(told: str) -> int:
    """How many cases a comparison says it has looked at."""
    return int(told.partition("案件 ")[2].partition(" 件")[0])


def test_the_queues_of_a_narrow_console_come_when_called(sit: Sit, town: Town) -> None:
    town.report("wangge01", "0302", text="施工占道")
    clerk = sit("shouli", "console", "queues/intake", **NARROW)
    triage = clerk.find("queue-branch_triage")
    expect(triage).to_be_hidden()
    clerk.find("rail-button").focus()
    clerk.page.keyboard.press("Enter")
    expect(triage).to_be_visible()
    triage.focus()
    clerk.page.keyboard.press("Enter")
    expect(triage).to_be_hidden()
    first = clerk.page.locator("[data-testid=case-row]").first
    expect(first).to_be_visible(timeout=PATIENCE_MS)
    no = first.get_attribute("data-case-no") or ""
    clerk.open(no)
    clerk.find("close-case").click()
    expect(clerk.row(no)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_desk_is_accessible(sit: Sit, town: Town, scheme: str) -> None:
    no = town.report("wangge01", "0302", text="施工占道")
    branch = sit("zhibu01", "desk", "lists/branch_triage", color_scheme=scheme)
    expect(branch.row(no)).to_be_visible(timeout=PATIENCE_MS)
    is_fine(branch, "a list")
    branch.open(no)
    is_fine(branch, "a case")
    branch.find("action-call_up").click()
    expect(branch.find("action-form")).to_be_visible()
    is_fine(branch, "a form")


def test_the_public_page_and_its_code_are_accessible(sit: Sit, browser: Browser, town: Town) -> None:
    """On the reporter's phone, then on a neighbour's without script or sign-in: both languages, by day and by night."""
    person = town.person("wangge01")
    made = person.send(town.matter("wangge01", "0302", text="施工占道")).raise_for_status().json()
    reporter = sit("wangge01", "m", f"reports/{made['id']}")
    reporter.page.get_by_role("button", name="二维码").tap()
    code = reporter.find("track-code").get_by_role("img", name="公开进度页的二维码")
    expect(code).not_to_have_js_property("naturalWidth", 0, timeout=PATIENCE_MS)
    is_fine(reporter, "the code on the phone")
    reporter.shoot("18-phone-code")
    SCREENS.mkdir(parents=True, exist_ok=True)
    titles = {"zh-CN": "办理进度", "en-US": "Progress"}
    for lang, scheme in itertools.product(titles, ("light", "dark")):
        context = browser.new_context(**NARROW, locale=lang, color_scheme=scheme)
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message, told=complaints: told.append(f"{message.text} {message.location}"))
        page.goto(f"{town.stand.streets.intake}{made['track_url']}")
        expect(page.locator("h1")).to_have_text(titles[lang])
        page_is_fine(page, f"public page {lang} {scheme}")
        page.locator(".code img").scroll_into_view_if_needed()
        expect(page.locator(".code img")).not_to_have_js_property("naturalWidth", 0, timeout=PATIENCE_MS)
        page.screenshot(path=SCREENS / f"19-track-{lang}-{scheme}.png", full_page=True)
        context.close()
        assert [told for told in complaints if "favicon" not in told] == []
