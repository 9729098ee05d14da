"""The supervisor with tiny parts: order, restart, naming, stopping, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.chassis.engines import EngineFailed, Launch
from services.chassis.grid.restart import Restart
from services.chassis.supervisor import runner as runner_module
from services.chassis.supervisor import supervisor as supervisor_module
from services.chassis.supervisor.asked import ask
from services.chassis.supervisor.console import Console
from services.chassis.supervisor.lock import AlreadyRunning, HomeLock, holder
from services.chassis.supervisor.part import Part
from services.chassis.supervisor.probes import quick
from services.chassis.supervisor.status import Status, read_status
from services.chassis.supervisor.supervisor import Supervisor

SLEEPER = "import time; time.sleep(600)"


def python(name: str, code: str, home: Path, **more: object) -> Part:
    """A part that runs a few lines of Python."""
    return Part(
        name=name,
        launch=lambda: Launch((sys.executable, "-S", "-c", code), {"HOME": str(home)}, home),
        **more,  # type: ignore[arg-type]
    )


def alive(pid: int) -> bool:
    """Whether the process still runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a condition; fail loudly."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition is another process's
            await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "LONGEST_PAUSE", 0.1)


def supervisor(parts: list[Part], home: Path) -> tuple[Supervisor, io.StringIO]:
    out = io.StringIO()
    return Supervisor(parts, home, Console(out), Status(supervisor=os.getpid())), out


def run_until(parts: list[Part], home: Path, act: Callable[[Supervisor], object]) -> tuple[int, str]:
    """Run the supervisor, do `act` once everything is ready, answer exit code and console."""
    boss, out = supervisor(parts, home)

    async def ready() -> int | None:
        result = act(boss)
        if asyncio.iscoroutine(result):
            result = await result
        return result if isinstance(result, int) else 0

    async def whole() -> int:
        async with asyncio.timeout(30):
            return await boss.run(ready)

    return asyncio.run(whole()), out.getvalue()


def test_parts_start_after_what_they_need_and_one_shots_end_first(tmp_path: Path) -> None:
    note = tmp_path / "order"
    write = "open({0!r}, 'a').write({1!r})"
    parts = [
        python("serve", write.format(str(note), "serve ") + ";" + SLEEPER, tmp_path, needs=("prepare",)),
        python("prepare", "import time; time.sleep(0.2);" + write.format(str(note), "prepare "), tmp_path, once=True),
    ]
    code, _ = run_until(parts, tmp_path, lambda _: until(lambda: note.read_text().count(" ") == 2))
    assert code == 0
    assert note.read_text() == "prepare serve "


def test_ready_is_what_the_probe_says(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    code = f"import time; time.sleep(0.3); open({str(flag)!r}, 'w').close(); {SLEEPER}"
    seen: list[bool] = []
    run_until(
        [python("slow", code, tmp_path, probe=quick(flag.exists))], tmp_path, lambda _: seen.append(flag.exists())
    )
    assert seen == [True]


def test_a_crashed_part_comes_back_with_another_pid_and_is_counted(tmp_path: Path) -> None:
    async def crash(boss: Supervisor) -> int:
        runner = boss.runners["a"]
        first = runner.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: runner.pid not in (None, first))
        status = read_status(tmp_path)
        assert status is not None
        assert status.parts["a"].restarts == 1
        return 0

    code, out = run_until([python("a", SLEEPER, tmp_path)], tmp_path, crash)
    assert code == 0
    assert "killed by SIGKILL" in out


def test_a_part_that_keeps_failing_is_named_with_its_last_lines(tmp_path: Path) -> None:
    parts = [
        python("good", SLEEPER, tmp_path),
        python("bad", "print('the reason'); raise SystemExit(70)", tmp_path, awaited=False),
    ]
    code, out = run_until(parts, tmp_path, lambda boss: until(lambda: boss.runners["bad"].restarts >= 4))
    assert code == 0
    assert out.count("keeps failing (exit code 70, 3 times)") == 1
    assert "the reason" in out


