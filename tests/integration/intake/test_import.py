"""`grid import`: every row once, twice the same, on after a stop, bad rows in a file beside it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import sqlalchemy as sa
from openpyxl import Workbook, load_workbook

from schemas.labels import Labels
from services.chassis.db import Database
from services.chassis.statements import Within
from services.intake.imports import command, saved
from services.intake.imports.drafts import Clocks
from services.intake.imports.job import Importer
from services.intake.imports.mapping import read_mapping
from services.intake.imports.refusals import BadRows
from services.intake.store.imports import Job, JobRunning, alone, live_wait_s
from services.intake.store.submissions import stamp
from tests.integration.intake.conftest import Street

pytestmark = pytest.mark.anyio
HEADER = "no,when,street,street_name,class,class_name,who,who_name,late,ok"
MAPPING = """
system = "example"
[columns]
id = "no"
occurred_at = "when"
street = "street"
street_name = "street_name"
category = "class"
category_name = "class_name"
unit = "who"
unit_name = "who_name"
closed_overdue = "late"
closed_in_time = "ok"
[[categories]]
name = "路灯"
code = "P0137"
"""


def line(n: int, **changes: str) -> str:
    cells = {
        "no": str(n),
        "when": f"2018-02-08 16:{n % 60:02}:00",
        "street": "104",
        "street_name": "甲街道",
        "class": str(600 + n % 3),
        "class_name": ("路灯", "垃圾", "噪声")[n % 3],
        "who": str(n % 5) if n % 5 else "-",
        "who_name": f"单位{n % 5}" if n % 5 else "-",
        "late": "0",
        "ok": "1",
    }
    return ",".join((cells | changes).values())


def write(file: Path, *lines: str) -> None:
    file.write_text("\n".join((HEADER, *lines)) + "\n", "utf-8")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "cases.csv"
    write(made, *(line(n) for n in range(1, 1201)))
    return made


async def run(street: Street, file: Path, clock: Clocks = Clocks.HISTORY) -> None:
    """The command's work on the test's database."""
    mapping_file = file.with_name("mapping.toml")
    mapping_file.write_text(MAPPING, "utf-8")
    bad = BadRows(file.with_name(f"{file.name}.errors.csv"), Labels("zh-CN"))
    await command._with_database(street.db, file, read_mapping(mapping_file), clock, "utf-8", bad)


async def test_every_row_is_one_report_and_twice_changes_nothing(
    street: Street, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run(street, file)
    assert "accepted      │ 1200" in capsys.readouterr().out
    await run(street, file)
    said = capsys.readouterr().out
    assert "already there │ 1200" in said
    assert "accepted      │ 0" in said
    for table in ("reports", "ledger", "outbox"):
        assert await street.count(table) == 1200
    assert not file.with_name("cases.csv.errors.csv").exists()


async def test_history_keeps_time_outcome_and_words(street: Street, file: Path) -> None:
    await run(street, file)
    async with street.db.reading() as tx:
        row = (
            (await tx.execute(sa.text("SELECT * FROM intake.reports WHERE source_event_id = 'example:3'")))
            .mappings()
            .one()
        )
        by_unit = (
            await tx.execute(sa.text("SELECT imported ->> 'unit', count(*) FROM intake.reports GROUP BY 1"))
        ).all()
    assert row["submitted_at"] == row["occurred_at"]
    assert row["submitted_at"].isoformat() == "2018-02-08T08:03:00+00:00"
    assert (row["street"], row["scheme"], row["category"]) == ("104", "GB/T 30428.2", "P0137")
    assert row["recorded"] == {"unit": "3", "closed": True, "overdue": False, "closed_at": None}
    assert (row["imported"]["category"], row["imported"]["unit_name"]) == ("600", "单位3")
    assert dict(tuple(pair) for pair in by_unit) == {None: 240, "1": 240, "2": 240, "3": 240, "4": 240}
    own = await street.scalar("SELECT scheme FROM intake.reports WHERE source_event_id = 'example:1'")
    assert own == "IMPORT:example"


async def test_clock_at_now_makes_new_reports(street: Street, file: Path) -> None:
    await run(street, file, Clocks.NOW)
    assert await street.scalar("SELECT count(*) FROM intake.reports WHERE recorded IS NULL") == 1200
    assert await street.scalar("SELECT min(submitted_at) > now() - interval '1 hour' FROM intake.reports")


async def test_bad_rows_stand_in_a_file(street: Street, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(file, line(1), line(2, when="昨天"), line(3, ok="x"), line(1), line(4, no="=1+1", when=""))
    await run(street, file)
    with file.with_name("cases.csv.errors.csv").open(encoding="utf-8-sig", newline="") as handle:
        found = [(row["line"], row["field"], row["code"]) for row in csv.DictReader(handle)]
    assert found == [
        ("3", "when", "not_a_time"),
        ("4", "ok", "not_a_flag"),
        ("5", "no", "id_twice"),
        ("6", "when", "missing"),
    ]
    assert "refused       │ 4" in capsys.readouterr().out
    assert await street.count("reports") == 1


async def test_goes_on_where_it_was_stopped(
    street: Street, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stop(BaseException):
        pass

    told: list[int] = []
    settle = Importer._settle

    async def once(self: Importer, chunk: list[object], job: Job) -> Job:
        if told:
            raise Stop
        told.append(len(chunk))
        return await settle(self, chunk, job)  # type: ignore[arg-type]

    monkeypatch.setattr(Importer, "_settle", once)
    with pytest.raises(Stop):
        await run(street, file)
    assert await street.count("reports") == 500
    monkeypatch.setattr(Importer, "_settle", settle)
    await run(street, file)
    said = capsys.readouterr().out
    assert "accepted      │ 1200" in said
    assert "already there │ 0" in said
    assert await street.count("reports") == 1200
    assert await street.scalar("SELECT count(*) FROM intake.import_jobs WHERE finished_at IS NOT NULL") == 1


async def test_changed_row_is_refused(street: Street, file: Path) -> None:
    write(file, line(1))
    await run(street, file)
    write(file, line(1, street="105"), line(2))
    await run(street, file)
    assert "changed_since" in file.with_name("cases.csv.errors.csv").read_text("utf-8-sig")
    assert await street.count("reports") == 2


async def test_one_at_a_time(database: Database) -> None:
    async with alone(database):
        with pytest.raises(JobRunning):
            async with alone(database):
                pass


async def test_only_live_events_make_it_wait(street: Street, file: Path) -> None:
    await run(street, file)
    async with street.db.transaction() as tx:
        await tx.execute(sa.text("UPDATE intake.outbox SET created_at = created_at - interval '1 minute'"))
        assert await live_wait_s(tx) == 0
        await tx.execute(sa.text("UPDATE intake.reports SET import_job = NULL WHERE source_event_id = 'example:9'"))
        assert await live_wait_s(tx) > 59
        assert (await stamp(Within(tx), 2)).numbers[0] > 1200


async def test_a_trial_tells_of_every_row_and_writes_nothing(
    street: Street, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(file, line(1))
    await run(street, file)
    write(file, line(1), line(2), line(3, when="昨天"))
    capsys.readouterr()
    mapping = read_mapping(file.with_name("mapping.toml"))
    await command._on_trial(street.db, file, mapping, Clocks.HISTORY, "utf-8", Labels("zh-CN"))
    said = capsys.readouterr()
    told = [(row["line"], row["outcome"], row["field"]) for row in csv.DictReader(said.out.splitlines())]
    assert told == [("2", "known", ""), ("3", "accepted", ""), ("4", "refused", "when")]
    assert "accepted 1, known 1, refused 1; nothing was written" in said.err
    write(file, line(1, street="105"))
    await command._on_trial(street.db, file, mapping, Clocks.HISTORY, "utf-8", Labels("en-US"))
    (row,) = csv.DictReader(capsys.readouterr().out.splitlines())
    assert (row["outcome"], row["reason"]) == ("refused", Labels("en-US").text("import.reason.changed_since"))
    assert await street.count("reports") == 1
    assert await street.count("import_jobs") == 1, "the trial has none"
    assert not file.with_name("cases.csv.errors.csv").exists()


async def test_mappings_are_kept_by_name(street: Street, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = file.with_name("mapping.toml")
    own.write_text(MAPPING, "utf-8")
    with pytest.raises(saved.Stopped, match="none is saved"):
        await saved.find(street.db, "每月")
    with pytest.raises(saved.Stopped):
        await saved.keep(street.db, "../x", MAPPING)
    await saved.keep(street.db, "每月", MAPPING)
    await saved.keep(street.db, "每月", MAPPING + "# again\n")
    capsys.readouterr()
    by_name, by_file = await saved.find(street.db, "每月"), await saved.find(street.db, str(own))
    assert by_name[0] == by_file[0]
    await saved.show(street.db, None)
    await saved.show(street.db, "每月")
    said = capsys.readouterr().out
    assert said.startswith("每月\t20")
    assert said.endswith("# again\n")
    with pytest.raises(saved.Stopped, match="每月"):
        await saved.find(street.db, "每周")


async def test_a_workbook_comes_in_and_its_refused_rows_stand_in_one(street: Street, tmp_path: Path) -> None:
    names = HEADER.split(",")
    book = Workbook()
    for cells in (
        names,
        line(1).split(","),
        line(2, when="昨天").split(","),
        line(3, when="2018年2月8日16时3分").split(","),
    ):
        book.active.append(cells)
    book.save(tmp_path / "cases.xlsx")
    mapping_file = tmp_path / "mapping.toml"
    mapping_file.write_text(MAPPING, "utf-8")
    bad = BadRows(tmp_path / "cases.xlsx.errors.xlsx", Labels("zh-CN"))
    mapping = read_mapping(mapping_file)
    await command._with_database(street.db, tmp_path / "cases.xlsx", mapping, Clocks.HISTORY, "xlsx", bad)
    assert await street.count("reports") == 2
    (_, row) = load_workbook(bad.path).active.iter_rows(values_only=True)
    assert (row[0], row[1], row[len(names)], row[len(names) + 1]) == ("2", "昨天", "3", "when")
