"""The rules that might have been, over a street that has worked for a while in a real database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.rulebook import load_rulebook
from services.chassis.db import Database, move_clock
from services.chassis.settings import DatabaseSettings
from services.chassis.telemetry import Metrics
from services.dispatch.__main__ import _parser
from services.dispatch.usecases.ground import Ground
from services.dispatch.whatif.command import run_whatif
from tests.integration.dispatch.conftest import Street
from tests.support.recorded_street import recorded_cases, store
from tests.support.sample import SAMPLE
from tests.support.street_walks import StreetAtWork

pytestmark = pytest.mark.anyio
RULEBOOKS = SAMPLE.parents[1] / "rulebooks"
SAME = RULEBOOKS / "fengcheng.toml"
HEAP = "0110"
CLASSES = (HEAP, "0111", "0133", "0405", "2101")
CASES = 60


@pytest.fixture
async def at_work(street: Street) -> AsyncIterator[StreetAtWork]:
    working = StreetAtWork(street, seed=5)
    yield working
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(0))


@pytest.fixture
async def spring(street: Street) -> Street:
    """Cases of a spring, told by the rules and stored without their events."""
    days = {file.name: file.read_text("utf-8") for file in (RULEBOOKS / "calendars").glob("*.toml")}
    book = load_rulebook(SAME.read_text("utf-8"), days)
    begin = datetime(2026, 3, 2, tzinfo=UTC)
    await store(street.db, list(recorded_cases(book, CASES, seed=3, begin=begin, days=20, codes=CLASSES)), book)
    return street


async def ask(street: Street, file: Path, *words: str) -> int:
    """The command, with the street's database."""
    asked = _parser().parse_args(["what-if", str(file), "--since", "2026-01-01", *words])
    return await run_whatif(Ground(street.db, street.cache, street.ids, Metrics("dispatch")), asked)


async def answer(street: Street, file: Path, folder: Path, *words: str) -> Any:
    """Its answer as data."""
    assert await ask(street, file, *words, "--json", str(folder / "answer.json")) == 0
    return json.loads((folder / "answer.json").read_text("utf-8"))


def changed(folder: Path, change: Callable[[str], str]) -> Path:
    """The sample's rulebook with something else in it."""
    text = SAME.read_text("utf-8")
    file = folder / "changed.toml"
    file.write_text(change(text), "utf-8")
    assert file.read_text("utf-8") != text
    return file


def _line_01(text: str, old: str, new: str) -> str:
    """The first line of the catalogue with something replaced."""
    at = text.index('id = "L01"')
    return text[:at] + text[at:].replace(old, new, 1)


def _quicker_heap(text: str) -> str:
    at = text.index('id = "0110.1"')
    return text[:at] + text[at:].replace('limit = "4h"', 'limit = "1h"', 1)


# --- the same rules ---------------------------------------------------------------------------------------------------
async def test_the_unchanged_rulebook_differs_in_nothing(street: Street, at_work: StreetAtWork, tmp_path: Path) -> None:
    """Whatever people did over the API, whenever timers were heard of: asked again, the rules say the same."""
    await at_work.work(cases=16, steps=14)
    told = await answer(street, SAME, tmp_path)
    figures = told["figures"]
    assert figures["cases"] == 16
    assert (figures["not_reproducible"], figures["faults"]) == (0, [])
    assert (figures["diverged"], figures["differ"], told["cases"]) == (0, 0, [])
    kinds = await street.scalar("SELECT count(DISTINCT kind) FROM dispatch.case_facts")
    assert isinstance(kinds, int)
    assert kinds > 12, "the street has hardly done anything"


