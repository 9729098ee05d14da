"""The built phone form in a real browser, under the policy that the services send."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.phone.stand_in import STATIC, Intake, sample_rows
from tests.e2e.town import until

pytestmark = pytest.mark.browser
KEPT = """words => new Promise((done, fail) => {
  const opening = indexedDB.open('grid-phone');
  opening.onerror = fail;
  opening.onsuccess = () => {
    const all = opening.result.transaction('kept').objectStore('kept').getAll();
    all.onsuccess = () => {
      opening.result.close();
      done(all.result.some(row => row.name.startsWith('draft:') && row.value.draft.text === words));
    };
  };
})"""


def only_report(intake: Intake) -> dict[str, object]:
    assert len(intake.reports) == 1
    body = next(iter(intake.reports.values()))["body"]
    assert isinstance(body, dict)
    return body


def submit(page: Page) -> Locator:
    return page.locator(".submit-bar button")


def draft_is_kept(page: Page, words: str) -> None:
    """Wait until the phone's own store has what stands in the form."""
    until(f"the draft {words} is kept", lambda: page.evaluate(KEPT, words))


def test_four_taps_from_the_open_form_to_the_receipt(form: Page, intake: Intake, snapshot: Path) -> None:
    form.locator("input[type=file]").set_input_files(snapshot)  # the camera's own taps are not ours
    expect(form.locator(".photo img")).to_be_visible()
    taps = [
        form.get_by_role("button", name="凤城花园", exact=True),
        form.get_by_role("button", name="垃圾保洁"),
        submit(form),
    ]
    for one in taps:
        one.tap()
    expect(form.get_by_text("FC2026112200001").first).to_be_visible()
    assert len(taps) + 1 <= 4
    body = only_report(intake)
    assert body["place_words"] == "凤城花园"
    assert body["text"] == "垃圾保洁（类别待定）"
    assert body["photos"]


def test_photos_arrive_small_without_camera_data_and_as_announced(form: Page, intake: Intake, snapshot: Path) -> None:
    form.locator("input[type=file]").set_input_files(snapshot)
    expect(form.locator(".photo img")).to_be_visible()
    form.get_by_role("button", name="路灯照明").tap()
    submit(form).tap()
    expect(form.locator(".receipt.is-done")).to_be_visible()
    expect(form.get_by_text("照片已发送")).to_have_count(0)
    (announced,) = only_report(intake)["photos"]  # type: ignore[misc]
    sent = intake.photos[announced["id"]]
    assert hashlib.sha256(sent).hexdigest() == announced["sha256"]
    assert len(sent) == announced["bytes"]
    image = Image.open(io.BytesIO(sent))
    assert max(image.size) == 1600
    assert not image.getexif()
    darkest, lightest = image.convert("L").crop((0, image.height - 70, 400, image.height)).getextrema()
    assert lightest - darkest > 100, "no mark at the foot of the photo"


def test_place_by_pinyin_initials(form: Page, intake: Intake) -> None:
    form.get_by_label("地点：输入两个字或拼音首字母").fill("bjly")
    form.get_by_role("option", name="北江路与凤翔路口").tap()
    form.get_by_label("参照物").fill("东侧 20 米")
    form.get_by_role("button", name="道路井盖").tap()
    form.get_by_role("radio", name="井盖缺失").tap()
    submit(form).tap()
    expect(form.locator(".receipt.is-done")).to_be_visible()
    body = only_report(intake)
    assert (body["place_words"], body["landmark"]) == ("北江路与凤翔路口", "东侧 20 米")
    assert body["category"] == {"scheme": "fengcheng", "version": "1", "code": "road-1"}


def test_a_report_without_a_pin_is_complete(phone: Callable[..., BrowserContext], address: str, intake: Intake) -> None:
    page = phone(permissions=[]).new_page()
    page.goto(f"{address}/m/")
    expect(page.get_by_text("定位不可用")).to_be_visible()
    page.get_by_label("地点：输入两个字或拼音首字母").fill("老桥头")
    page.get_by_role("button", name="说不清类别").tap()
    submit(page).tap()
    expect(page.locator(".receipt.is-done")).to_be_visible()
    assert only_report(intake)["position"] is None


def test_what_is_missing_is_said_at_its_place(
    phone: Callable[..., BrowserContext], address: str, intake: Intake
) -> None:
    page = phone(permissions=[]).new_page()
    page.goto(f"{address}/m/")
    submit(page).tap()
    expect(page.get_by_text("请写地点，或在图上标定位置")).to_be_visible()
    expect(page.get_by_text("请选择什么问题")).to_be_visible()
    assert intake.reports == {}


