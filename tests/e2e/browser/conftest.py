"""People of the street, each at a screen of his own: a phone for the form and the desks, a wide one for the console."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Response, expect, sync_playwright

from tests.e2e.town import Town, until
from tests.support.stand import CHECKOUT, PASSWORD

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
WIDE = {"viewport": {"width": 1366, "height": 768}}
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
SCREENS = CHECKOUT / "test-results" / "screens"
STAYS = "location.protocol == 'about:' || localStorage['grid.next'] || (localStorage['grid.next'] = 'stay')"
"""Nobody's list goes on to another case than the one a test speaks of, unless he chooses so."""
_HARMLESS = ("Failed to load resource",)
"""An answer of 401 before the sign-in, or a refusal that a page shows in words, is no fault of the page."""


@dataclass
class Screen:
    """One person in front of one page."""

    login: str
    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def sign_in(self, url: str) -> None:
        self.page.goto(url)
        self.page.locator("input[name=username]").fill(self.login)
        self.page.locator("input[name=password]").fill(PASSWORD)
        self.page.locator("button[type=submit]").click()
        expect(self.page.locator("input[name=password]")).to_have_count(0, timeout=PATIENCE_MS)

    def find(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    def row(self, case_no: str) -> Locator:
        """The case's line in the list that is open."""
        return self.page.locator(f"[data-testid=case-row][data-case-no='{case_no}']")

    def open(self, case_no: str) -> None:
        """Wait for the case to come into the list by itself, and open it."""
        expect(self.row(case_no)).to_be_visible(timeout=PATIENCE_MS)
        self.row(case_no).click()
        expect(self.find("case-no")).to_have_text(case_no)
        expect(self.find("case-state")).to_be_visible(timeout=PATIENCE_MS)

    def see(self, state: str) -> None:
        """The open case gets into this state, without anybody reloading the page."""
        expect(self.find("case-state")).to_have_attribute("data-state", state, timeout=PATIENCE_MS)

    def offer(self, action: str) -> Locator:
        """The button of an action, also where it lies behind 更多, whose menu closes when the offer changes."""
        button, more = self.find(f"action-{action}"), self.find("action-more")
        folded = self.page.locator("[data-testid=action-more][aria-expanded=false]")
        expect(button.or_(more).first).to_be_visible()
        if not button.is_visible() and more.is_visible():
            more.click()

        def offered() -> bool:
            if not button.is_visible() and folded.is_visible():
                folded.click()
            return button.is_visible()

        until(f"{self.login} is offered {action}", offered)
        return button

    def do(self, action: str, shot: str | None = None, **inputs: Any) -> None:
        """Choose an action of the open case, fill its form, submit."""
        self.offer(action).click()
        form = self.find("action-form")
        expect(form).to_have_attribute("data-action", action)
        for label, value in inputs.items():
            self._fill(form, label, value)
        if shot:
            self.shoot(shot)
        form.get_by_test_id("submit-action").click()
        expect(form, f"{self.login} {action}: {self.refused[-1:]}").to_have_count(0, timeout=PATIENCE_MS)

    def _fill(self, form: Locator, label: str, value: Any) -> None:
        if value is True:
            form.get_by_role("checkbox", name=label).check()
        elif isinstance(value, Path):
            form.locator("input[type=file]").first.set_input_files(value)
            expect(form.locator(".photo img").first).to_be_visible()
        elif isinstance(value, tuple):
            group = form.get_by_role("group", name=label)
            for one in value:
                group.get_by_label(one, exact=True).check()
        else:
            form.get_by_label(label).fill(value)

    def shoot(self, name: str) -> None:
        """Keep a picture of what is to be seen now, to be looked at by people."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENS / f"{name}.png", animations="disabled")


Sit = Callable[..., Screen]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def sit(browser: Browser, town: Town) -> Iterator[Sit]:
    """Puts somebody, signed in, before a page: `sit("zhibu01", "desk")`. A complaint of a browser fails the test."""
    screens: list[Screen] = []

    def make(login: str, where: str, path: str = "", **changes: Any) -> Screen:
        kind = WIDE if where == "console" else PHONE
        context = browser.new_context(**{"locale": "zh-CN", "timezone_id": "Asia/Shanghai", **kind, **changes})
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(STAYS)
        screen = Screen(login, context.new_page(), context)
        context.on("console", lambda message: _note(screen, message.type, message.text))
        context.on("weberror", lambda error: screen.complaints.append(str(error.error)))
        screens.append(screen)
        screen.page.on("response", lambda answer: _note_refusal(screen, answer))
        streets = town.stand.streets
        root = f"{streets.intake}/m/" if where == "m" else f"{streets.dispatch}/{where}/"
        screen.sign_in(root)
        if path:
            screen.page.goto(root + path)
        return screen

    yield make
    complaints = {screen.login: screen.complaints for screen in screens if screen.complaints}
    for screen in screens:
        screen.context.close()
    assert not complaints


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a phone's camera makes: large, and noisy enough not to be nothing."""
    path = tmp_path_factory.mktemp("camera") / "IMG_0001.jpg"
    noise = Image.frombytes("L", (400, 300), os.urandom(120_000)).resize((2400, 1800))
    noise.convert("RGB").save(path, quality=80)
    return path


def _note_refusal(screen: Screen, answer: Response) -> None:
    if answer.status >= 400:
        screen.refused.append(f"{answer.request.method} {answer.url}: {answer.status}")


def _note(screen: Screen, kind: str, text: str) -> None:
    if kind in {"error", "warning"} and not text.startswith(_HARMLESS):
        screen.complaints.append(text)