async def test_a_whole_spring_differs_in_nothing(
    spring: Street, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = (await answer(spring, SAME, tmp_path))["figures"]
    assert (figures["cases"], figures["compared"], figures["differ"]) == (CASES, CASES, 0)
    assert "没有任何不同。" in capsys.readouterr().out


async def test_the_same_question_gives_the_same_bytes(
    spring: Street, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = changed(tmp_path, lambda text: _line_01(text, 'lead = "huanwei"', 'lead = "zhifadui"'))
    written = []
    for name in ("one", "two"):
        page, data = tmp_path / f"{name}.html", tmp_path / f"{name}.json"
        assert await ask(spring, file, "--html", str(page), "--json", str(data)) == 0
        written.append((page.read_bytes(), data.read_bytes(), capsys.readouterr().out))
    assert written[0] == written[1]


# --- other rules ------------------------------------------------------------------------------------------------------
async def test_another_limit_moves_the_cases_of_its_condition_alone(spring: Street, tmp_path: Path) -> None:
    told = await answer(spring, changed(tmp_path, _quicker_heap), tmp_path)
    filed = await spring.rows("SELECT case_no FROM dispatch.cases WHERE condition = '0110.1' ORDER BY case_no")
    assert sorted(row["case_no"] for row in told["cases"]) == [row.case_no for row in filed]
    assert told["figures"]["due"] == len(filed) > 0
    assert told["figures"]["unit"] == 0


async def test_another_unit_parts_the_cases_that_followed_the_line(spring: Street, tmp_path: Path) -> None:
    file = changed(tmp_path, lambda text: _line_01(text, 'lead = "huanwei"', 'lead = "zhifadui"'))
    told = await answer(spring, file, tmp_path)
    of_line = "SELECT count(*) FROM dispatch.cases WHERE body->'routed'->>'line' = 'L01'"
    routed, led = await spring.scalar(of_line), await spring.scalar(f"{of_line} AND lead_unit = 'huanwei'")
    assert led
    assert told["figures"]["unit"] == routed
    assert told["figures"]["diverged"] == led
    assert told["figures"]["parted"] == [["unit", led]]
    load = {row["unit"]: row["after"] - row["before"] for row in told["figures"]["loads"]}
    assert load["huanwei"] == -load["zhifadui"] == -routed
    first = told["largest"][0]["parts"][0]
    assert first["before"] != first["after"]


async def test_a_class_that_is_gone_is_nobodys_until_somebody_files_it(spring: Street, tmp_path: Path) -> None:
    def without_heap(text: str) -> str:
        at = text.rindex("[[categories]]", 0, text.index(f'code = "{HEAP}"'))
        end = text.index("[[categories]]\n", at + 1)
        rest = text[:at] + text[end:]
        return rest.replace(f'"{HEAP}", ', "")

    told = await answer(spring, changed(tmp_path, without_heap), tmp_path)
    mine = [row for row in told["cases"] if row["category"] == HEAP]
    count = await spring.scalar("SELECT count(*) FROM dispatch.cases WHERE category = :code", code=HEAP)
    assert len(mine) == count
    assert mine
    assert {row["after"]["chosen"] for row in mine} == {None}
    assert "unit" in {row["why"] for row in mine}, "the machine would have dispatched none of them"
    assert all((row["why"] is None) == (row["verdict"] == "compared") for row in mine)


# --- what cannot be asked ---------------------------------------------------------------------------------------------
async def test_errors_name_the_file_and_what_is_wrong(
    spring: Street, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await ask(spring, tmp_path / "gone.toml") == 1
    assert "gone.toml: No such file" in capsys.readouterr().err

    hole = changed(tmp_path, lambda text: _line_01(text, 'lead = "huanwei"', 'lead = "nobody"'))
    assert await ask(spring, hole) == 1
    told = capsys.readouterr().err
    assert str(hole) in told
    assert "nobody" in told

    assert await ask(spring, SAME, "--street", "999999999") == 1
    assert "street.code is 441802001" in capsys.readouterr().err

    elsewhere = changed(tmp_path, lambda text: text.replace("441802001", "441802002"))
    assert await ask(spring, elsewhere) == 1
    assert "street.code 441802002" in capsys.readouterr().err

    assert await ask(spring, SAME, "--calendars", str(tmp_path / "empty")) == 1
    assert "no calendar" in capsys.readouterr().err
    assert await ask(spring, SAME, "--until", "2099-01-01") == 1
    assert "future" in capsys.readouterr().err
    assert await ask(spring, SAME, "--html", str(tmp_path / "no" / "where.html")) == 1
    assert "where.html" in capsys.readouterr().err


async def test_wrong_words_end_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _parser().parse_args(["what-if", str(SAME), "--since", "soon"])
    assert ended.value.code == 2
    assert "soon" in capsys.readouterr().err


async def test_a_time_without_cases_is_no_fault(spring: Street, capsys: pytest.CaptureFixture[str]) -> None:
    assert await ask(spring, SAME, "--until", "2026-01-02") == 0
    assert "共0件" in capsys.readouterr().out


async def test_other_days_can_be_tried(spring: Street, tmp_path: Path) -> None:
    """The same days change nothing; a street that opens an hour later is due later."""
    usual = await answer(spring, SAME, tmp_path, "--calendars", str(RULEBOOKS / "calendars"))
    assert usual["figures"]["differ"] == 0
    folder = tmp_path / "days"
    folder.mkdir()
    for file in (RULEBOOKS / "calendars").glob("*.toml"):
        text = file.read_text("utf-8")
        (folder / file.name).write_text(text.replace('"08:00-12:00"', '"09:00-12:00"'), "utf-8")
    later = await answer(spring, SAME, tmp_path, "--calendars", str(folder))
    assert later["figures"]["due"] > CASES / 2
    handling = next(row for row in later["figures"]["by_clock"] if row["kind"] == "handling")
    assert handling["later"] > 0


async def test_a_database_that_is_not_there_is_one_line(street: Street, capsys: pytest.CaptureFixture[str]) -> None:
    gone = Database(DatabaseSettings(url="postgresql://nobody@127.0.0.1:9/none"), "test")
    base = Ground(gone, street.cache, street.ids, Metrics("dispatch"))
    asked = _parser().parse_args(["what-if", str(SAME), "--since", "2026-01-01"])
    assert await run_whatif(base, asked) == 1
    assert capsys.readouterr().err.startswith("grid: the database does not answer: ")
    await gone.close()
