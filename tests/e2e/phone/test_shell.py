"""The page starts without a network, and always from the files of one version."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.phone.stand_in import STATIC, Intake
from tests.e2e.town import until

pytestmark = pytest.mark.browser
READY = "() => navigator.serviceWorker.ready.then(() => true)"
WAITING = """async () => {
  const registration = await navigator.serviceWorker.getRegistration();
  await registration.update().catch(() => undefined);
  return Boolean(registration.waiting);
}"""
SETTLED = "async () => !(await navigator.serviceWorker.getRegistration()).installing"


@dataclass(frozen=True)
class Version:
    """A build of the page, and the name of its script."""

    folder: Path
    script: str


def next_version(folder: Path) -> Version:
    """The same page as another build would make it: its script has another name, so have page and worker."""
    shutil.copytree(STATIC, folder)
    page, worker = folder / "index.html", folder / "sw.js"
    (old,) = re.findall(r"assets/(index-[\w-]+\.js)", page.read_text())
    new = "index-nextnext.js"
    (folder / "assets" / old).rename(folder / "assets" / new)
    for script in (folder / "assets").glob("*.js"):
        script.write_text(script.read_text().replace(old, new))
    was = hashlib.sha256(page.read_bytes()).hexdigest()
    page.write_text(page.read_text().replace(old, new))
    text = worker.read_text().replace(old, new).replace(was, hashlib.sha256(page.read_bytes()).hexdigest())
    worker.write_text(re.sub(r'PREFIX \+ "\w+"', 'PREFIX + "next"', text))
    return Version(folder, new)


def script_of(page: Page) -> str:
    return str(page.evaluate("() => document.querySelector('script[type=module]').src.split('/').pop()"))


def ready(page: Page) -> None:
    expect(page.locator(".tiles")).to_be_visible()
    page.evaluate(READY)


@pytest.fixture
def page(phone: Callable[..., BrowserContext], address: str) -> Page:
    """An open form whose files are all on the phone."""
    page = phone().new_page()
    page.goto(f"{address}/m/")
    ready(page)
    page.wait_for_function("() => navigator.serviceWorker.controller")
    return page


def start(context: BrowserContext, address: str) -> str:
    """Close everything and open the form; the name of the script it runs."""
    for one in context.pages:
        one.close()
    fresh = context.new_page()
    fresh.goto(address)
    expect(fresh.locator(".tiles")).to_be_visible()
    return script_of(fresh)


def offline_start(page: Page) -> str:
    """The same without a network."""
    page.context.set_offline(True)
    found = start(page.context, page.url)
    page.context.set_offline(False)
    return found


def test_a_cold_start_without_a_network(page: Page) -> None:
    assert offline_start(page) == script_of(page.context.pages[0])


def test_a_new_version_comes_whole_at_a_start_and_never_under_a_page_in_use(
    page: Page, intake: Intake, tmp_path: Path
) -> None:
    old, new = script_of(page), next_version(tmp_path / "next")
    intake.static = new.folder
    until("the next version waits", lambda: page.evaluate(WAITING))
    assert script_of(page) == old
    page.context.set_offline(True)
    page.get_by_role("link", name="我的").tap()  # the open page goes on with its own files
    expect(page.locator(".settings")).to_be_visible()
    page.context.set_offline(False)
    context, form = page.context, page.url.replace("/mine", "/")
    # Chromium lets a worker go at its own leisure, so the very next start may still be the old one's, but whole.
    until("a start runs the next version", lambda: start(context, form) == new.script)
    ready(context.pages[0])
    assert offline_start(context.pages[0]) == new.script


@pytest.mark.parametrize("missing", ["assets/index-nextnext.js", "index.html of the version before"])
def test_a_version_that_cannot_be_had_whole_leaves_the_old_one(
    page: Page, intake: Intake, tmp_path: Path, missing: str
) -> None:
    old, new = script_of(page), next_version(tmp_path / "next")
    if missing.startswith("assets"):
        intake.missing = {missing}
    else:  # half put in place: the worker is the new one's, the page still the old one's
        shutil.copy(STATIC / "index.html", new.folder / "index.html")
    intake.static = new.folder
    assert page.evaluate(WAITING) is False
    until("the attempt is over", lambda: page.evaluate(SETTLED))
    assert page.evaluate(WAITING) is False
    kept = page.evaluate("() => caches.keys()")
    assert len(kept) == 1, kept
    assert offline_start(page) == old


def test_the_browser_wakes_the_outbox_when_the_network_is_back(page: Page, intake: Intake) -> None:
    workers = page.context.new_cdp_session(page)
    known: list[dict[str, str]] = []
    workers.on("ServiceWorker.workerRegistrationUpdated", lambda event: known.extend(event["registrations"]))
    workers.send("ServiceWorker.enable")

    def seen() -> bool:
        page.wait_for_timeout(50)  # the browser's calls go on meanwhile
        return bool(known)

    until("the worker is known", seen)
    intake.trouble = ["502"]
    page.locator(".tile").first.click()
    page.get_by_label("地点：输入两个字或拼音首字母").fill("老桥头")
    page.locator(".submit-bar button").click()
    expect(page.get_by_role("heading", name="已存本机")).to_be_visible()
    assert intake.reports == {}
    origin = page.evaluate("() => location.origin")
    sync = {"origin": origin, "registrationId": known[-1]["registrationId"], "tag": "outbox", "lastChance": True}
    workers.send("ServiceWorker.dispatchSyncEvent", sync)
    expect(page.locator(".receipt.is-done")).to_be_visible()
    assert len(intake.reports) == 1
