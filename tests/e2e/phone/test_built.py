"""What was built runs where it must: in Chrome 87 and Safari 14, over a slow network, inside 微信 and 政务微信."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.phone.stand_in import STATIC, Intake

pytestmark = pytest.mark.browser
CHECKOUT = Path(__file__).parents[3]
DESK = CHECKOUT / "services" / "dispatch" / "static" / "desk"
FIRST_LOAD = 200 * 1024
FALLBACKS = {
    ".randomUUID()": "ids are put together from getRandomValues where it is missing",
    "BroadcastChannel": "each tab then has a live line of its own",
    "createImageBitmap": "an image element decodes the photo where it is missing or knows no options",
    "locks": "a lease row in the phone's own store keeps a second page from sending; each tab has its own live line",
    "sync": "never needed: the page itself sends when the network is back",
    ".persist()": "asked only where it is there",
    ".toReversed()": "Vue's copy of the array's method, called only by who calls it",
    ".toSorted()": "as toReversed",
    ".toSpliced()": "as toReversed",
    "requestIdleCallback": "Vue looks it up for hydration, which these pages do not do",
    ".startViewTransition()": "the router asks first whether the document has it",
}
"""Names younger than the oldest browsers which the built scripts may use, and what happens where they are missing."""


def ages(files: list[Path]) -> dict[str, dict[str, Any]]:
    command = ["node", Path(__file__).with_name("ages.mjs"), CHECKOUT / "services", *files]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True, timeout=120)
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("folder", [STATIC, DESK], ids=["form", "desk"])
def test_scripts_are_no_younger_than_the_oldest_browsers(folder: Path) -> None:
    files = sorted(folder.rglob("*.js"))
    assert files
    found = ages(files)
    assert {file: told["unparsed"] for file, told in found.items() if told["unparsed"]} == {}
    assert {name for told in found.values() for name in told["young"]} <= set(FALLBACKS)


def test_the_check_finds_what_is_too_young(tmp_path: Path) -> None:
    samples = {
        "syntax.js": "class A { #own = 1 }",
        "method.js": "[1, 2].at(-1)",
        "object.js": "structuredClone({})",
        "look.js": "/(?<=a)b/.test('ab')",
        "gate-x.js": "const a = 1",
        "fine.js": "const a = b?.c ?? d; a ||= 1",
    }
    for name, text in samples.items():
        (tmp_path / name).write_text(text)
    found = {Path(file).name: told for file, told in ages([tmp_path / name for name in samples]).items()}
    assert [name for name, told in found.items() if told["unparsed"]] == ["syntax.js", "gate-x.js"]
    assert [list(found[name]["young"]) for name in ("method.js", "object.js", "look.js", "fine.js")] == [
        [".at()"],
        ["structuredClone"],
        ["look-behind"],
        [],
    ]


def test_styles_hold_no_selector_that_the_oldest_browsers_drop() -> None:
    young = re.compile(r":has\(|:where\(|:is\(|@layer|@container|@scope|color-mix\(|\d[sld]vh\b|\d[sld]vw\b")
    found = {
        path.name: young.findall(path.read_text()) for path in STATIC.rglob("*.css") if young.search(path.read_text())
    }
    assert found == {}


def first_load(folder: Path) -> dict[str, int]:
    """What the page asks for before it stands: itself, and what it names, each as it goes over the network."""
    page = (folder / "index.html").read_text()
    named = re.findall(r'<(?:script|link)[^>]+?(?:src|href)="/m/([^"]+\.(?:js|css))"', page)
    assert any(name.endswith(".js") for name in named)
    return {name: len(gzip.compress((folder / name).read_bytes(), 6)) for name in ["index.html", *named]}


def test_the_first_load_is_small() -> None:
    sizes = first_load(STATIC)
    assert sum(sizes.values()) <= FIRST_LOAD, sizes


@pytest.mark.parametrize(
    ("agent", "told"),
    [("", "请更新浏览器"), ("MicroMessenger/7.0.4", "在浏览器打开")],
    ids=["browser", "wechat"],
)
def test_an_older_browser_gets_a_sentence(
    phone: Callable[..., BrowserContext], address: str, complaints: list[str], agent: str, told: str
) -> None:
    context = phone(**({"user_agent": f"Mozilla/5.0 {agent}"} if agent else {}))
    context.add_init_script("delete Promise.any")
    page = context.new_page()
    page.goto(f"{address}/m/")
    expect(page.get_by_role("alert")).to_contain_text("这个浏览器太旧")
    expect(page.get_by_role("alert")).to_contain_text(told)
    expect(page.get_by_role("alert")).to_contain_text("110")
    expect(page.locator("#app")).to_have_count(0)
    assert complaints == []


def test_a_script_that_does_not_arrive_is_told(phone: Callable[..., BrowserContext], address: str) -> None:
    page = phone().new_page()
    page.route("**/index-*.js", lambda route: route.abort())
    page.goto(f"{address}/m/")
    expect(page.get_by_role("alert")).to_contain_text("页面没有加载完整")


def test_boxes_are_spaced_where_gap_does_nothing(phone: Callable[..., BrowserContext], address: str) -> None:
    apart = "() => getComputedStyle(document.querySelector('.stack > .card + .card')).marginTop"
    for blind, margin in ((False, "0px"), (True, "12px")):
        context = phone()
        if blind:  # what Safari 14.0 says to the question
            context.add_init_script("Object.defineProperty(Element.prototype, 'scrollHeight', { get: () => 0 })")
        page = context.new_page()
        page.goto(f"{address}/m/")
        page.locator(".tiles").wait_for()
        assert page.evaluate(apart) == margin


def inside(phone: Callable[..., BrowserContext], address: str, agent: str) -> Page:
    page = phone(user_agent=f"Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) {agent}").new_page()
    page.goto(f"{address}/m/")
    page.locator(".tiles").wait_for()
    return page


@pytest.mark.parametrize(
    ("agent", "name"),
    [("MicroMessenger/8.0.40", "微信"), ("wxworklocal/2.5 MicroMessenger/7.0.1", "政务微信")],
)
def test_inside_wechat_the_form_works_and_the_way_out_is_told(
    phone: Callable[..., BrowserContext], address: str, intake: Intake, agent: str, name: str
) -> None:
    page = inside(phone, address, agent)
    note = page.locator(".embedded")
    expect(note).to_contain_text(f"正在{name}里使用")
    note.get_by_text("怎么做").tap()
    expect(note).to_contain_text("在浏览器打开")
    page.get_by_role("button", name="路灯照明").tap()
    page.locator(".submit-bar button").tap()
    expect(page.locator(".receipt.is-done")).to_be_visible()
    assert len(intake.reports) == 1
    page.get_by_role("link", name="再报一件").tap()
    page.locator(".embedded").get_by_role("button", name="知道了").tap()
    page.reload()
    page.locator(".tiles").wait_for()
    expect(page.locator(".embedded")).to_have_count(0)
