"""Proves every hour that the audit record is as it was written, and says when it last did."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from sqlalchemy import text

from services.chassis.audit.chain import Head, verify
from services.chassis.clock import Clock, SystemClock
from services.chassis.db import Database, is_transient
from services.chassis.telemetry import Metrics, logger

EVERY_S: Final = 3600.0
AGAIN_S: Final = 60.0
"""Until the next try after one that could not be finished."""

_HEAD_AGE: Final = text("SELECT extract(epoch FROM directory.grid_now() - max(at)) FROM identity.audit_log")
_log = logger(__name__)


class RecordWatch:
    """Keeps in memory where each chain ended, so that a chain cut off between two proofs is noticed."""

    def __init__(self, db: Database, metrics: Metrics, clock: Clock | None = None) -> None:
        self._db = db
        self._clock = clock or SystemClock()
        self._noted: Mapping[int, Head] | None = None
        self._proven = metrics.gauge("grid_audit_proven_timestamp_seconds", "When the audit record was last proven")
        self._findings = metrics.gauge("grid_audit_findings", "Chains of the audit record that do not hold")
        self._rows = metrics.gauge("grid_audit_rows", "Rows of the audit record at the last proof")
        self._age = metrics.gauge("grid_audit_head_age_seconds", "Age of its newest row at the last proof")

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; a database that is away makes the proof late, any other fault ends the process."""
        while not stop.is_set():
            pause = EVERY_S if await self._tried() else AGAIN_S
            try:
                async with asyncio.timeout(pause):
                    await stop.wait()
            except TimeoutError:
                continue

    async def _tried(self) -> bool:
        try:
            await self.look()
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("audit.not_proven", error=repr(error)[:300])
            return False
        return True

    async def look(self) -> None:
        """Prove it once."""
        async with self._db.reading() as tx:
            proof = await verify(tx, self._noted)
            age = (await tx.execute(_HEAD_AGE)).scalar_one()
        self._findings.set(len(proof.findings))
        self._rows.set(proof.rows)
        self._age.set(max(0.0, float(age or 0)))
        if proof.findings:
            places = [f"{each.shard}/{each.n} {each.why}" for each in proof.findings]
            _log.error("audit.does_not_hold", places=places)
        else:
            self._noted = proof.heads
        self._proven.set(self._clock.now().timestamp())
