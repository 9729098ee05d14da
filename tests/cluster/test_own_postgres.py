"""The whole system on the oldest PostgreSQL it is meant for, over TCP, with one login per role and no superuser."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from services.chassis.migrate import pending
from services.chassis.postgres_server import LEAST_VERSION
from tests.chaos.checker import Checker
from tests.chaos.ledger import Ledger, entries
from tests.chaos.receiver import Seen
from tests.cluster.postgres import ROLES, OwnPostgres
from tests.cluster.run import too_many, writers_of
from tests.cluster.watch import Watch
from tests.support.stand import Stand, start

pytestmark = pytest.mark.timeout(600)
LOAD_S = 12.0
PER_SECOND = 20.0


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="grid-test-own-", dir="/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[OwnPostgres]:
    server = OwnPostgres(folder / "postgres", version=LEAST_VERSION)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def logins(server: OwnPostgres) -> dict[str, str]:
    return server.prepare()


@pytest.fixture(scope="module")
def stand(folder: Path, logins: dict[str, str]) -> Iterator[Stand]:
    running = start(folder / "home", {**logins, "GRID_SAMPLE_HISTORY": "0"})
    yield running
    assert running.stop() == 0


def test_what_the_administrator_made_is_enough_and_not_more(server: OwnPostgres, stand: Stand) -> None:
    mighty = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
    assert server.ask(f"SELECT rolname FROM pg_roles WHERE rolname LIKE 'grid%' AND ({mighty})") == []
    assert pending(stand.environment["GRID_OWNER_DATABASE_URL"]) == ()
    (version,) = server.ask("SELECT current_setting('server_version_num')::int / 10000")[0]
    assert version == LEAST_VERSION
    assert (
        server.ask("SELECT 1 FROM pg_tables WHERE schemaname IN ('intake','dispatch') AND tableowner <> 'grid_owner'")
        == []
    )


def test_the_file_changes_nothing_when_it_is_run_again(server: OwnPostgres, logins: dict[str, str]) -> None:
    words = {name: psycopg.conninfo.conninfo_to_dict(logins[f"GRID_{name.upper()}_DATABASE_URL"]) for name in ROLES}
    server.run_file({name: str(word["password"]) for name, word in words.items()})
    for name in ROLES:
        psycopg.connect(logins[f"GRID_{name.upper()}_DATABASE_URL"]).close()


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("intake", "SELECT 1 FROM dispatch.cases"),
        ("dispatch", "UPDATE intake.reports SET masked_text = ''"),
        ("escalation", "INSERT INTO identity.accounts (login) VALUES ('x')"),
        ("dispatch", "CREATE TABLE dispatch.mine (id int)"),
        ("intake", "CREATE SCHEMA mine"),
        ("escalation", "DROP TABLE escalation.outbox"),
    ],
)
def test_a_service_reaches_no_further_than_its_own(stand: Stand, role: str, statement: str) -> None:
    url = stand.environment[f"GRID_{role.upper()}_DATABASE_URL"]
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_a_login_without_its_password_is_refused(stand: Stand) -> None:
    url = psycopg.conninfo.conninfo_to_dict(stand.environment["GRID_OWNER_DATABASE_URL"])
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(**{**url, "password": "guess"})


def test_the_doctor_has_nothing_against_it(stand: Stand) -> None:
    told = stand.grid("doctor", check=False).stdout
    assert f"PostgreSQL {LEAST_VERSION}" in told
    assert "connections needed, 97 to be had" in told
    assert "superuser" not in told
    assert "share one role" not in told


def test_under_load_everything_arrives_once_and_nobody_holds_more_connections_than_documented(
    stand: Stand, server: OwnPostgres, folder: Path
) -> None:
    ledger = folder / "ledger.jsonl"
    watch = asyncio.run(_load(stand, server, ledger))
    judgement = Checker(stand.database_url, ledger, Seen()).judge()
    assert not judgement.violations
    assert sum(1 for entry in entries(ledger) if entry.acknowledged) > 40
    assert too_many(watch, stand) == []
    assert watch.users == {"grid_intake", "grid_dispatch", "grid_escalation"}
    assert watch.most["dispatch-worker"] >= 2, "the count has seen nobody"


def test_topics_grow_while_everything_runs(stand: Stand, folder: Path) -> None:
    done = stand.grid("topics", "grow", "--partitions", "18", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dispatch: every partition is read, workers: 2" in done.stdout
    assert "intake: every partition is read, workers: 1" in done.stdout
    assert stand.grid("topics", "check").returncode == 0
    back = stand.grid("topics", "grow", "--partitions", "12", check=False)
    assert (back.returncode, "none can be taken away" in back.stderr) == (1, True)


async def _load(stand: Stand, server: OwnPostgres, ledger: Path) -> Watch:
    watch, stop, kept = Watch(server.admin_url("grid")), asyncio.Event(), Ledger(ledger)
    writers = await writers_of(stand, kept, PER_SECOND, 6)
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(watch.run(stop))
        await asyncio.wait([group.create_task(writer.run(LOAD_S)) for writer in writers])
        stop.set()
        await looking
    kept.close()
    for person in {id(writer.person): writer.person for writer in writers}.values():
        await person.close()
    return watch
