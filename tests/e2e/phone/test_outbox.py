"""What a phone has taken arrives once, whatever happens to phone, line and sign-in. The service is the real one."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, Request, Route, expect

from tests.e2e.phone.conftest import CHROMIUM
from tests.e2e.phone.stand_in import Intake
from tests.e2e.phone.test_form import draft_is_kept
from tests.e2e.town import Town, until
from tests.support.stand import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
ARRIVED_MS = 45_000
SLOW_LINE = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": 120_000}
ROOM_FOR_A_DRAFT = 1_900_000
"""Bytes: what the form fetches and one draft with a large photo, but not the same photo once more."""
MAKE_OLD = """days => new Promise((done, fail) => {
  const opening = indexedDB.open('grid-phone');
  opening.onerror = fail;
  opening.onsuccess = () => {
    const store = opening.result.transaction('outbox', 'readwrite').objectStore('outbox');
    store.openCursor().onsuccess = ({ target }) => {
      if (!target.result) return;
      target.result.update({ ...target.result.value, createdAt: Date.now() - days * 86400000 });
      target.result.continue();
    };
    store.transaction.oncomplete = () => { opening.result.close(); done(); };
  };
})"""


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo that stays large when it is made small: several pieces of an upload."""
    path = tmp_path_factory.mktemp("camera") / "IMG_0002.jpg"
    Image.effect_noise((1600, 1200), 90).convert("RGB").save(path, quality=90)
    return path


def enter(page: Page, town: Town, login: str = "wangge01") -> None:
    page.goto(f"{town.stand.streets.intake}/m/")
    sign_in(page, login)
    page.locator(".tiles").wait_for()


def sign_in(page: Page, login: str) -> None:
    page.locator("input[name=username]").fill(login)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").click()
    expect(page.locator("input[name=password]")).to_have_count(0)


def fill_in(page: Page, words: str, *photos: Path) -> None:
    """A report whose place is words alone: nothing near it is found, so nothing is asked."""
    if photos:
        page.locator("input[type=file]").first.set_input_files([*photos])
        expect(page.locator(".photo img")).to_have_count(len(photos))
    page.get_by_label("地点：输入两个字或拼音首字母").fill("老桥头")
    page.locator(".tile").first.click()
    page.get_by_label("情况描述").fill(words)


def submit(page: Page) -> None:
    page.locator(".submit-bar button").click()
    expect(page.locator(".receipt")).to_be_visible()


def found(town: Town, words: str, login: str = "wangge01") -> list[dict[str, Any]]:
    """The reports with these words, as their reporter sees them."""
    intake = town.person(login).intake
    rows = intake.get("/api/v1/reports", params={"mine": True, "limit": 100}).raise_for_status().json()["items"]
    return [intake.get(f"/api/v1/reports/{row['id']}").json() for row in rows if words in row["text"]]


def soon(page: Page, what: str, look: Callable[[], Any]) -> Any:
    """Look again and again; the browser's calls go on meanwhile, also those that a test meddles with."""

    def after_a_while() -> Any:
        page.wait_for_timeout(150)
        return look()

    return until(what, after_a_while)


def arrived_once(page: Page, town: Town, words: str, photos: int = 0, login: str = "wangge01") -> dict[str, Any]:
    """The report is there once with all its photos, whose sums the service has compared."""

    def whole() -> list[dict[str, Any]]:
        there = found(town, words, login)
        return there if there and sum(one["stored"] for one in there[0]["photos"]) == photos else []

    reports: list[dict[str, Any]] = soon(page, f"{words} arrives", whole)
    (report,) = reports
    return report


@pytest.fixture
def page(phone: Callable[..., BrowserContext], town: Town) -> Page:
    """The open form of somebody who is signed in. Without the worker, so that every call can be meddled with."""
    page = phone(permissions=[], service_workers="block").new_page()
    enter(page, town)
    return page


def empty(page: Page) -> None:
    expect(page.locator(".outbox-bar")).to_have_count(0, timeout=ARRIVED_MS)


class Chrome:
    """A browser with a home of its own, that can be killed like any program."""

    def __init__(self, kind: BrowserType, home: Path) -> None:
        self._kind, self._home = kind, home

    def open(self) -> Page:
        context = self._kind.launch_persistent_context(
            self._home, executable_path=CHROMIUM, args=["--no-sandbox"], locale="zh-CN"
        )
        return context.pages[0]

    def kill(self) -> None:
        """SIGKILL to every process that works on this home, its first one first."""
        mark = f"--user-data-dir={self._home}".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and mark in _command(entry):
                os.kill(int(entry.name), signal.SIGKILL)


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""  # it has just ended


@pytest.fixture
def chrome(browser: Browser, tmp_path: Path) -> Iterator[Chrome]:
    opened = Chrome(browser.browser_type, tmp_path / "profile")
    yield opened
    opened.kill()


