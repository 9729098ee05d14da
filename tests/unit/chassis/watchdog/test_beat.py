"""Heartbeats: what is sent is what is heard, in a form systemd takes too, and nobody waits for anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.chassis.watchdog.beat import BadBeat, Beat
from services.chassis.watchdog.herald import Herald, message, read_message, status_line
from services.chassis.watchdog.rules import Rule, Verdict

BEATS = [
    Beat(190),
    Beat(190, serving=False, waits_for="the database"),
    Beat(700, verdict=Verdict(Rule.MEMORY, "700 MB of memory, 600 are allowed")),
]


@pytest.mark.parametrize("beat", BEATS)
def test_what_is_sent_is_heard(beat: Beat) -> None:
    assert read_message(message(beat).encode()) == beat


@pytest.mark.parametrize(
    "datagram",
    [b"", b"WATCHDOG=1\n", b"X_GRID_BEAT=\n", b"X_GRID_BEAT=7\n", b'X_GRID_BEAT={"verdict":1}\n', b"\xff\xfe",
     b'X_GRID_BEAT={"rss_mb":1,"verdict":{"rule":"bored","told":""}}\n', b'X_GRID_BEAT={"colour":1,"verdict":null}\n'],
)  # fmt: skip
def test_what_is_no_heartbeat_is_refused(datagram: bytes) -> None:
    with pytest.raises(BadBeat):
        read_message(datagram)


def test_a_process_that_is_well_says_so_to_systemd_and_a_condemned_one_does_not() -> None:
    assert ["WATCHDOG=1" in message(beat).splitlines() for beat in BEATS] == [True, True, False]
    assert status_line(BEATS[1]) == "waiting for the database, 190 MB"


def test_a_file_is_touched_until_the_verdict(tmp_path: Path) -> None:
    file = tmp_path / "beat"
    herald = Herald(None, file)
    herald.send(BEATS[2])
    assert not file.exists()
    herald.send(BEATS[0])
    assert file.exists()
    first = file.stat().st_mtime_ns
    herald.send(BEATS[0])
    assert file.stat().st_mtime_ns >= first


def test_nobody_who_listens_and_a_folder_that_is_gone_hold_nobody_up(tmp_path: Path) -> None:
    Herald(None, tmp_path / "no" / "folder").send(BEATS[0])
    Herald(None, None).send(BEATS[0])