def test_a_vital_part_that_cannot_start_ends_the_start(tmp_path: Path) -> None:
    parts = [
        python("migrate", "print('no such table'); raise SystemExit(2)", tmp_path, once=True, vital=True),
        python("serve", SLEEPER, tmp_path, needs=("migrate",)),
    ]
    code, out = run_until(parts, tmp_path, lambda _: 0)
    assert code == 1
    assert "migrate cannot start (exit code 2)" in out
    assert "no such table" in out


def test_a_failed_preparation_is_told_in_its_own_words(tmp_path: Path) -> None:
    def refuse() -> None:
        raise EngineFailed("port 19092 is taken")

    code, out = run_until([python("kafka", SLEEPER, tmp_path, vital=True, prepare=refuse)], tmp_path, lambda _: 0)
    assert code == 1
    assert "port 19092 is taken" in out


def test_a_failed_settling_leaves_no_process(tmp_path: Path) -> None:
    pids: list[int] = []

    def refuse() -> None:
        pids.extend(runner.pid for runner in boss.runners.values() if runner.pid)
        raise EngineFailed("no roles")

    boss, _ = supervisor([python("db", SLEEPER, tmp_path, vital=True, settle=refuse)], tmp_path)
    assert asyncio.run(boss.run()) == 1
    assert pids
    assert not any(alive(pid) for pid in pids)


def test_stopping_kills_what_ignores_sigterm_and_what_it_started(tmp_path: Path) -> None:
    child = tmp_path / "child"
    stubborn = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"p = subprocess.Popen([sys.executable, '-S', '-c', {SLEEPER!r}]);"
        f"open({str(child)!r}, 'w').write(str(p.pid)); time.sleep(600)"
    )
    part = python("stubborn", stubborn, tmp_path, stop_steps=((signal.SIGTERM, 0.3),))
    pids: list[int] = []

    async def note(boss: Supervisor) -> int:
        await until(lambda: child.exists() and child.read_text() != "")
        pids.extend([boss.runners["stubborn"].pid or 0, int(child.read_text())])
        return 0

    code, out = run_until([part], tmp_path, note)
    assert code == 0
    assert "did not stop in time, killed" in out
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)


def test_engines_stop_after_the_services(tmp_path: Path) -> None:
    note = tmp_path / "order"
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n    time.sleep({1}); open({0!r}, 'a').write({2!r}); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); open({0!r} + {2!r}, 'w').close(); time.sleep(600)"
    )
    parts = [
        python("engine", code.format(str(note), 0, "engine"), tmp_path, engine=True),
        python("service", code.format(str(note), 0.3, "service"), tmp_path),
    ]
    both = [Path(f"{note}{name}") for name in ("engine", "service")]
    run_until(parts, tmp_path, lambda _: until(lambda: all(path.exists() for path in both)))
    assert note.read_text() == "serviceengine"


def test_a_clean_end_leaves_no_status_file(tmp_path: Path) -> None:
    seen: list[Status | None] = []
    run_until([python("a", SLEEPER, tmp_path)], tmp_path, lambda _: seen.append(read_status(tmp_path)))
    assert seen[0] is not None
    assert seen[0].ready
    assert read_status(tmp_path) is None


def test_unknown_needs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nobody"):
        supervisor([python("a", SLEEPER, tmp_path, needs=("nobody",))], tmp_path)


def test_two_supervisors_cannot_share_a_home(tmp_path: Path) -> None:
    with HomeLock(tmp_path):
        assert holder(tmp_path) == os.getpid()
        with pytest.raises(AlreadyRunning, match=str(os.getpid())), HomeLock(tmp_path):
            pass
    assert holder(tmp_path) is None
    assert list((tmp_path / "run").iterdir()) == []


