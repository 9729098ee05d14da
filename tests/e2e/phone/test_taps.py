"""At most four taps from the open form to the receipt, with a category chosen and the place to be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.phone.stand_in import Intake
from tests.e2e.phone.taps import Taps, faults

pytestmark = pytest.mark.browser
CLASS = {"code": "litter-3"}


def fill(page: Page, place: Callable[[], None], snapshot: Path) -> tuple[Taps, str]:
    """Photo, place, class, submit; answers the taps and what the form said of the place before it went."""
    taps = Taps(page)
    taps.listen()
    page.locator("input[type=file]").set_input_files(snapshot)
    expect(page.locator(".photo img")).to_be_visible()
    place()
    page.get_by_role("button", name="垃圾保洁").tap()
    page.get_by_role("radio", name="垃圾满溢").tap()
    told = page.locator(".submit-what")
    expect(told).to_be_in_viewport(ratio=1)  # where the finger goes next
    shown = told.inner_text()
    page.locator(".submit-bar button").tap()
    expect(page.get_by_text("FC2026112200001").first).to_be_visible()
    return taps, shown


def body_of(intake: Intake) -> dict[str, object]:
    (one,) = intake.reports.values()
    body = one["body"]
    assert isinstance(body, dict)
    return body


def test_four_taps_with_a_position(form: Page, intake: Intake, snapshot: Path) -> None:
    expect(form.get_by_text("精度约 12 米")).to_be_visible()
    taps, shown = fill(form, form.get_by_role("button", name="凤城花园", exact=True).tap, snapshot)
    assert faults(taps.made(), body_of(intake), shown, "凤城花园") == []
    assert len(taps.made()) == 4
    expect(form.get_by_text("已提醒本网格支部")).to_be_visible()
    form.get_by_role("link", name="再报一件").tap()
    assert len(faults(taps.made(), body_of(intake), shown, "凤城花园")) == 1, "a fifth tap goes unnoticed"


def test_four_taps_where_the_position_is_refused(
    phone: Callable[..., BrowserContext], address: str, intake: Intake, snapshot: Path
) -> None:
    page = phone(permissions=[]).new_page()
    page.goto(f"{address}/m/")
    expect(page.get_by_text("定位不可用")).to_be_visible()

    def place() -> None:
        page.get_by_label("地点：输入两个字或拼音首字母").fill("bjly")
        page.get_by_role("option", name="北江路与凤翔路口").tap()

    taps, shown = fill(page, place, snapshot)
    assert faults(taps.made(), body_of(intake), shown, "北江路与凤翔路口") == []


def test_danger_takes_two(form: Page, intake: Intake) -> None:
    taps = Taps(form)
    taps.listen()
    form.get_by_role("switch", name="现在有人身危险").tap()
    form.get_by_role("button", name="紧急直呼街道").tap()
    expect(form.get_by_text("已直呼街道")).to_be_visible()
    assert len(taps.made()) == 2
    assert body_of(intake)["position"] is not None


@pytest.mark.parametrize(
    ("taps", "category", "shown", "told"),
    [
        (4, CLASS, "凤城花园 一网格", 0),
        (5, CLASS, "凤城花园 一网格", 1),
        (4, None, "凤城花园 一网格", 1),
        (4, CLASS, "一网格", 1),
        (9, None, "", 3),
    ],
)
def test_the_count_can_fail(taps: int, category: dict[str, str] | None, shown: str, told: int) -> None:
    assert len(faults(["x"] * taps, {"category": category}, shown, "凤城花园")) == told
