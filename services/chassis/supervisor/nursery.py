"""Parts born by fork from one process that has imported their code already.

A dozen Python processes that each import the same libraries take two cores half a minute; forked they take a few
seconds, start again after a crash at once, and share memory. Nothing depends on it: a part is still one process with
one argv and its own environment, and where the nursery is gone it is started the usual way.

The part is forked twice, so that it becomes a child of the supervisor (which asks the kernel for its orphans) and not
of the nursery: signals, exit codes and the death signal are as with any other child.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from services.chassis.engines import Launch
from services.chassis.engines.process import PR_SET_PDEATHSIG, spawn

PR_SET_CHILD_SUBREAPER = 36
MESSAGE = 1 << 20
READY_WITHIN = 60.0
ANSWER_WITHIN = 10.0


class Child(Protocol):
    """What the supervisor needs of a running process; `subprocess.Popen` is one."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self) -> int: ...
    def send_signal(self, sig: int) -> None: ...


class Forked:
    """A child that the nursery bore and the kernel gave to us."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        return self._collect(os.WNOHANG)

    def wait(self) -> int:
        code = self._collect(0)
        assert code is not None
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def _collect(self, flags: int) -> int | None:
        if self._code is None:
            try:
                pid, status = os.waitpid(self.pid, flags)
            except ChildProcessError:
                self._code = -signal.SIGKILL  # somebody else collected it: all we know is that it is gone
                return self._code
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code


class Nursery:
    """The supervisor's end. Use it from the main thread, except `await_ready`."""

    def __init__(self, modules: Sequence[str], home: Path, env: dict[str, str], cwd: Path) -> None:
        self._modules = tuple(modules)
        self._log = home / "logs" / "nursery.log"
        self._env = {**env, "OPENBLAS_NUM_THREADS": "1"}  # its threads would not survive a fork
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._ready = False
        self._asking = threading.Lock()

    def start(self) -> None:
        """Start importing, in the background."""
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.set_inheritable(theirs.fileno(), True)
        argv = (sys.executable, "-m", __name__, str(theirs.fileno()), str(os.getpid()), *self._modules)
        launch = Launch(argv, self._env, self._cwd, death_signal=signal.SIGKILL)
        self._process = spawn(launch, self._log, pass_fds=(theirs.fileno(),))
        theirs.close()
        self._line, self._ready = ours, False

    def await_ready(self) -> None:
        """Block until parts can be born (or never will)."""
        with self._asking, contextlib.suppress(OSError):  # several parts wait, one word comes
            if self._line is not None and not self._ready:
                self._line.settimeout(READY_WITHIN)
                self._ready = self._line.recv(MESSAGE) == b"ready"

    def spawn(self, launch: Launch, log: Path) -> Child:
        """A part from its Launch: forked if it is one of our modules, else (or where that fails) started anew."""
        if launch.argv[:2] == (sys.executable, "-m") and self._ready:
            pid = self._bear(launch, log)
            if pid is not None:
                return Forked(pid)
            self.stop()
            self.start()
        return spawn(launch, log)

    def stop(self) -> None:
        """End it; the parts it bore live on."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._line, self._process, self._ready = None, None, False

    def _bear(self, launch: Launch, log: Path) -> int | None:
        assert self._line is not None
        log.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        asked = {
            "words": launch.argv[2:],
            "env": dict(launch.env),
            "cwd": str(launch.cwd or Path.cwd()),
            "log": str(log),
            "death_signal": int(launch.death_signal or 0),
        }
        try:
            self._line.settimeout(ANSWER_WITHIN)
            self._line.send(json.dumps(asked).encode())
            answer = self._line.recv(MESSAGE)
        except OSError:
            return None
        return int(answer) if answer else None


# -- the nursery's own end


def main(fd: int, supervisor: int, modules: Sequence[str]) -> NoReturn:
    """Import, say ready, then fork a part per request until the supervisor hangs up."""
    line = socket.socket(fileno=fd)
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - the part itself will say so, in its own log
            sys.stderr.write(f"nursery: {name} does not import: {error!r}\n")
    gc.collect()
    gc.freeze()
    if len(os.listdir("/proc/self/task")) > 1:
        sys.exit("nursery: an import started a thread; parts start the usual way")
    line.send(b"ready")
    while True:
        request = line.recv(MESSAGE)
        if not request:
            sys.exit(0)
        asked = json.loads(request)
        born = _fork_twice(line)
        if born == 0:
            _become(asked, supervisor)
        line.send(str(born).encode())


def _fork_twice(line: socket.socket) -> int:
    """The part's process id in the nursery; 0 in the part itself, which the kernel has given to the supervisor."""
    reading, writing = os.pipe()
    between = os.fork()
    if between == 0:
        part = os.fork()
        if part:
            os.write(writing, str(part).encode())
            os._exit(0)
        os.close(reading)
        os.close(writing)
        line.close()
        return 0
    os.close(writing)
    os.waitpid(between, 0)
    born = int(os.read(reading, 32))
    os.close(reading)
    return born


def _become(asked: dict[str, Any], supervisor: int) -> NoReturn:
    """Be the part: own session, log, environment and death signal; then run its module as `python -m` would."""
    for _ in range(1000):
        if os.getppid() == supervisor:
            break
        time.sleep(0.001)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, asked["death_signal"], 0, 0, 0)
    if os.getppid() != supervisor:
        os._exit(1)
    os.setsid()
    log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.chdir(asked["cwd"])
    os.environ.clear()  # noqa: TID251 - the environment of a new process, not a setting
    os.environ.update(asked["env"])  # noqa: TID251
    time.tzset()
    module, *arguments = asked["words"]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
