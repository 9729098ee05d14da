"""The audit record is proven again and again, and what was done to it behind the database's back is told."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from services.chassis.audit import Audited, Entry, record
from services.chassis.db import Database
from services.chassis.telemetry import Metrics
from services.chassis.vitals import RecordWatch

pytestmark = pytest.mark.anyio


async def signed_in(db: Database, times: int) -> None:
    async with db.transaction() as tx:
        await record(tx, *(Entry(Audited.SIGNED_IN, f"account-{n}") for n in range(times)))


async def behind_its_back(db: Database, statement: str) -> None:
    """With the owner's rights and the guarding triggers off."""
    async with db.transaction() as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(text(statement))


async def test_a_sound_record_is_proven(database: Database) -> None:
    metrics = Metrics("dispatch")
    await signed_in(database, 3)
    await RecordWatch(database, metrics).look()
    told = metrics.registry.get_sample_value
    assert (told("grid_audit_findings"), told("grid_audit_rows")) == (0, 3)
    assert (told("grid_audit_proven_timestamp_seconds") or 0) > 1_700_000_000
    assert 0 <= (told("grid_audit_head_age_seconds") or 0) < 300


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE identity.audit_log SET account = 'somebody else' WHERE n = 2",
        "DELETE FROM identity.audit_log WHERE n = 3",
    ],
    ids=["changed", "cut off"],
)
async def test_what_was_changed_or_cut_off_between_two_proofs_is_told(database: Database, statement: str) -> None:
    metrics = Metrics("dispatch")
    watch = RecordWatch(database, metrics)
    await signed_in(database, 3)
    await watch.look()
    await behind_its_back(database, statement)
    await watch.look()
    assert metrics.registry.get_sample_value("grid_audit_findings") == 1
