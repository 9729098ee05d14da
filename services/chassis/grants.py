"""Who may touch what: one role per service, its own schema and nothing else, told in one place.

Where the roles do not exist and may not be made (an external database with one user), there is nothing to grant and
this does nothing. A table whose comment starts with "append-only" takes no UPDATE and no DELETE from its service.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text

from services.chassis.db import SCHEMAS

OWNER: Final = "grid_owner"
SERVICE_ROLES: Final = {"intake": "grid_intake", "dispatch": "grid_dispatch", "escalation": "grid_escalation"}
WRITER_OF_SHARED: Final = "grid_dispatch"
"""The service that alone writes the directory and the accounts."""

WRITTEN_BY_DISPATCH_ALONE: Final = ("accounts", "posts")
"""Tables of `identity` the other services only read; sessions, tokens and throttle all write as they sign in."""

READ_BY_DISPATCH_ALONE: Final = "audit_log"
"""The table of `identity` that all services add rows to; the auditor's page is dispatch's."""

READ_ELSEWHERE: Final = {"dispatch.case_clocks": ("escalation",), "intake.partner_names": ("escalation",)}
"""Views of a service that another one reads: escalation compares its timers with the clocks of the cases, and knows
which partners there are."""

APPEND_ONLY: Final = "append-only"


def create_roles(connection: Connection) -> None:
    """Create owner, service roles and schemas where missing and permitted. Commits."""
    may_create = connection.execute(
        text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    ).scalar_one()
    existing = _roles(connection)
    if may_create:
        for role in (OWNER, *SERVICE_ROLES.values()):
            if role not in existing:
                login = "NOLOGIN" if role == OWNER else "LOGIN"
                connection.execute(text(f"CREATE ROLE {role} {login}"))
        if connection.execute(text("SELECT current_user")).scalar_one() != OWNER:
            connection.execute(text(f"GRANT {OWNER} TO CURRENT_USER"))
    authorization = f" AUTHORIZATION {OWNER}" if may_act_as_owner(connection) else ""
    for schema in SCHEMAS:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}{authorization}"))
    connection.commit()


def may_act_as_owner(connection: Connection) -> bool:
    """Whether what we create can belong to the owner's role."""
    if OWNER not in _roles(connection):
        return False
    member: bool = connection.execute(
        text("SELECT pg_has_role(current_user, :owner, 'MEMBER')"), {"owner": OWNER}
    ).scalar_one()
    return member


def apply_grants(connection: Connection) -> None:
    """Grant each service role what it may do, idempotently. Commits."""
    roles = _roles(connection)
    for service, role in SERVICE_ROLES.items():
        if role in roles:
            _grant_own_schema(connection, service, role)
            _grant_shared(connection, role)
            _grant_views(connection, service, role)
    connection.commit()


def _grant_own_schema(connection: Connection, schema: str, role: str) -> None:
    _run(
        connection,
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}",
    )
    _restrict(connection, schema, role)


def _grant_shared(connection: Connection, role: str) -> None:
    writes = role == WRITER_OF_SHARED
    for schema in ("directory", "identity"):
        _run(
            connection,
            f"GRANT USAGE ON SCHEMA {schema} TO {role}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
            f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}",
        )
        if writes or schema == "identity":
            _run(
                connection,
                f"GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
                f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
            )
        _restrict(connection, schema, role)
    if not writes:
        for table in _tables(connection, "identity"):
            if table in WRITTEN_BY_DISPATCH_ALONE:
                _run(connection, f"REVOKE INSERT, UPDATE, DELETE ON identity.{table} FROM {role}")
        if READ_BY_DISPATCH_ALONE in _tables(connection, "identity"):
            _run(connection, f"REVOKE SELECT ON TABLE identity.{READ_BY_DISPATCH_ALONE} FROM {role}")  # noqa: S608


def _grant_views(connection: Connection, own: str, role: str) -> None:
    """Anti-entropy compares a service's outbox with what its consumers have seen; a few views are made to be read."""
    for schema in SERVICE_ROLES:
        views = [name for name, readers in READ_ELSEWHERE.items() if own in readers and name.startswith(f"{schema}.")]
        for view in (f"{schema}.inbox_seen", *views):
            if schema != own and view.partition(".")[2] in _tables(connection, schema):
                _run(connection, f"GRANT USAGE ON SCHEMA {schema} TO {role}", f"GRANT SELECT ON {view} TO {role}")


def _restrict(connection: Connection, schema: str, role: str) -> None:
    """Take back what a grant on all tables gave too much of."""
    append_only = connection.execute(
        text(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = :schema AND c.relkind IN ('r', 'p')"
            " AND obj_description(c.oid, 'pg_class') LIKE :prefix"
        ),
        {"schema": schema, "prefix": f"{APPEND_ONLY}%"},
    ).scalars()
    for table in append_only.all():
        _run(connection, f"REVOKE UPDATE, DELETE, TRUNCATE ON {schema}.{table} FROM {role}")
    for table in ("alembic_version", "clock_offset"):
        if table in _tables(connection, schema) and not (table == "clock_offset" and role == WRITER_OF_SHARED):
            _run(connection, f"REVOKE INSERT, UPDATE, DELETE ON {schema}.{table} FROM {role}")


def _roles(connection: Connection) -> set[str]:
    return set(connection.execute(text("SELECT rolname FROM pg_roles")).scalars())


def _tables(connection: Connection, schema: str) -> set[str]:
    rows = connection.execute(
        text(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition"
        ),
        {"schema": schema},
    )
    return set(rows.scalars())


def _run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(text(statement))