def test_a_browser_killed_in_the_middle_of_an_upload_goes_on_within_the_photo(
    chrome: Chrome, town: Town, large: Path
) -> None:
    page = chrome.open()
    enter(page, town)
    fill_in(page, "上传中途被杀", large)
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW_LINE)
    answers: list[str] = []
    page.on("response", lambda answer: answers.append(answer.request.method) if "/photos/" in answer.url else None)
    submit(page)
    soon(page, "one piece is there", lambda: answers)
    chrome.kill()
    (before,) = found(town, "上传中途被杀")
    assert [one["stored"] for one in before["photos"]] == [False]

    page = chrome.open()
    ranges: list[str] = []
    page.on("request", lambda asked: ranges.append(_range(asked)) if "/photos/" in asked.url else None)
    page.goto(f"{town.stand.streets.intake}/m/")
    expect(page.locator(".tiles, input[name=username]").first).to_be_visible()
    if page.locator("input[name=username]").is_visible():  # the browser had not written its cookies down yet
        sign_in(page, "wangge01")
    report = arrived_once(page, town, "上传中途被杀", photos=1)
    empty(page)
    assert report["id"] == before["id"]
    assert ranges[0] == "HEAD", ranges
    assert not ranges[1].startswith("bytes 0-"), ranges
    page.context.close()


def _range(asked: Request) -> str:
    return asked.headers.get("content-range", asked.method)


def faults(kind: str, times: int) -> Callable[[Route], None]:
    """Meddles with the first `times` reports and pieces of photos."""
    left = [times]

    def meddle(route: Route) -> None:
        if route.request.method not in ("POST", "PUT") or left[0] == 0:
            route.continue_()
            return
        left[0] -= 1
        if kind == "lost":
            route.fetch()  # the service has done it, and nobody hears
            route.abort("connectionreset")
        elif kind == "500":
            route.fulfill(status=500, content_type="application/problem+json", body='{"code": "internal_error"}')
        elif kind == "502":
            route.fulfill(status=502, content_type="text/html", body="<h1>502 Bad Gateway</h1>")
        elif kind == "portal":
            route.fulfill(status=200, content_type="text/html", body="<h1>请登录无线网络</h1>")
        else:
            route.abort("connectionreset")

    return meddle


@pytest.mark.parametrize("kind", ["500", "502", "portal", "reset", "lost"])
def test_errors_of_service_and_line_neither_lose_nor_double(page: Page, town: Town, snapshot: Path, kind: str) -> None:
    words = f"线路故障 {kind}"
    page.route("**/api/v1/reports", faults(kind, 1))
    page.route("**/photos/*", faults(kind, 1))
    fill_in(page, words, snapshot)
    submit(page)
    for _ in range(2):  # the report fails once, then its photo
        page.evaluate("() => dispatchEvent(new Event('online'))")
        page.wait_for_timeout(300)
    expect(page.locator(".receipt.is-done")).to_be_visible(timeout=ARRIVED_MS)
    arrived_once(page, town, words, photos=1)
    page.get_by_role("link", name="我的").click()
    expect(page.get_by_test_id("sent")).to_contain_text("回执", timeout=ARRIVED_MS)


def test_an_answer_cut_off_in_the_middle_is_asked_for_again(form: Page, intake: Intake, snapshot: Path) -> None:
    """By the stand-in: the real service does not stop in the middle of a sentence on demand."""
    fill_in(form, "回答说到一半", snapshot)
    intake.trouble = ["cut", "lost", "502", "cut", "lost"]
    submit(form)

    def through() -> bool:
        form.evaluate("() => dispatchEvent(new Event('online'))")
        return form.locator(".receipt.is-done").is_visible() and not intake.trouble

    soon(form, "the report is through", through)
    expect(form.get_by_text("照片已发送")).to_have_count(0)
    (report,) = intake.reports.values()
    (photo,) = report["body"]["photos"]
    assert len(intake.photos[photo["id"]]) == photo["bytes"]
    assert intake.calls.count("POST /api/v1/reports") >= 3


def test_a_pause_the_service_asks_for_is_kept_and_shown(page: Page, town: Town) -> None:
    posts: list[str] = []

    def busy(route: Route) -> None:
        posts.append(route.request.method)
        route.fulfill(status=503, headers={"retry-after": "600"}, content_type="text/html", body="busy")

    page.route("**/api/v1/reports", busy)
    fill_in(page, "服务繁忙")
    submit(page)
    soon(page, "the service was asked", lambda: posts)
    page.unroute("**/api/v1/reports")
    page.get_by_role("link", name="我的").click()
    expect(page.get_by_text("服务繁忙，")).to_be_visible()
    page.get_by_role("button", name="立即发送").click()
    page.evaluate("() => dispatchEvent(new Event('online'))")
    page.wait_for_timeout(500)
    assert len(posts) == 1
    assert found(town, "服务繁忙") == []
    page.clock.install(time=time.time() + 700)
    page.evaluate("() => dispatchEvent(new Event('online'))")
    arrived_once(page, town, "服务繁忙")
    expect(page.get_by_test_id("outbox")).to_have_count(0)