def test_danger_says_call_first_and_needs_only_the_place(form: Page, intake: Intake) -> None:
    form.get_by_role("switch", name="现在有人身危险").check()
    expect(form.get_by_text("有人身危险请先拨打 110 / 119 / 120，本系统不替代报警")).to_be_visible()
    for number in ("110", "119", "120"):
        expect(form.get_by_role("link", name=number)).to_have_attribute("href", f"tel:{number}")
    form.get_by_label("危及生命").check()
    form.get_by_role("button", name="紧急直呼街道").tap()
    expect(form.get_by_text("已直呼街道")).to_be_visible()
    body = only_report(intake)
    assert (body["danger"], body["life"], body["direct"]) == (True, True, True)
    assert body["category"] is None


def test_dealt_with_on_the_spot_goes_in_one_submission(form: Page, intake: Intake) -> None:
    form.get_by_role("button", name="垃圾保洁").tap()
    form.get_by_role("button", name="扫", exact=False).last.tap()
    form.get_by_role("button", name="现场已处置，上报并办结").tap()
    expect(form.get_by_text("请用一句话写明怎么处理的")).to_be_visible()
    form.get_by_label("怎么处理的（一句话）").fill("已清扫")
    form.get_by_role("button", name="现场已处置，上报并办结").tap()
    expect(form.locator(".receipt.is-done")).to_be_visible()
    assert only_report(intake)["on_the_spot"] == {"act": "sao", "note": "已清扫"}


@pytest.mark.parametrize(
    ("button", "joined"), [("同一问题，我也发现", "A20261122001"), ("不是同一问题，继续上报", None)]
)
def test_similar_matters_are_asked_before_submit(form: Page, intake: Intake, button: str, joined: str | None) -> None:
    intake.similar = True
    form.get_by_role("button", name="垃圾保洁").tap()
    submit(form).tap()
    expect(form.get_by_role("dialog", name="附近已有相似问题")).to_be_visible()
    assert intake.reports == {}
    form.get_by_role("button", name=button).tap()
    expect(form.locator(".receipt.is-done")).to_be_visible()
    assert only_report(intake)["joins"] == joined


def test_two_reports_made_offline_survive_a_reload_and_go_out_by_themselves(form: Page, intake: Intake) -> None:
    expect(form.locator(".tiles")).to_be_visible()
    form.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    form.context.set_offline(True)
    for tile in ("摆摊占道", "停车秩序"):
        form.get_by_role("button", name=tile).tap()
        submit(form).tap()
        expect(form.get_by_role("heading", name="已存本机")).to_be_visible()
        form.get_by_role("link", name="上报", exact=True).tap()
    expect(form.locator(".outbox-bar")).to_contain_text("待发 2 条")
    form.reload()  # the page itself comes from the phone now
    expect(form.locator(".outbox-bar")).to_contain_text("待发 2 条")
    expect(form.locator(".tiles")).to_be_visible()
    assert intake.reports == {}
    form.context.set_offline(False)
    expect(form.locator(".outbox-bar")).to_have_count(0, timeout=20_000)
    assert len(intake.reports) == 2


def test_a_draft_is_there_again_after_the_page_went_away(form: Page, snapshot: Path) -> None:
    form.locator("input[type=file]").set_input_files(snapshot)
    expect(form.locator(".photo img")).to_be_visible()
    form.get_by_label("情况描述").fill("路面塌了一块")
    draft_is_kept(form, "路面塌了一块")
    form.reload()
    expect(form.get_by_text("已恢复上次没有提交的内容")).to_be_visible()
    expect(form.get_by_label("情况描述")).to_have_value("路面塌了一块")
    expect(form.locator(".photo img")).to_be_visible()


def test_a_refused_report_comes_back_to_be_mended(form: Page, intake: Intake) -> None:
    intake.refuse = {
        "code": "invalid_input",
        "title": "内容有误",
        "errors": [{"field": "text", "code": "x", "message": "描述里有不能保存的字符"}],
    }
    form.get_by_role("button", name="停车秩序").tap()
    submit(form).tap()
    expect(form.get_by_text("描述里有不能保存的字符")).to_be_visible()
    intake.refuse = None
    form.get_by_role("button", name="修改").tap()
    expect(form.locator(".tiles")).to_be_visible()
    submit(form).tap()
    expect(form.locator(".receipt.is-done")).to_be_visible()


def test_a_lost_session_keeps_what_was_typed(form: Page, intake: Intake) -> None:
    form.get_by_role("button", name="停车秩序").tap()
    intake.trouble = ["out"]
    submit(form).tap()
    form.get_by_label("账号").fill("wangge01")
    form.get_by_label("密码").fill("fengcheng-2026")
    form.get_by_role("button", name="登录").tap()
    expect(form.locator(".tabs")).to_be_visible()
    until("the report is there", lambda: intake.reports)
    expect(form.locator(".outbox-bar")).to_have_count(0)
    assert len(intake.reports) == 1


