"""Files: only old ones go, and never one that is named or written in that moment."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

from services.chassis.pictures.shelf import old_files, publish, remove_old

OLD, LINE, NEW = 1_000.0, 2_000.0, 3_000.0


def a_file(path: Path, written: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    os.utime(path, (written, written))
    return path


def test_old_files_are_found_wherever_they_lie(tmp_path: Path) -> None:
    a_file(tmp_path / "a" / "b" / "old.jpg", OLD)
    a_file(tmp_path / "a" / "b" / "new.jpg", NEW)
    a_file(tmp_path / ".old.jpg.new", OLD)
    (tmp_path / "link").symlink_to(tmp_path / "a" / "b" / "old.jpg")
    assert sorted(old_files(tmp_path, LINE)) == [".old.jpg.new", "a/b/old.jpg"]
    assert list(old_files(tmp_path / "nowhere", LINE)) == []


def test_only_an_old_file_goes(tmp_path: Path) -> None:
    old, new = a_file(tmp_path / "old", OLD), a_file(tmp_path / "new", NEW)
    assert remove_old(old, LINE)
    assert not remove_old(new, LINE)
    assert not remove_old(old, LINE), "it is gone already"
    assert (old.exists(), new.exists()) == (False, True)


def test_a_file_that_is_being_written_stays(tmp_path: Path) -> None:
    old = a_file(tmp_path / "old", OLD)
    with old.open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert not remove_old(old, LINE)
    assert remove_old(old, LINE)


def test_a_name_given_anew_is_never_taken_for_the_old_file(tmp_path: Path) -> None:
    """Remover and namer at the same file, over and over: what was named last is there at the end of each round."""
    target = tmp_path / "photo.jpg"
    for n in range(200):
        a_file(target, OLD)
        written = tmp_path / f".{n}"
        written.write_bytes(b"new")
        remover = threading.Thread(target=remove_old, args=(target, LINE))
        remover.start()
        publish(written, target)
        remover.join()
        assert target.read_bytes() == b"new"
