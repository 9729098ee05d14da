"""What a person at the terminal reads: the supervisor's own lines, and what parts write that matters."""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path
from typing import TextIO

from services.chassis.clock import monotonic

LOUD = ("error", "critical")
RETRIED = ("aiokafka", "faust.transport.drivers.aiokafka")
"""Loggers of libraries that call every retry an error."""
PLAIN_MARKS = ("Traceback (most recent call last)", "PANIC", "OutOfMemoryError")
LINES_PER_WINDOW = 6
WINDOW = 10.0
ROTATE_AT = 32 * 1024 * 1024
READ_AT_MOST = 256 * 1024


class Console:
    """Lines with the part's name in front; colour only on a terminal. A reader who went away is no reason to stop."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._colour = self._out.isatty()

    def line(self, name: str, text: str, loud: bool = False) -> None:
        """Write `text`, each of its lines behind the name."""
        for row in text.splitlines() or [""]:
            head = f"{name:<18}│ "
            if self._colour:
                head = f"\x1b[{'31' if loud else '36'}m{head}\x1b[0m"
            self._write(f"{head}{row}\n")

    def _write(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except BrokenPipeError:
            self._out = io.StringIO()


class LogWatch:
    """Follows one part's log: shows loud lines, a few per window, and keeps the file from growing without end."""

    def __init__(self, name: str, log: Path, console: Console) -> None:
        self._name = name
        self._log = log
        self._console = console
        self._at = log.stat().st_size if log.exists() else 0
        self._shown = 0
        self._window_began = monotonic()

    def look(self) -> None:
        """Read what is new."""
        if not self._log.exists():
            return
        size = self._log.stat().st_size
        if size < self._at:
            self._at = 0
        if size > self._at:
            with self._log.open("rb") as file:
                file.seek(max(self._at, size - READ_AT_MOST))
                text = file.read(size - file.tell()).decode("utf-8", "replace")
            self._at = size
            self._show([line for line in text.splitlines() if important(line)])
        if size > ROTATE_AT:
            rotate(self._log)
            self._at = 0

    def _show(self, lines: list[str]) -> None:
        if monotonic() - self._window_began > WINDOW:
            self._window_began, self._shown = monotonic(), 0
        room = max(0, LINES_PER_WINDOW - self._shown)
        for line in lines[:room]:
            self._console.line(self._name, readable(line), loud=True)
        if len(lines) > room and self._shown <= LINES_PER_WINDOW:
            self._console.line(self._name, f"… {len(lines) - room} more in {self._log}", loud=True)
            self._shown = LINES_PER_WINDOW
        self._shown += len(lines)


def important(line: str) -> bool:
    """Whether a log line is worth a person's eye: errors in JSON logs, known marks in plain ones."""
    if line.startswith("{"):
        record = _record(line)
        return str(record.get("level", "")).lower() in LOUD and not str(record.get("logger", "")).startswith(RETRIED)
    return any(mark in line for mark in PLAIN_MARKS)


def readable(line: str) -> str:
    """One line for people from a JSON log record; other lines as they are."""
    record = _record(line)
    if not record:
        return line[:300]
    told = record.get("event") or record.get("message") or ""
    error = record.get("exception") or record.get("error") or ""
    last = str(error).strip().splitlines()[-1:] if error else []
    return " · ".join([str(told), *last])[:300]


def rotate(log: Path) -> None:
    """Keep one older log. The writer appends, so emptying the file under it is safe."""
    shutil.copyfile(log, log.with_suffix(".log.1"))
    with log.open("r+b") as file:
        file.truncate(0)


def _record(line: str) -> dict[str, object]:
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