def test_wrong_password_is_said(phone: Callable[..., BrowserContext], address: str, intake: Intake) -> None:
    intake.signed_in = False
    page = phone().new_page()
    page.goto(f"{address}/m/")
    page.get_by_label("账号").fill("wangge01")
    page.get_by_label("密码").fill("nope")
    page.get_by_role("button", name="登录").tap()
    expect(page.get_by_role("alert")).to_have_text("账号或密码不正确")


def test_my_reports_show_the_six_steps_and_why_one_was_skipped(
    phone: Callable[..., BrowserContext], address: str, intake: Intake
) -> None:
    intake.rows = sample_rows()
    page = phone().new_page()
    page.goto(f"{address}/m/mine")
    expect(page.get_by_text("第 4 步：分级响应")).to_be_visible()
    expect(page.get_by_text("紧急直呼，未经社区")).to_be_visible()
    page.get_by_text("北江路口窨井盖缺失").tap()
    expect(page.locator(".stage")).to_have_count(6)
    page.get_by_role("button", name="撤销上报").tap()
    page.locator(".action-form button[type=submit]").tap()
    expect(page.get_by_text("请填写这一项")).to_be_visible()
    page.get_by_label("撤销原因").fill("已自行解决")
    page.locator(".action-form button[type=submit]").tap()
    expect(page.get_by_text("已提交，处理中")).to_be_visible()
    assert "POST /api/v1/reports/r2/actions/withdraw" in intake.calls


def test_map_has_no_flag_no_tiles_and_moves_the_pin(form: Page, intake: Intake, address: str) -> None:
    asked: list[str] = []
    form.on("request", lambda request: asked.append(request.url))
    form.get_by_role("button", name="在图上标定").tap()
    box = form.locator(".grid-map")
    expect(box.locator(".leaflet-control-attribution")).to_have_text("网格示意图")
    expect(box.locator("path.cell")).to_have_count(16)
    form.wait_for_timeout(600)
    box.tap(position={"x": 60, "y": 250})
    form.get_by_role("button", name="就是这里").tap()
    expect(form.get_by_text("手工标定")).to_be_visible()
    assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []


MODES = {
    "light": ({}, {}),
    "dark": ({"color_scheme": "dark"}, {}),
    "large": ({}, {"grid.size": "large"}),
    "english": ({}, {"grid.language": "en-US"}),
    "contrast": ({}, {"grid.look": "contrast"}),
    "forced": ({"forced_colors": "active"}, {}),
}
PAGES = ("", "mine", "reports/r2", "deed", "enter")


@pytest.mark.parametrize("mode", MODES)
def test_pages_pass_the_policy_accessibility_and_size_rules(
    phone: Callable[..., BrowserContext], address: str, intake: Intake, complaints: list[str], mode: str
) -> None:
    intake.rows = sample_rows()
    changes, kept = MODES[mode]
    # Tall enough for the whole page: what a bar covers now comes free by scrolling, which the checker cannot know.
    context = phone(viewport={"width": 390, "height": 2600}, **changes)
    if kept:
        context.add_init_script(
            f"if (location.protocol === 'http:') for (const [k, v] of Object.entries({json.dumps(kept)}))"
            " localStorage.setItem(k, v)"
        )
    page = context.new_page()
    for path in PAGES:
        page.goto(f"{address}/m/{path}")
        page.locator(".card, .enter .notice").first.wait_for()
        page.wait_for_timeout(400)
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate(SMALL_TEXT) == [], path
        assert page.evaluate(SMALL_TARGETS) == [], path
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390, path
    assert complaints == []


SMALL_TEXT = """() => [...document.querySelectorAll('#app *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.getClientRects().length)
  .filter(e => parseFloat(getComputedStyle(e).fontSize) < 16)
  .map(e => e.className + ': ' + e.textContent.slice(0, 20))"""

SMALL_TARGETS = """() => ['button', 'a[href]', 'input', 'select', 'textarea']
  .flatMap(name => [...document.querySelectorAll('#app ' + name)])
  .filter(e => e.getClientRects().length && !e.closest('.visually-hidden, label') && !e.matches('.visually-hidden'))
  .map(e => [e, e.getBoundingClientRect()])
  .filter(([e, r]) => r.height < 43.5 || (r.width < 43.5))
  .map(([e, r]) => `${e.tagName}.${e.className} ${Math.round(r.width)}x${Math.round(r.height)}`)"""


def test_nothing_in_the_build_names_a_foreign_host() -> None:
    allowed = re.compile(r"https?://(?:www\.w3\.org|vuejs\.org|leafletjs\.com|github\.com|127\.0\.0\.1)")
    found = {
        host
        for path in STATIC.rglob("*")
        if path.suffix in {".js", ".css", ".html"}
        for host in re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", path.read_text())
        if not allowed.match(host)
    }
    assert found == set()
