"""The record cannot be changed by those who write it, and what is changed behind its back is found."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from services.chassis.audit import Audited, Entry, Outcome, record
from services.chassis.audit.chain import Finding, Head, Proof, verify
from services.chassis.audit.reading import Wanted, recorded
from services.chassis.audit.where import note_origin
from services.chassis.auth.tables import audit_log
from services.chassis.db import Database
from services.chassis.settings import DatabaseSettings

pytestmark = pytest.mark.anyio
ODD = {
    "quoted": 'a "word" \\ and\ttab',
    "中文": "凤城 😀",
    "n": 7,
    "list": ["b", "a"],
    "no": None,
    "control": "\x01\x7f",
}


async def proof(db: Database, noted: dict[int, Head] | None = None) -> Proof:
    async with db.reading() as tx:
        return await verify(tx, noted)


async def tell(db: Database, *subjects: str) -> None:
    async with db.transaction() as tx:
        await record(tx, *(Entry(Audited.CASE_ACTED, "anna", subject, details=ODD) for subject in subjects))


async def test_a_row_says_who_what_when_and_where(database: Database) -> None:
    note_origin("203.0.113.9")
    entry = Entry(Audited.SIGN_IN_REFUSED, None, "anna", Outcome.REFUSED, "wrong_password", {"try": 3})
    async with database.transaction() as tx:
        await record(tx, entry)
    async with database.reading() as tx:
        (row,) = await recorded(tx, Wanted(action="session"), None, 10)
        assert await recorded(tx, Wanted(action="sess"), None, 10) == []
    told = (row.service, row.account, row.action, row.subject, row.outcome, row.reason, row.details, row.address)
    assert told == ("test", None, "session.refused", "anna", "refused", "wrong_password", {"try": 3}, "203.0.113.9")


async def test_chains_hold_whatever_was_written_and_however_many_write_at_once(database_url: str) -> None:
    db = Database(DatabaseSettings(url=database_url, pool_size=12), "test")
    try:
        await asyncio.gather(*(tell(db, f"a{n}", f"b{n}") for n in range(60)))
        found = await proof(db)
    finally:
        await db.close()
    assert (found.rows, found.findings) == (120, [])
    assert sum(head.n for head in found.heads.values()) == 120
    assert len(found.heads) > 1, "more than one chain, so that writers seldom wait"


async def test_what_is_rolled_back_leaves_no_gap(database: Database) -> None:
    await tell(database, "kept")
    async with database.transaction() as tx:
        await record(tx, Entry(Audited.CASE_ACTED, "anna"))
        await tx.rollback()
    await tell(database, "kept too")
    found = await proof(database)
    assert (found.rows, found.findings) == (2, [])


@pytest.mark.parametrize("change", ["UPDATE {} SET account = 'bert'", "DELETE FROM {}", "TRUNCATE {}"])
async def test_not_even_the_owner_changes_a_row(change: str, database: Database) -> None:
    await tell(database, "a")
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.transaction() as tx:
            await tx.execute(sa.text(change.format("identity.audit_log")))
    with pytest.raises(DBAPIError, match="append-only"):  # also where nothing would change
        async with database.transaction() as tx:
            await tx.execute(sa.delete(audit_log).where(sa.false()))
    assert (await proof(database)).rows == 1


TAMPERINGS: dict[str, tuple[str, str]] = {
    "a row changed": ("UPDATE identity.audit_log SET account = 'bert' WHERE n = 2", "changed"),
    "details changed": ("UPDATE identity.audit_log SET details = '{}' WHERE n = 2", "changed"),
    "a time changed": ("UPDATE identity.audit_log SET at = at + interval '1 microsecond' WHERE n = 2", "changed"),
    "a row taken out": ("DELETE FROM identity.audit_log WHERE n = 2", "gap"),
    "a row taken out and the rest moved up": (
        "DELETE FROM identity.audit_log WHERE n = 2; UPDATE identity.audit_log SET n = 2 WHERE n = 3",
        "unlinked",
    ),
}


@pytest.mark.parametrize("how", TAMPERINGS)
async def test_tampering_is_found_at_its_place(how: str, database: Database, database_url: str) -> None:
    statements, why = TAMPERINGS[how]
    await tell(database, "a", "b", "c")
    assert (await proof(database)).findings == []
    tamper(database_url, statements)
    (finding,) = (await proof(database)).findings
    assert (finding.n, finding.why) == (3 if why == "gap" else 2, why)


async def test_a_chain_cut_off_or_written_anew_is_found_by_a_head_kept_elsewhere(
    database: Database, database_url: str
) -> None:
    await tell(database, "a", "b", "c")
    heads = dict((await proof(database)).heads)
    ((shard, _),) = heads.items()
    await tell(database, "d")
    assert (await proof(database, heads)).findings == []
    tamper(database_url, "DELETE FROM identity.audit_log WHERE n > 1")
    assert (await proof(database)).findings == []
    assert (await proof(database, heads)).findings == [Finding(shard, 2, "cut")]
    await tell(database, "b", "x", "d")
    assert (await proof(database)).findings == []
    assert (await proof(database, heads)).findings == [Finding(shard, 3, "changed")]


def tamper(url: str, statements: str) -> None:
    """As somebody with the server's own rights would: triggers off."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements.split(";"):
            connection.execute(statement.encode())
