"""The embedded PostgreSQL: first start, roles, stop, crash recovery, what a killed server leaves."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from services.chassis.engines import EngineFailed, footing
from services.chassis.engines.postgres import ADMIN, OWNER, SERVICE_ROLES, EmbeddedPostgres


def open_home() -> Path:
    """A GRID_HOME that others may pass through."""
    home = Path(tempfile.mkdtemp(prefix="grid-test-"))
    home.chmod(0o711)
    return home


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    made = open_home()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    engine = EmbeddedPostgres(home)
    engine.start()
    yield engine
    engine.remove()


def ask(server: EmbeddedPostgres, sql: str, role: str = OWNER) -> list[tuple[object, ...]]:
    with psycopg.connect(server.url_for(role)) as connection:
        return connection.execute(sql).fetchall()


def test_it_is_version_18_and_durable(server: EmbeddedPostgres) -> None:
    assert ask(server, "SHOW server_version")[0][0].startswith("18.")  # type: ignore[attr-defined]
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        assert ask(server, f"SHOW {setting}") == [("on",)], setting


def test_it_listens_on_no_port(server: EmbeddedPostgres) -> None:
    assert ask(server, "SHOW listen_addresses") == [("",)]


def test_every_service_has_a_role_without_rights(server: EmbeddedPostgres) -> None:
    rows = ask(server, "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname ~ '^grid_'")
    assert {name for name, *_ in rows} == {ADMIN, OWNER, *SERVICE_ROLES}
    assert all(not any(rights) for name, *rights in rows if name != ADMIN)


def test_nobody_gets_in_without_the_password(server: EmbeddedPostgres) -> None:
    for role in (ADMIN, OWNER, *SERVICE_ROLES):
        url = server.url_for(role)
        secret = url.split(":", 2)[2].split("@", 1)[0]
        for wrong in (url.replace(secret, "wrong"), url.replace(f":{secret}", "")):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(wrong)


def test_passwords_are_stored_for_us_alone(home: Path, server: EmbeddedPostgres) -> None:
    file = home / "secrets" / "postgres.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert not list(home.rglob("admin.password"))
    assert server.url_for(OWNER).split(":", 2)[2].split("@")[0] not in server.log.read_text()


def test_under_root_it_runs_as_somebody_without_rights(server: EmbeddedPostgres) -> None:
    assert server.pid is not None
    uid = int(Path(f"/proc/{server.pid}/status").read_text().split("Uid:")[1].split()[0])
    account = footing.engine_account()
    assert uid == (account.uid if account else os.geteuid())
    assert uid != 0


def test_a_second_start_is_refused_nothing_and_keeps_the_data(home: Path, server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url_for(OWNER)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    server.stop()
    assert server.pid is None
    server.start()
    assert ask(server, "SELECT one FROM kept") == [(1,)]


def test_what_was_committed_survives_a_crash(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url_for(OWNER)) as connection:
        connection.execute("CREATE TABLE survives AS SELECT generate_series(1, 20000) AS n")
    server.crash()
    assert not server.ready() or server.pid is None
    server.start()
    assert ask(server, "SELECT count(*) FROM survives") == [(20000,)]


def test_it_comes_back_after_kill_9_with_clients_connected(server: EmbeddedPostgres) -> None:
    client = psycopg.connect(server.url_for(OWNER))
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
    server.start()
    assert ask(server, "SELECT 1") == [(1,)]
    with pytest.raises(psycopg.OperationalError):
        client.execute("SELECT 1")
    client.close()


def test_a_lock_file_of_somebody_elses_number_does_not_stop_it(server: EmbeddedPostgres) -> None:
    server.stop()
    data = next(place / "data" for place in [footing.place_for(server.home, "postgres", footing.engine_account())])
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    server.start()
    assert ask(server, "SELECT 1") == [(1,)]


def test_a_server_left_over_is_stopped_first(home: Path, server: EmbeddedPostgres) -> None:
    old = server.pid
    # as after a supervisor that died without a word
    again = EmbeddedPostgres(home)
    again.start()
    try:
        assert again.pid != old
        assert ask(again, "SELECT 1") == [(1,)]
    finally:
        again.stop()
    server.stop()
    server.start()


def test_open_clients_do_not_hold_up_the_stop(server: EmbeddedPostgres) -> None:
    client = psycopg.connect(server.url_for(OWNER))
    server.stop()
    assert server.pid is None
    client.close()
    server.start()


def test_a_broken_setting_is_told_with_the_servers_own_words(home: Path) -> None:
    broken = EmbeddedPostgres(home / "broken", settings={"shared_buffers": "nonsense"})
    try:
        with pytest.raises(EngineFailed, match="shared_buffers"):
            broken.start()
    finally:
        broken.remove()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_a_home_behind_a_closed_folder_is_not_loosened() -> None:
    closed = Path(tempfile.mkdtemp(prefix="grid-test-"))
    engine = EmbeddedPostgres(closed / "home")
    try:
        engine.start()
        assert ask(engine, "SELECT 1") == [(1,)]
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert Path((closed / "home" / "postgres.place").read_text().strip()).is_relative_to(footing.FALLBACK)
    finally:
        engine.remove()
        shutil.rmtree(closed)
    assert not (footing.FALLBACK / footing.digest(closed / "home")).exists()


def test_the_socket_path_is_short_however_deep_the_home_is(home: Path) -> None:
    deep = EmbeddedPostgres(home / ("d" * 60) / ("e" * 60))
    try:
        deep.start()
        folder = str(ask(deep, "SHOW unix_socket_directories", ADMIN)[0][0])
        assert len(f"{folder}/.s.PGSQL.5432") < footing.SOCKET_PATH_LIMIT
    finally:
        deep.remove()
