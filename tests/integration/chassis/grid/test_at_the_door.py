"""Every `grid` command where nothing runs, with words it does not take and with files it cannot read.

No traceback: a line or two that say what is wrong, and the exit code that `grid --help` promises.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from services.chassis.grid import command, owned
from services.chassis.supervisor.settings import CHECKOUT
from services.intake.imports import command as imports
from tests.support.stand import free_ports

FAILED, USAGE, ABSENT = 1, 2, 3
MOMENTS = ("--from", "2026-11-01", "--to", "2026-11-02")
MAPPING = str(CHECKOUT / "deploy" / "import" / "pingshan.toml")


NOTHING_RUNS = (
    "stop",
    "status",
    "status --json",
    "restart",
    "restart dispatch-worker*",
    "migrate",
    "accounts",
    "accounts --json",
    "topics apply",
    "topics check",
    "topics grow --partitions 24",
    "token create --role IC",
    "token create --open311",
    "token revoke 0",
    "replay list",
    "replay show",
    "replay show dispatch 1",
    "replay letter dispatch 1",
    "replay letters dispatch --all",
    "replay give-up dispatch 1 --why x",
    "replay discard dispatch --why x --all",
    "replay pass-over dispatch grid/intake grid.report.v1 k 1",
    "replay missing dispatch --all",
    f"replay outbox dispatch {' '.join(MOMENTS)}",
    "audit verify",
    "import few --mapping mapping",
    "import --list-mappings",
    "partner list",
    "partner add city --source platform_push",
    "partner rotate city",
    "partner remove city",
    "calendar show",
    "calendar recompute",
    "cells show",
    "cells check few",
    "cells load few",
    "places check few",
    "places load few",
    "feed",
    "feed --reports 1",
    "count",
    "count --by street --csv",
    "rulebook what-if book --since 2026-10-01",
)
WRONG_WORDS = (
    ("nonsense", "nonsense"),
    ("up --once", "--once"),
    ("stop --wait soon", "--wait"),
    ("restart --all", "--all"),
    ("status now", "now"),
    ("migrate --phase mid", "mid"),
    ("topics", "apply"),
    ("topics grow", "--partitions"),
    ("topics grow --partitions 0", "--partitions"),
    ("token create", "--role"),
    ("token create --role XX", "XX"),
    ("token create --role IC --open311", "--open311"),
    ("token revoke", "token_id"),
    ("replay list nobody", "service"),
    ("replay show dispatch nonsense", "number"),
    ("replay letter dispatch one", "number"),
    ("replay letters dispatch", "--all"),
    ("replay discard dispatch", "--why"),
    ("replay outbox dispatch --from yesterday --to today", "--from"),
    ("audit", "verify"),
    ("rulebook check absent", "absent"),
    ("rulebook check folder", "folder"),
    ("rulebook check --calendars absent", "absent"),
    ("rulebook explain --at noon", "--at"),
    ("rulebook explain --nature none", "--nature"),
    ("rulebook what-if", "NEW.toml"),
    ("rulebook what-if book --since noon", "noon"),
    ("rulebook what-if book --since 2026-10-01 --limit-listed -1", "-1"),
    ("import absent --mapping mapping", "absent"),
    ("import folder --mapping mapping", "folder"),
    ("import few --clock never", "--clock"),
    ("partner", "rotate"),
    ("partner add", "name"),
    ("partner add City --source platform_push", "City"),
    ("partner add city", "--source"),
    ("partner nonsense", "nonsense"),
    ("calendar", "verb"),
    ("calendar load", "file"),
    ("cells check few --from noon", "noon"),
    ("cells check few --crs moon", "moon"),
    ("places load", "file"),
    ("feed --per-minute often", "often"),
    ("feed --per-minute 0", "'0'"),
    ("feed --minutes -1", "'-1'"),
    ("feed --reports 0", "'0'"),
    ("feed --pace nan", "'nan'"),
    ("count --by colour", "colour"),
    ("count --by ,", "--by"),
    ("doctor now", "now"),
    ("platform-sim --port 70000", "--port"),
    ("platform-sim --mode sad", "--mode"),
    ("platform-sim --secret short", "--secret"),
    ("platform-sim --hand-over http://127.0.0.1:1/", "--hand-over-secret"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


Grid = Callable[..., Said]


def _code(end: SystemExit) -> int:
    assert isinstance(end.code, int)
    return end.code


class InThisProcess:
    """Stands for the process of a service's command: the same words and the same environment, without its start."""

    def __init__(self, words: Sequence[str], env: Mapping[str, str]) -> None:
        self.module, self.words, self.env = words[2], list(words[3:]), env

    def wait(self) -> int:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.env.items():
                patch.setenv(name, value)
            patch.setattr(imports, "configure_logging", lambda *_: None)
            try:
                return int(importlib.import_module(f"{self.module}.__main__").main(self.words))
            except SystemExit as end:
                return _code(end)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Files to name: absent, a folder, bytes that are text in no encoding, a good rulebook."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "noise.toml").write_bytes(b"\xff\xfe\x00\x81\xff noise")
    (tmp_path / "few.csv").write_text("a,b\n1,2\n")
    book = CHECKOUT / "deploy" / "rulebooks" / "fengcheng.toml"
    names = {"absent": "absent.csv", "folder": "folder", "noise": "noise.toml", "few": "few.csv"}
    return {key: str(tmp_path / name) for key, name in names.items()} | {"book": str(book), "mapping": MAPPING}


