"""Chains of revisions: code and migrated database agree, phases keep their order, roles keep their bounds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine
from sqlalchemy.pool import NullPool

from services.chassis import migrate as machinery
from services.chassis import revision as drafting
from services.chassis.auth.tables import metadata as identity
from services.chassis.db import SCHEMAS, NotATestDatabaseError, driver_url
from services.chassis.directory.tables import metadata as directory
from services.chassis.grants import READ_ELSEWHERE, SERVICE_ROLES
from services.chassis.migrate import MigrationFault, Phase, chain_of, migrate, own_object, pending
from services.dispatch.tables import metadata as dispatch
from services.escalation.tables import metadata as escalation
from services.intake.tables import metadata as intake
from tests.support.postgres import TestServer

METADATA = {
    "directory": directory,
    "identity": identity,
    "intake": intake,
    "dispatch": dispatch,
    "escalation": escalation,
}


@pytest.fixture(scope="module")
def migrated(postgres: TestServer) -> Iterator[str]:
    """A database migrated as in production: by the owner, without a test clock."""
    postgres.execute("CREATE DATABASE migrated OWNER grid_owner")
    migrate(postgres.url("migrated", "grid_owner"))
    yield "migrated"
    postgres.drop("migrated")


@pytest.fixture
def empty(postgres: TestServer) -> Iterator[str]:
    postgres.execute("CREATE DATABASE grid_test_empty OWNER grid_owner")
    yield postgres.url("grid_test_empty", "grid_owner")
    postgres.drop("grid_test_empty")


def test_every_schema_has_its_declaration() -> None:
    assert set(METADATA) == set(SCHEMAS)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_migrated_schema_is_what_the_code_declares(schema: str, migrated: str, postgres: TestServer) -> None:
    assert differences(postgres.url(migrated), schema, METADATA[schema]) == []


def test_a_declared_column_that_no_revision_made_is_noticed(migrated: str, postgres: TestServer) -> None:
    with psycopg.connect(postgres.url(migrated)) as connection:
        connection.execute('ALTER TABLE intake.outbox DROP COLUMN "offset"')
        connection.commit()
        try:
            assert differences(postgres.url(migrated), "intake", intake) != []
        finally:
            connection.execute('ALTER TABLE intake.outbox ADD COLUMN "offset" bigint')
            connection.commit()


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_chain_is_one_line_and_begins_before_the_code(schema: str) -> None:
    chain = chain_of(schema)
    assert chain
    assert chain[0][1] is Phase.PRE
    assert [revision for revision, _ in chain] == [f"{n:04}" for n in range(1, len(chain) + 1)]


def test_pre_then_post_is_everything(empty: str) -> None:
    before = migrate(empty, Phase.PRE, test_database=True)
    after = migrate(empty, Phase.POST, test_database=True)
    assert {step.schema for step in before} == set(SCHEMAS)
    assert pending(empty) == ()
    assert migrate(empty, test_database=True) == ()
    assert len(before) + len(after) == sum(len(chain_of(schema)) for schema in SCHEMAS)


def test_post_revisions_wait_for_their_phase(empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_chain(tmp_path, "0001_pre_a", "0002_post_b", "0003_pre_c", "0004_post_d")
    monkeypatch.setattr(machinery, "MIGRATIONS", tmp_path)

    assert [step.revision for step in migrate(empty, Phase.PRE)] == ["0001", "0002", "0003"]
    assert [step.revision for step in pending(empty)] == ["0004"]
    assert [step.revision for step in migrate(empty, Phase.POST)] == ["0004"]


def test_a_failing_revision_leaves_the_one_before(empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_chain(tmp_path, "0001_pre_a", "0002_pre_b")
    broken = tmp_path / "versions" / "intake" / "0002_pre_b.py"
    broken.write_text(broken.read_text().replace("CREATE TABLE", "CREATE TABEL"))
    monkeypatch.setattr(machinery, "MIGRATIONS", tmp_path)

    with pytest.raises(Exception, match="TABEL"):
        migrate(empty)
    assert [step.revision for step in pending(empty)] == ["0002"]


@pytest.mark.parametrize("name", ["0002_during_b", "0009_pre_b"])
def test_a_misnamed_revision_is_refused(name: str, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_chain(tmp_path, "0001_pre_a", "0002_pre_b")
    folder = tmp_path / "versions" / "intake"
    (folder / "0002_pre_b.py").rename(folder / f"{name}.py")
    monkeypatch.setattr(machinery, "MIGRATIONS", tmp_path)
    with pytest.raises(MigrationFault, match=name):
        migrate(empty)


def test_older_code_says_so(empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_chain(tmp_path, "0001_pre_a", "0002_pre_b")
    monkeypatch.setattr(machinery, "MIGRATIONS", tmp_path)
    migrate(empty)
    (tmp_path / "versions" / "intake" / "0002_pre_b.py").unlink()
    with pytest.raises(MigrationFault, match="newer"):
        migrate(empty)


def test_no_other_database_gets_a_movable_clock(postgres: TestServer) -> None:
    postgres.execute("CREATE DATABASE real_one OWNER grid_owner")
    try:
        with pytest.raises(NotATestDatabaseError):
            migrate(postgres.url("real_one"), test_database=True)
    finally:
        postgres.drop("real_one")


def test_a_database_with_one_user_and_no_roles_is_migrated_too(postgres: TestServer) -> None:
    """An external database where we may create neither roles nor anything outside our own."""
    postgres.execute("CREATE ROLE lonely LOGIN PASSWORD 'lonely'")
    postgres.execute("CREATE DATABASE lonely OWNER lonely")
    url = postgres.url("lonely").replace(postgres.url("lonely").split("@")[0], "postgresql://lonely:lonely")
    try:
        assert migrate(url)
        assert pending(url) == ()
        with psycopg.connect(url, autocommit=True) as connection:
            assert _week(connection, "make_week", "inbox", "2020-01-06") == 0
            assert _week(connection, "drop_week", "inbox", "2020-01-06") == "dropped"
            with pytest.raises(psycopg.errors.InvalidParameterValue):
                _week(connection, "make_week", "ledger", "2020-01-06")
    finally:
        postgres.drop("lonely")
        postgres.execute("DROP ROLE lonely")


@pytest.mark.parametrize("service", SERVICE_ROLES)
def test_a_service_reaches_its_own_and_no_others_tables(service: str, migrated: str, postgres: TestServer) -> None:
    role = SERVICE_ROLES[service]
    with psycopg.connect(postgres.url(migrated, role), autocommit=True) as connection:
        connection.execute(f"INSERT INTO {service}.outbox_sequences VALUES ('t', 'k', 1)")
        connection.execute(f"DELETE FROM {service}.outbox_sequences")
        connection.execute("SELECT directory.grid_now()")
        for table in _tables(postgres.url(migrated)):
            _expect(connection, service, table)


def _expect(connection: psycopg.Connection, service: str, table: str) -> None:
    schema, name = table.split(".")
    shared = schema in ("directory", "identity")
    readable = schema == service or shared or name == "inbox_seen" or service in READ_ELSEWHERE.get(table, ())
    if table == "identity.audit_log":
        readable = service == "dispatch"
        assert _may(connection, table, "INSERT"), service
    assert _may(connection, table, "SELECT") == readable, table
    if schema not in (service, "directory", "identity") or (schema == "directory" and service != "dispatch"):
        for right in ("INSERT", "UPDATE", "DELETE"):
            assert not _may(connection, table, right), (table, right)
    if table == "identity.accounts":
        assert _may(connection, table, "UPDATE") == (service == "dispatch")
    if name == "alembic_version":
        assert not _may(connection, table, "UPDATE")


def test_append_only_tables_take_no_change(migrated: str, postgres: TestServer) -> None:
    with psycopg.connect(postgres.url(migrated), autocommit=True) as connection:
        rows = connection.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE obj_description(c.oid, 'pg_class') LIKE 'append-only%'"
        ).fetchall()
        assert {("intake", "ledger"), ("dispatch", "case_facts"), ("identity", "audit_log")} <= set(rows)
        for (schema, name), role in product(rows, SERVICE_ROLES.values()):
            for right in ("UPDATE", "DELETE"):
                assert not _holds(connection, role, f"{schema}.{name}", right), (schema, name, role, right)


def test_nobody_truncates_what_a_service_may_write(migrated: str, postgres: TestServer) -> None:
    with psycopg.connect(postgres.url(migrated), autocommit=True) as connection:
        for role, table in product(SERVICE_ROLES.values(), _tables(postgres.url(migrated))):
            assert not _holds(connection, role, table, "TRUNCATE"), (role, table)


def _holds(connection: psycopg.Connection, role: str, table: str, right: str) -> bool:
    row = connection.execute("SELECT has_table_privilege(%s, %s, %s)", (role, table, right)).fetchone()
    return bool(row and row[0])


def _week(connection: psycopg.Connection, function: str, parent: str, monday: str) -> object:
    row = connection.execute(f"SELECT intake.{function}(%s, %s)".encode(), (parent, monday)).fetchone()
    assert row is not None
    return row[0]


def _weeks(connection: psycopg.Connection, year: int) -> set[str]:
    pattern = f"^(in|out)box_p{year}[0-9]+$"
    rows = connection.execute(
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE nspname = 'intake' AND relispartition AND relkind = 'r' AND relname ~ %s",
        (pattern,),
    )
    return {row[0] for row in rows}


_OLD_ROW = (
    "INSERT INTO intake.outbox (shard, topic, key, seq, event_id, headers, payload, created_at)"
    " VALUES (0, 't', 'k', 1, gen_random_uuid(), '{}', '', '2020-01-08')"
)


def test_a_service_makes_and_drops_weeks_without_owning_them(postgres: TestServer, migrated: str) -> None:
    with psycopg.connect(postgres.url(migrated, "grid_intake"), autocommit=True) as connection:
        connection.execute(_OLD_ROW.encode())
        assert _week(connection, "make_week", "outbox", "2020-01-06") == 1, "the row moves into its week"
        assert _week(connection, "make_week", "outbox", "2020-01-06") == 0
        assert _week(connection, "make_week", "outbox", "2020-01-13") == 0
        assert _week(connection, "make_week", "inbox", "2020-01-06") == 0
        assert connection.execute("SELECT count(*) FROM intake.outbox_default").fetchone() == (0,)
        assert _week(connection, "drop_week", "outbox", "2020-01-06") == "unpublished"
        assert _week(connection, "drop_week", "outbox", "2020-01-13") == "dropped"
        assert _week(connection, "drop_week", "inbox", "2020-01-06") == "outbox", "an outbox still holds that week"
        connection.execute("UPDATE intake.outbox SET published_at = now() WHERE created_at < '2021-01-01'")
        assert _week(connection, "drop_week", "outbox", "2020-01-06") == "dropped"
        assert _week(connection, "drop_week", "inbox", "2020-01-06") == "dropped"
        assert _weeks(connection, 2020) == set()


@pytest.mark.parametrize(
    ("function", "parent", "monday"),
    [
        ("make_week", "ledger", "2026-01-05"),
        ("make_week", "outbox; DROP TABLE intake.ledger", "2026-01-05"),
        ("make_week", None, "2026-01-05"),
        ("make_week", "outbox", "2026-01-06"),
        ("make_week", "outbox", None),
        ("make_week", "outbox", "infinity"),
        ("make_week", "outbox", "2999-01-07"),
        ("drop_week", "reports", "2026-01-05"),
        ("drop_week", "inbox", "2026-01-06"),
        ("drop_week", None, None),
    ],
)
def test_nothing_else_can_be_made_or_dropped(
    postgres: TestServer, migrated: str, function: str, parent: str | None, monday: str | None
) -> None:
    with (
        psycopg.connect(postgres.url(migrated, "grid_intake"), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InvalidParameterValue),
    ):
        connection.execute(f"SELECT intake.{function}(%s, %s)".encode(), (parent, monday))


def test_weeks_of_others_are_out_of_reach(postgres: TestServer, migrated: str) -> None:
    with psycopg.connect(postgres.url(migrated, "grid_escalation"), autocommit=True) as connection:
        for function in ("make_week", "drop_week"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT intake.{function}('outbox', '2026-01-05')".encode())


def test_this_week_and_two_ahead_are_there_from_the_start(postgres: TestServer, migrated: str) -> None:
    with psycopg.connect(postgres.url(migrated, "grid_intake"), autocommit=True) as connection:
        today = connection.execute("SELECT (now() AT TIME ZONE 'UTC')::date").fetchone()
        assert today is not None
        monday = today[0] - timedelta(days=today[0].weekday())
        days = [monday + timedelta(weeks=n) for n in range(3)]
        ahead = {f"{parent}_p{day:%Y%m%d}" for parent in ("inbox", "outbox") for day in days}
        there = set().union(*(_weeks(connection, year) for year in {day.year for day in days}))
        assert ahead <= there
        for parent in ("outbox", "inbox"):
            assert _week(connection, "drop_week", parent, str(monday)) == "young"


def differences(url: str, schema: str, metadata: MetaData) -> list[object]:
    engine = create_engine(driver_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": own_object(schema),
                "compare_server_default": False,
                "version_table_schema": schema,
            },
        )
        found = compare_metadata(context, metadata)
    engine.dispose()
    return list(found)


def _tables(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = ANY (%s) AND c.relkind IN ('r', 'p', 'v')",
            (list(SCHEMAS),),
        ).fetchall()
    return [row[0] for row in rows if "_p2026" not in row[0] and not row[0].endswith("_default")]


def _may(connection: psycopg.Connection, table: str, right: str) -> bool:
    schema = table.split(".")[0]
    row = connection.execute(
        "SELECT has_schema_privilege(%s, 'USAGE') AND has_table_privilege(%s, %s)", (schema, table, right)
    ).fetchone()
    return bool(row and row[0])


def _write_chain(folder: Path, *names: str) -> None:
    """A small chain for the schema intake, with the real environment."""
    for file in ("env.py", "script.py.mako"):
        (folder / file).write_text((machinery.MIGRATIONS / file).read_text())
    versions = folder / "versions" / "intake"
    versions.mkdir(parents=True)
    previous: str | None = None
    for name in names:
        number = name[:4]
        (versions / f"{name}.py").write_text(
            f"from alembic import op\nrevision = {number!r}\ndown_revision = {previous!r}\n"
            f"branch_labels = None\ndepends_on = None\n\n\n"
            f"def upgrade():\n    op.execute('CREATE TABLE intake.t{number} (n int)')\n"
        )
        previous = number


def test_a_new_revision_is_drafted_from_the_difference(
    postgres: TestServer, migrated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "migrations"
    shutil.copytree(machinery.MIGRATIONS, copy)
    monkeypatch.setattr(machinery, "MIGRATIONS", copy)
    monkeypatch.setattr(drafting, "MIGRATIONS", copy)
    monkeypatch.setenv("DATABASE_URL", postgres.url(migrated))
    before = len(chain_of("escalation"))

    path = drafting.new_revision("escalation", Phase.POST, "tidy_up")

    assert path.exists()
    assert "lock_timeout" in path.read_text()
    assert chain_of("escalation")[-1] == (f"{before + 1:04}", Phase.POST)


@pytest.mark.parametrize("path", sorted(machinery.MIGRATIONS.glob("versions/*/*.py")), ids=lambda path: path.stem)
def test_no_revision_waits_for_ever(path: Path) -> None:
    """One that waits for a lock makes everybody behind it wait as well."""
    assert "SET LOCAL lock_timeout" in path.read_text()
