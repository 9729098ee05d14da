"""`grid rulebook check` and `explain`: what a writer of rules reads in a terminal or as data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.chassis.grid.command import SAMPLE_BOOK, app

BOOKS = SAMPLE_BOOK.parent


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["rulebook", *words], env={"COLUMNS": "200"})
    return result.exit_code, result.stdout, result.stderr


def explained(*words: str) -> dict[str, object]:
    code, out, err = run("explain", *words, "--json")
    assert (code, err) == (0, "")
    told: dict[str, object] = json.loads(out)
    return told


@pytest.mark.parametrize(("lang", "word"), [("zh-CN", "无缺漏"), ("en-US", "No holes")])
def test_the_sample_street_has_no_holes(lang: str, word: str) -> None:
    code, out, err = run("check", "--lang", lang)
    assert (code, err) == (0, "")
    assert "凤城街道" in out
    assert word in out


@pytest.mark.parametrize(
    ("lang", "word", "sum_up"),
    [("zh-CN", "没有单位“huanwie”", "共 2 处问题"), ("en-US", 'no unit "huanwie"', "2 faults")],
)
def test_faults_are_told_with_file_and_line(tmp_path: Path, lang: str, word: str, sum_up: str) -> None:
    book = tmp_path / "x.toml"
    text = SAMPLE_BOOK.read_text("utf-8").replace('lead = "huanwei"', 'lead = "huanwie"', 1)
    book.write_text(text.replace('lead = "zhifadui"', 'lead = "zhifaduo"', 1), "utf-8")
    code, out, err = run("check", str(book), "--calendars", str(BOOKS / "calendars"), "--lang", lang)
    assert (code, out) == (1, "")
    line = text[: text.index('lead = "huanwie"')].count("\n") + 1
    assert f"{book}:{line} catalogue.L01.lead: " in err
    assert word in err
    assert sum_up in err


def test_a_matter_gets_unit_limits_ladder_and_reasons() -> None:
    told = explained("--category", "0110", "--condition", "1", "--cell", "441802001001001", "--at", "2026-09-30T17:00")
    assert (told["lead"], told["line"], told["basis"]) == ("huanwei", "L01", "catalogue")
    assert told["because"] == ["类别 0110 暴露垃圾"]
    clocks = {clock["kind"]: clock for clock in told["clocks"]}  # type: ignore[attr-defined]
    assert clocks["handling"]["due"] == "2026-10-08 11:00"
    assert "10月1日至7日国庆放假不计" in clocks["handling"]["sentence"]
    assert [moment["at"] for moment in clocks["handling"]["ladder"]][:2] == ["2026-10-08 10:00", "2026-10-08 11:00"]
    assert clocks["reply"]["due"] is None
    reasons = {each["line"]: each["why"] for each in told["not_taken"]}  # type: ignore[attr-defined]
    assert "0104" in reasons["L07"]
    assert reasons["L90"] == "危险情形不符：本件 无，此条要求 有"
    assert any("auto_dispatch" in each for each in told["machine"])  # type: ignore[attr-defined]


def test_an_area_decides_and_says_so() -> None:
    told = explained("--category", "2202", "--cell", "441802001002", "--lang", "en-US")
    assert (told["lead"], told["line"]) == ("wuye-jinlan", "L22")
    assert told["because"] == ["Class 2202 飞线充电", "Area 441802001002"]
    reasons = {each["line"]: each["why"] for each in told["not_taken"]}  # type: ignore[attr-defined]
    assert reasons["L21"] == "area: this is in 441802001002, the line covers 441802001001"


def test_an_enquiry_runs_the_reply_clock_alone() -> None:
    told = explained("--category", "2801", "--nature", "enquiry", "--at", "2026-03-06T11:30")
    assert {c["kind"] for c in told["clocks"] if c["due"]} == {"reply"}  # type: ignore[attr-defined]
    assert all(c["due"] is None for c in explained("--nature", "thanks")["clocks"])  # type: ignore[attr-defined]


def test_pushes_that_are_not_urgent_wait_for_the_morning() -> None:
    told = explained("--category", "0405", "--at", "2026-03-07T19:00")
    handling = next(c for c in told["clocks"] if c["kind"] == "handling")  # type: ignore[attr-defined]
    late = {moment["act"]: (moment["at"], moment["held_until"]) for moment in handling["ladder"]}
    assert late["overdue"] == ("2026-03-07 21:00", "2026-03-08 08:00")
    urgent = explained("--category", "P0101", "--at", "2026-03-07T19:00")
    assert all(m["held_until"] is None for c in urgent["clocks"] for m in c["ladder"])  # type: ignore[attr-defined]


def test_a_matter_that_no_line_takes_says_where_it_waits() -> None:
    told = explained("--category", "0110", "--danger")
    assert told["lead"] == "huanwei"
    code, out, _ = run("explain", "--lang", "zh-CN")
    assert code == 0
    assert "无派遣规则" in out


def test_an_unknown_class_is_refused_in_words() -> None:
    code, out, err = run("explain", "--category", "9999")
    assert (code, out) == (1, "")
    assert "9999" in err