@pytest.fixture
def grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Grid:
    """Runs a command on a GRID_HOME where nothing has ever run."""
    monkeypatch.setenv("GRID_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GRID_KAFKA_PORT", str(free_ports(1)[0]))
    for name in ("DATABASE_URL", "DATABASE_DIRECT_URL", "KAFKA_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(owned, "subprocess", SimpleNamespace(Popen=InThisProcess))
    monkeypatch.setattr(owned, "signal", SimpleNamespace(SIGTERM=None, signal=lambda *_: None))

    def run(*words: str) -> Said:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["grid", *words])
        try:
            command.main()
            code = 0
        except SystemExit as end:
            code = _code(end)
        return Said(code, *capsys.readouterr())

    return run


@pytest.mark.parametrize("words", NOTHING_RUNS)
def test_nothing_runs(grid: Grid, files: Mapping[str, str], words: str) -> None:
    said = grid(*(files.get(word, word) for word in words.split()))
    assert said.code == ABSENT, said
    assert said.out == ""
    assert said.err.strip().rpartition("\n")[2].startswith("grid"), said
    assert "Traceback" not in said.err
    assert "sqlalche.me" not in said.err
    assert len(said.err) < 600


@pytest.mark.parametrize(("words", "told"), WRONG_WORDS)
def test_wrong_words(
    grid: Grid, files: Mapping[str, str], words: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")  # none is started to ask it
    said = grid(*(files.get(word, word) for word in words.split()))
    assert said.code == USAGE, said
    assert told in said.out + said.err
    assert "Traceback" not in said.err
    assert "python -m" not in said.err


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ("rulebook check noise", "noise"),
        ("rulebook explain noise", "noise"),
        ("rulebook what-if absent --since 2026-10-01 --calendars folder", "absent"),
        ("rulebook what-if noise --since 2026-10-01 --calendars folder", "noise"),
        ("rulebook what-if book --since 2026-10-01 --calendars folder", "folder"),
        ("calendar load absent", "absent"),
        ("calendar check folder", "folder"),
        ("calendar check noise", "noise"),
    ],
)
def test_files_that_cannot_be_read(
    grid: Grid, files: Mapping[str, str], words: str, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")  # none is started to ask it
    said = grid(*(files.get(word, word) for word in words.split()))
    assert said.code == FAILED, said
    assert len(said.err.strip().splitlines()) == 1
    assert Path(files[file]).name in said.err
    assert "codec" not in said.err
    assert "Errno" not in said.err


def test_no_command_is_forgotten() -> None:
    asked = [words.split() for words in (*NOTHING_RUNS, *(words for words, _ in WRONG_WORDS))]
    assert [
        path for path in _leaves(typer.main.get_command(command.app)) if not any(w[: len(path)] == path for w in asked)
    ] == []


def _leaves(group: TyperGroup | TyperCommand, path: Sequence[str] = ()) -> Iterator[list[str]]:
    if not isinstance(group, TyperGroup):
        yield list(path)
        return
    for name, one in group.commands.items():
        yield from _leaves(one, (*path, name))


def test_a_matter_that_the_rulebook_does_not_know(grid: Grid) -> None:
    said = grid("rulebook", "explain", "--category", "9999")
    assert said.code == FAILED
    assert "9999" in said.err


def test_a_service_of_its_own_process_says_the_same(tmp_path: Path) -> None:
    env = {"GRID_HOME": str(tmp_path / "home"), "PATH": "", "PYTHONPATH": str(CHECKOUT)}
    asked = [sys.executable, "-m", "services.chassis.grid", "count"]
    said = subprocess.run(asked, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == ABSENT, said
    assert said.stderr.startswith("grid count: ")
    assert str(tmp_path / "home") in said.stderr
    assert said.stderr.count("\n") == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    "words",
    ["cells check folder", "cells load absent", "cells check noise", "places check noise", "places load folder"],
)
async def test_files_that_are_read_with_the_street_at_hand(
    grid: Grid, files: Mapping[str, str], words: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anyio.to_thread import run_sync

    monkeypatch.setenv("DATABASE_URL", database_url)
    said = await run_sync(lambda: grid(*(files.get(word, word) for word in words.split())))
    assert said.code == FAILED, said
    assert "codec" not in said.err
    assert "Errno" not in said.err
    assert "Traceback" not in said.err
    assert Path(files[words.split()[-1]]).name in said.err
