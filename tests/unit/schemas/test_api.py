"""Request bodies refuse what they should, and say so with codes that have words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.api.dispatch import ActionIn
from schemas.api.escalation import WebhookIn, WebhookPatchIn
from schemas.api.intake import CellIn, PointIn, ReportActionIn, ReportIn
from schemas.labels import Labels
from services.governance.acts import Inputs

REPORT: dict[str, Any] = {
    "category": {"scheme": "GB/T 30428.2", "version": "2013", "code": "0110"},
    "nature": "complaint",
    "text": "花苑门口一堆垃圾",
    "position": {
        "lng": 113.0444,
        "lat": 23.7017,
        "crs": "WGS-84",
        "accuracy_m": 12.5,
        "at": "2026-03-06T09:00:00+08:00",
    },
    "place_words": "鸣翠花苑南门",
    "danger": False,
    "occurred_at": "2026-03-06T08:55:00+08:00",
    "on_the_spot": {"act": "sao", "note": "已清扫"},
    "joins": None,
    "photos": [{"id": "p1", "sha256": "ab" * 32, "bytes": 1200, "mime": "image/jpeg"}],
    "anonymous": False,
}


def test_the_whole_body() -> None:
    report = ReportIn.model_validate(REPORT)
    assert isinstance(report.position, PointIn)
    assert report.position.crs == "wgs84"


def test_a_place_in_words_stands_in_a_cell() -> None:
    report = ReportIn.model_validate({**REPORT, "position": {"cell": "441802001001001"}})
    assert isinstance(report.position, CellIn)


def test_danger_and_place_are_enough() -> None:
    assert ReportIn.model_validate({"place_words": "鸣翠巷口", "danger": True}).category is None


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"text": "字" * 2001}, "string_too_long"),
        ({"text": 7}, "string_type"),
        ({"text": "a\x00b"}, "control_character"),
        ({"text": "\ud800"}, "string_unicode"),
        ({"danger": "yes"}, "bool_type"),
        ({"danger": 1}, "bool_type"),
        ({"nature": "anger"}, "enum"),
        ({"category": "0110"}, "model_type"),
        ({"category": {"code": "0110"}}, "missing"),
        ({"surprise": 1}, "extra_forbidden"),
        ({"occurred_at": "2026-03-06T08:55:00"}, "timezone_aware"),
        ({"occurred_at": "yesterday"}, "datetime_from_date_parsing"),
        ({"position": {"lng": 181, "lat": 0}}, "less_than_equal"),
        ({"position": {"lng": float("nan"), "lat": 0}}, "finite_number"),
        ({"position": None, "place_words": " "}, "place_missing"),
        ({"category": None, "text": "", "photos": []}, "matter_missing"),
        ({"direct": True}, "direct_without_danger"),
        ({"photos": [REPORT["photos"][0]] * 2}, "photo_twice"),
        ({"photos": [{**REPORT["photos"][0], "id": "../p"}]}, "string_pattern_mismatch"),
        ({"photos": [{**REPORT["photos"][0], "mime": "image/svg+xml"}]}, "literal_error"),
        ({"photos": [{**REPORT["photos"][0], "bytes": 10**9}]}, "less_than_equal"),
        ({"photos": "p1"}, "tuple_type"),
        ({"on_the_spot": {"act": "jiang", "note": "x"}}, "literal_error"),
    ],
)
def test_refusals_have_a_code_with_words(changed: dict[str, Any], code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ReportIn.model_validate({**REPORT, **changed})
    codes = {error["type"] for error in caught.value.errors()}
    assert code in codes
    assert f"problem.field.{code}" in Labels("zh-CN")


def test_an_action_becomes_inputs() -> None:
    inputs = ActionIn.model_validate({"lead_unit": "huanwei", "co_units": ["zhifadui"], "note": " "}).to_inputs()
    assert inputs == Inputs(lead_unit="huanwei", co_units=("zhifadui",))


def test_every_field_of_inputs_can_be_sent() -> None:
    assert set(ActionIn.model_fields) == set(Inputs.__slots__)


def test_webhook_addresses_and_events() -> None:
    assert WebhookIn(url="https://platform.example/hook", events=("case.closed", "case.closed")).events == (
        "case.closed",
    )
    for wrong in ("ftp://a/b", "javascript:alert(1)", "https://", "x"):
        with pytest.raises(ValidationError):
            WebhookIn(url=wrong, events=("case.closed",))
    with pytest.raises(ValidationError, match=r"case\.opened"):
        WebhookPatchIn(events=("case.opened",))


def test_a_reporter_cannot_say_not_reached() -> None:
    with pytest.raises(ValidationError):
        ReportActionIn.model_validate({"grade": "not_reached"})