def test_an_ended_sign_in_keeps_the_report_for_its_own_account(page: Page, town: Town) -> None:
    with page.expect_response(re.compile(r"/api/v1/places\?q=")):  # asked later, it would end the sign-in by itself
        fill_in(page, "登录过期后补发")
    page.context.clear_cookies()
    submit_and_land(page)
    expect(page.get_by_text("本机有 1 条待发，本人登录后自动发送")).to_be_visible()
    sign_in(page, "zhibu01")
    expect(page.get_by_text("等待本人重新登录")).to_be_visible()
    page.get_by_role("link", name="上报", exact=True).click()
    expect(page.get_by_text("本机还有其他账号的 1 条待发").first).to_be_visible()
    assert found(town, "登录过期后补发", "zhibu01") == found(town, "登录过期后补发") == []
    page.context.clear_cookies()
    page.reload()
    sign_in(page, "wangge01")
    arrived_once(page, town, "登录过期后补发")
    assert found(town, "登录过期后补发", "zhibu01") == []


def test_somebody_else_signed_in_beside_the_page_gets_nothing_of_it(page: Page, town: Town) -> None:
    fill_in(page, "换人登录")
    origin = town.stand.streets.intake
    entered = page.context.request.post(
        f"{origin}/api/v1/session", data={"login": "zhibu01", "password": PASSWORD}, headers={"origin": origin}
    )
    assert entered.ok
    submit_and_land(page)
    expect(page.get_by_text("等待本人重新登录")).to_be_visible(timeout=ARRIVED_MS)
    assert found(town, "换人登录", "zhibu01") == found(town, "换人登录") == []


def submit_and_land(page: Page) -> None:
    """Submit where no receipt comes: the outbox has it, and the page says what it waits for."""
    page.locator(".submit-bar button").click()
    expect(page.locator(".submit-bar button")).to_have_count(0)


def test_a_full_phone_keeps_the_form_and_says_what_to_do(
    phone: Callable[..., BrowserContext], town: Town, large: Path
) -> None:
    page = phone(permissions=[], service_workers="block").new_page()
    session = page.context.new_cdp_session(page)
    quota: dict[str, Any] = {"origin": town.stand.streets.intake}
    session.send("Storage.overrideQuotaForOrigin", {**quota, "quotaSize": ROOM_FOR_A_DRAFT})
    enter(page, town)
    fill_in(page, "手机存储已满", large)
    draft_is_kept(page, "手机存储已满")
    page.locator(".submit-bar button").click()
    expect(page.get_by_text("本机存储已满，内容仍在表单里").first).to_be_visible()
    expect(page.get_by_label("情况描述")).to_have_value("手机存储已满")
    expect(page.locator(".photo img")).to_have_count(1)
    assert found(town, "手机存储已满") == []
    session.send("Storage.overrideQuotaForOrigin", quota)
    submit(page)
    arrived_once(page, town, "手机存储已满", photos=1)


def test_what_waits_goes_along_as_a_file_and_stays(page: Page, town: Town, snapshot: Path, tmp_path: Path) -> None:
    page.route(
        "**/api/v1/reports", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    fill_in(page, "带走的一条", snapshot)
    submit(page)
    page.get_by_role("link", name="我的").click()
    page.get_by_role("button", name="退出登录").click()
    with page.expect_download() as taking:
        page.get_by_role("dialog").get_by_role("button", name="导出待发内容").click()
    taking.value.save_as(tmp_path / "outbox.zip")
    with zipfile.ZipFile(tmp_path / "outbox.zip") as archive:
        assert archive.testzip() is None
        (fields,) = [name for name in archive.namelist() if name.endswith("report.json")]
        (photo,) = [name for name in archive.namelist() if name.endswith(".jpg")]
        assert json.loads(archive.read(fields))["report"]["text"] == "带走的一条"
        assert Image.open(io.BytesIO(archive.read(photo))).size[0] == 1600
        assert "个人信息" in archive.read("README.txt").decode()
    page.get_by_role("dialog").get_by_role("button", name="取消").click()
    page.unroute("**/api/v1/reports")
    page.get_by_role("button", name="立即发送").click()
    arrived_once(page, town, "带走的一条", photos=1)


def test_what_waits_for_more_than_a_day_is_said_in_red(page: Page) -> None:
    page.context.set_offline(True)
    fill_in(page, "一天前的上报")
    submit(page)
    page.evaluate(MAKE_OLD, 2)
    page.get_by_role("link", name="上报", exact=True).click()
    page.evaluate("() => dispatchEvent(new Event('pageshow'))")
    expect(page.get_by_role("alert").filter(has_text="超过 24 小时")).to_be_visible()
    expect(page.locator(".outbox-bar.is-old")).to_contain_text("待发 1 条")
    page.context.set_offline(False)
    empty(page)


def test_a_clock_put_back_holds_nothing_up(page: Page, town: Town) -> None:
    page.route("**/api/v1/reports", faults("reset", 1))
    page.clock.install(time=time.time() + 5 * 365 * 86_400)
    fill_in(page, "时钟拨回")
    submit(page)
    page.clock.run_for(1_000)
    page.clock.set_system_time(time.time())
    page.evaluate("() => dispatchEvent(new Event('online'))")
    arrived_once(page, town, "时钟拨回")
