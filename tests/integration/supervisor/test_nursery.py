"""Parts born by fork: own environment and log, children of the supervisor, and no need of the nursery afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis.engines import Launch
from services.chassis.supervisor.nursery import Child, Forked, Nursery

PART = """
import json, os, sys, time
print(json.dumps({"argv": sys.argv[1:], "env": os.environ.get("WHO"), "parent": os.getppid(), "cwd": os.getcwd(),
                  "session": os.getsid(0) == os.getpid(), "name": __name__, "shared": "fractions" in sys.modules}))
sys.stdout.flush()
if sys.argv[1] == "sleep":
    time.sleep(600)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "part.py").write_text(PART)
    return tmp_path


@pytest.fixture
def nursery(folder: Path) -> Iterator[Nursery]:
    made = Nursery(["fractions"], folder, dict(os.environ), folder)
    made.start()
    made.await_ready()
    yield made
    made.stop()


def launch(folder: Path, word: str) -> Launch:
    env = {**os.environ, "WHO": "a part"}
    return Launch((sys.executable, "-m", "part", word), env, folder, death_signal=signal.SIGTERM)


def told(log: Path) -> dict[str, object]:
    deadline = time.monotonic() + 60
    while not (log.exists() and log.read_text().endswith("\n")):
        assert time.monotonic() < deadline, log.read_text() if log.exists() else "no log"
        time.sleep(0.01)
    answer: dict[str, object] = json.loads(log.read_text().splitlines()[-1])
    return answer


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_forked_part_is_a_process_like_any_other(nursery: Nursery, folder: Path) -> None:
    child = nursery.spawn(launch(folder, "7"), folder / "part.log")
    assert isinstance(child, Forked)
    assert child.wait() == 7
    assert child.poll() == 7
    assert told(folder / "part.log") == {
        "argv": ["7"],
        "env": "a part",
        "parent": os.getpid(),
        "cwd": str(folder),
        "session": True,
        "name": "__main__",
        "shared": True,
    }


def test_signals_reach_it_and_its_end_is_told(nursery: Nursery, folder: Path) -> None:
    child = nursery.spawn(launch(folder, "sleep"), folder / "part.log")
    told(folder / "part.log")
    assert child.poll() is None
    child.send_signal(signal.SIGTERM)
    assert child.wait() == -signal.SIGTERM
    child.send_signal(signal.SIGTERM)


def test_it_lives_on_without_the_nursery_and_the_next_one_starts_all_the_same(nursery: Nursery, folder: Path) -> None:
    first = nursery.spawn(launch(folder, "sleep"), folder / "first.log")
    told(folder / "first.log")
    assert nursery._process is not None
    os.kill(nursery._process.pid, signal.SIGKILL)
    nursery._process.wait()
    second: Child = nursery.spawn(launch(folder, "sleep"), folder / "second.log")
    assert told(folder / "second.log")["env"] == "a part"
    assert first.poll() is None
    nursery.await_ready()
    third = nursery.spawn(launch(folder, "3"), folder / "third.log")
    assert isinstance(third, Forked)
    assert third.wait() == 3
    for child in (first, second):
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL


def test_what_does_not_import_is_left_to_the_part_itself(folder: Path) -> None:
    nursery = Nursery(["no_such_module_anywhere"], folder, dict(os.environ), folder)
    nursery.start()
    nursery.await_ready()
    try:
        assert nursery.spawn(launch(folder, "0"), folder / "part.log").wait() == 0
    finally:
        nursery.stop()
    assert "no_such_module_anywhere" in (folder / "logs" / "nursery.log").read_text()


def test_forked_parts_die_with_the_supervisor(folder: Path) -> None:
    program = folder / "boss.py"
    program.write_text(
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from services.chassis.engines import Launch\n"
        "from services.chassis.supervisor.nursery import Nursery\n"
        "here = Path(sys.argv[1])\n"
        "nursery = Nursery([], here, dict(os.environ), here)\n"
        "nursery.start(); nursery.await_ready()\n"
        "launch = Launch((sys.executable, '-m', 'part', 'sleep'), dict(os.environ), here)\n"
        "child = nursery.spawn(launch, here / 'part.log')\n"
        "print(type(child).__name__, child.pid, nursery._process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    boss = subprocess.Popen([sys.executable, str(program), str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert boss.stdout is not None
        kind, *pids = boss.stdout.readline().split()
        assert kind == "Forked"
        told(folder / "part.log")
        assert all(alive(int(pid)) for pid in pids)
    finally:
        boss.kill()
        boss.wait()
        boss.stdout.close()  # type: ignore[union-attr]
    deadline = time.monotonic() + 60
    while any(alive(int(pid)) for pid in pids):
        assert time.monotonic() < deadline, "a process outlived its supervisor"
        time.sleep(0.02)
