"""Notes that a part's end was asked for: the supervisor then starts it again at once and counts no failure."""

from __future__ import annotations

from pathlib import Path


def ask(home: Path, part: str, pid: int) -> None:
    """Leave the note before the process is told to end. OSError where nothing can be written."""
    note = _note(home, part)
    note.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    note.write_text(str(pid))


def was_asked(home: Path, part: str, pid: int) -> bool:
    """Whether somebody asked for the end of this very process; the note is used up."""
    note = _note(home, part)
    try:
        meant = note.read_text()
        note.unlink()
    except FileNotFoundError:
        return False
    return meant == str(pid)


def _note(home: Path, part: str) -> Path:
    return home / "run" / "asked" / part
