"""`grid cells` and `grid places` as people type them: every fault in words, nothing loaded while one is left."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from services.chassis.coordinates import wgs84_to_gcj02
from services.chassis.directory.areas import day_of
from services.chassis.serve import ExitCode
from services.chassis.telemetry import Metrics
from services.dispatch.__main__ import _parser
from services.dispatch.areas import run_cells, run_places
from services.dispatch.usecases.ground import Ground
from tests.integration.dispatch.conftest import Street
from tests.support.areas import Feature, collection, middle, shifted
from tests.support.sample import SAMPLE

pytestmark = pytest.mark.anyio
CELLS: list[Feature] = json.loads((SAMPLE / "cells.geojson").read_text("utf-8"))["features"]
Run = Callable[..., Awaitable[int]]


@pytest.fixture
def run(street: Street) -> Run:
    base = Ground(street.db, street.cache, street.ids, Metrics("test"))

    async def command(*words: str) -> int:
        asked = _parser().parse_args(words)
        return await (run_cells if asked.command == "cells" else run_places)(base, asked)

    return command


async def test_cells_are_checked_loaded_and_shown(
    run: Run, street: Street, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cells.geojson"
    file.write_text(collection([*CELLS, CELLS[0]]))
    assert await run("cells", "check", str(file)) == ExitCode.FAILED
    told = capsys.readouterr().err
    assert "编码重复" in told
    assert "重叠" in told
    assert "2 faults, nothing was loaded" in told

    file.write_text(collection(shifted(CELLS, wgs84_to_gcj02)))
    assert await run("cells", "load", str(file), "--lang", "en-US") == ExitCode.FAILED
    told = capsys.readouterr().err
    assert re.search(r"looks like GCJ-02: shifted [4-7]\d\d m", told)
    assert "Load with --crs gcj02" in told
    assert await run("cells", "check", str(file), "--crs", "gcj02") == ExitCode.OK

    tomorrow = day_of(await street.now()) + timedelta(days=1)
    file.write_text(collection([feature for feature in CELLS if feature is not CELLS[10]]))
    day = ("--from", tomorrow.isoformat())
    assert await run("cells", "load", str(file), *day) == ExitCode.FAILED
    assert "--allow" in capsys.readouterr().err
    allowed = ("--allow", "gap", "--allow", "lost_ground")
    assert await run("cells", "load", str(file), *day, *allowed) == ExitCode.OK
    done = capsys.readouterr()
    assert "44 cells hold from" in done.out
    assert "1 ended" in done.out
    assert done.err, "what was let pass is told all the same"
    assert await run("cells", "show") == ExitCode.OK
    assert tomorrow.isoformat() in capsys.readouterr().out
    assert await run("cells", "check", str(tmp_path / "none.geojson")) == ExitCode.FAILED


async def test_places_are_checked_and_loaded_in_the_encoding_of_a_spreadsheet(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, (lng, lat) = tmp_path / "places.csv", middle(CELLS[0])
    lines = ["名称,类型,经度,纬度", f"钟楼,地标,{lng},{lat}", f"单家桥,桥,{lng},{lat}", "无处,小区,,"]
    file.write_text("\n".join(lines), "gb18030")
    assert await run("places", "load", str(file)) == ExitCode.FAILED
    told = capsys.readouterr().err.splitlines()
    assert [line.split(" ", 2)[0] for line in told[:2]] == ["#3", "#4"]
    file.write_text("\n".join(lines[:2]), "gb18030")
    assert await run("places", "check", str(file)) == ExitCode.OK
    assert await run("places", "load", str(file)) == ExitCode.OK
    assert "1 places new or changed" in capsys.readouterr().out
