"""Which log lines a person at the terminal sees, and that logs do not grow without end."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from services.chassis.supervisor import console as module
from services.chassis.supervisor.console import Console, LogWatch, important, readable


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (json.dumps({"level": "error", "event": "x"}), True),
        (json.dumps({"level": "critical", "event": "x"}), True),
        (json.dumps({"level": "warning", "event": "x"}), False),
        (json.dumps({"level": "error", "event": "x", "logger": "aiokafka.conn"}), False),
        (json.dumps({"level": "error", "event": "x", "logger": "faust.transport.drivers.aiokafka"}), False),
        ("Traceback (most recent call last):", True),
        ("2026-11-22 PANIC:  could not write", True),
        ("plain chatter", False),
        ('{"broken": ', False),
    ],
)
def test_only_what_matters_is_shown(line: str, shown: bool) -> None:
    assert important(line) is shown


def test_a_record_is_one_readable_line() -> None:
    assert (
        readable(json.dumps({"event": "part_failed", "exception": "Traceback\n  …\nOSError: no"}))
        == "part_failed · OSError: no"
    )


def test_a_flood_is_cut_and_counted(tmp_path: Path) -> None:
    out, log = io.StringIO(), tmp_path / "a.log"
    watch = LogWatch("a", log, Console(out))
    log.write_text("".join(json.dumps({"level": "error", "event": f"e{n}"}) + "\n" for n in range(50)))
    watch.look()
    lines = out.getvalue().splitlines()
    assert len(lines) == module.LINES_PER_WINDOW + 1
    assert "44 more" in lines[-1]


def test_what_was_there_before_is_not_shown_again(tmp_path: Path) -> None:
    out, log = io.StringIO(), tmp_path / "a.log"
    log.write_text(json.dumps({"level": "error", "event": "old"}) + "\n")
    watch = LogWatch("a", log, Console(out))
    watch.look()
    assert out.getvalue() == ""


def test_a_large_log_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROTATE_AT", 100)
    log = tmp_path / "a.log"
    watch = LogWatch("a", log, Console(io.StringIO()))
    with log.open("ab") as writer:
        writer.write(b"x" * 200 + b"\n")
        writer.flush()
        watch.look()
        writer.write(b"after\n")
    assert log.read_bytes() == b"after\n"
    assert (tmp_path / "a.log.1").stat().st_size == 201


def test_a_reader_that_went_away_is_no_reason_to_stop() -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    console = Console(Gone())
    console.line("a", "one")
    console.line("a", "two")