def test_kill_9_of_the_supervisor_leaves_nothing(tmp_path: Path) -> None:
    program = tmp_path / "boss.py"
    program.write_text(
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from services.chassis.engines import Launch\n"
        "from services.chassis.supervisor.console import Console\n"
        "from services.chassis.supervisor.lock import HomeLock\n"
        "from services.chassis.supervisor.part import Part\n"
        "from services.chassis.supervisor.supervisor import Supervisor\n"
        "home = Path(sys.argv[1])\n"
        f"launch = lambda: Launch((sys.executable, '-S', '-c', {SLEEPER!r}))\n"
        "parts = [Part(name=name, launch=launch) for name in 'ab']\n"
        "with HomeLock(home):\n    asyncio.run(Supervisor(parts, home, Console()).run())\n"
    )
    boss = subprocess.Popen([sys.executable, str(program), str(tmp_path)], stdout=subprocess.DEVNULL)
    try:
        pids = _pids(tmp_path, boss)
        assert holder(tmp_path) == boss.pid
        boss.kill()
        boss.wait()
        deadline = time.monotonic() + 60
        while any(alive(pid) for pid in pids):
            assert time.monotonic() < deadline, "a part outlived its supervisor"
            time.sleep(0.02)
        assert holder(tmp_path) is None
    finally:
        boss.kill()
        boss.wait()


def _pids(home: Path, boss: subprocess.Popen[bytes]) -> list[int]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and boss.poll() is None:
        try:
            status = json.loads((home / "run" / "parts.json").read_text())
        except FileNotFoundError:
            status = {}
        if status.get("ready"):
            return [part["pid"] for part in status["parts"].values()]
        time.sleep(0.02)
    raise AssertionError("the supervisor did not get ready")


def test_an_end_that_was_asked_for_is_no_failure(tmp_path: Path) -> None:
    async def restart_often(boss: Supervisor) -> int:
        runner = boss.runners["a"]
        for _ in range(4):  # one more than makes a crashing part be named
            pid = runner.pid
            assert pid is not None
            ask(tmp_path, "a", pid)
            os.kill(pid, signal.SIGTERM)
            await until(lambda old=pid: runner.pid not in (None, old))  # type: ignore[misc]
        status = read_status(tmp_path)
        assert status is not None
        assert (status.parts["a"].restarts, status.parts["a"].reason) == (4, "asked")
        return 0

    code, out = run_until([python("a", SLEEPER, tmp_path)], tmp_path, restart_often)
    assert code == 0
    assert "ended" not in out
    assert not list((tmp_path / "run" / "asked").iterdir())


def test_a_note_about_another_process_asks_for_nothing(tmp_path: Path) -> None:
    async def crash(boss: Supervisor) -> int:
        runner = boss.runners["a"]
        pid = runner.pid
        assert pid is not None
        ask(tmp_path, "a", pid + 1)
        os.kill(pid, signal.SIGTERM)
        await until(lambda: runner.pid not in (None, pid))
        return 0

    _, out = run_until([python("a", SLEEPER, tmp_path)], tmp_path, crash)
    assert "killed by SIGTERM" in out


def test_a_process_that_cannot_even_be_started_ends_nothing_else(tmp_path: Path) -> None:
    nowhere = Part(name="bad", launch=lambda: Launch(("/no/such/program",), {}, tmp_path), awaited=False)
    parts = [python("good", SLEEPER, tmp_path), nowhere]
    code, out = run_until(parts, tmp_path, lambda boss: until(lambda: boss.runners["bad"].restarts >= 2))
    assert code == 0
    assert "No such file" in out


def test_a_status_that_cannot_be_written_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    async def crash(boss: Supervisor) -> int:
        monkeypatch.setattr(supervisor_module, "write_status", full)
        runner, pid = boss.runners["a"], boss.runners["a"].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: runner.pid not in (None, pid))
        return 0

    code, _ = run_until([python("a", SLEEPER, tmp_path)], tmp_path, crash)
    assert code == 0
    assert "no space left" in (tmp_path / "logs" / "supervisor.log").read_text()


def test_restart_goes_through_the_parts_one_after_the_other(tmp_path: Path) -> None:
    order: list[str] = []

    async def restart_both(boss: Supervisor) -> int:
        before = {name: runner.pid for name, runner in boss.runners.items()}
        for name in before:
            await asyncio.to_thread(Restart(tmp_path, name).run)
            order.append(name)
            changed = {each for each, runner in boss.runners.items() if runner.pid != before[each]}
            assert changed == set(order), "one came back while another was not restarted yet"
        return 0

    with HomeLock(tmp_path):
        parts = [python(name, SLEEPER, tmp_path) for name in ("x-worker-1", "x-worker-2")]
        code, out = run_until(parts, tmp_path, restart_both)
    assert code == 0
    assert "ended" not in out
