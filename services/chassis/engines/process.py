"""Starting and ending one child process so that nothing is left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from services.chassis.engines import Launch, StopStep

PR_SET_PDEATHSIG = 1
GONE = 71
"""Exit code of a child whose parent died before it could ask to die with it."""

_libc = ctypes.CDLL(None, use_errno=True)


def before_exec(death_signal: signal.Signals | None) -> Callable[[], None]:
    """What runs in the child between fork and exec, after the change of user (which would clear the death signal).

    Children have sessions of their own: Ctrl-C at a terminal reaches the supervisor alone, which stops parts in order.
    """
    parent = os.getpid()

    def prepare() -> None:
        if death_signal is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(GONE)
        for caught in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(caught, signal.SIG_DFL)

    return prepare


def spawn(launch: Launch, log: Path, pass_fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """Start `launch` with standard output and error appended to `log`. Call it from the main thread: the death signal
    is sent when the *thread* that forked ends."""
    log.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - argv comes from our own tables
            launch.argv,
            env=dict(launch.env),
            cwd=launch.cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=pass_fds,
            user=launch.uid,
            group=launch.gid,
            extra_groups=[] if launch.uid is not None else None,
            preexec_fn=before_exec(launch.death_signal),
        )


def run_helper(launch: Launch, script: str = "") -> subprocess.CompletedProcess[str]:
    """Run a short helper of an engine to its end, `script` on its standard input. It does not outlive us."""
    return subprocess.run(  # noqa: S603 - argv comes from our own tables
        launch.argv,
        env=dict(launch.env),
        cwd=launch.cwd,
        input=script,
        capture_output=True,
        text=True,
        check=False,
        user=launch.uid,
        group=launch.gid,
        extra_groups=[] if launch.uid is not None else None,
        preexec_fn=before_exec(signal.SIGKILL),
    )


def stop(process: subprocess.Popen[bytes], steps: Sequence[StopStep]) -> int:
    """End `process` by the given steps, at last by SIGKILL; answers its exit code."""
    for sig, seconds in steps:
        if process.poll() is not None:
            break
        process.send_signal(sig)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        process.kill()
    return process.wait()


def tail(log: Path, lines: int = 12, within: int = 16_384) -> list[str]:
    """The last lines of a log, read from its end; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - within))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if line.strip()][-lines:]
