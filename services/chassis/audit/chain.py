"""Proving that no row was changed, taken out or put in between: every chain is computed again, outside the database.

What was cut off at the end of a chain leaves no gap. Against that, heads are kept elsewhere: a chain must still
contain each head that was once noted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.auth.tables import audit_log

FIRST = bytes(32)
_CHUNK = 1000
_TOLD = ("service", "account", "action", "subject", "outcome", "reason", "details", "request_id", "address")
_AT = sa.func.to_char(sa.func.timezone("UTC", audit_log.c.at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
_COLUMNS = (
    *(audit_log.c[name] for name in ("shard", "n", "service", "account", "action", "subject", "outcome", "reason")),
    *(audit_log.c[name] for name in ("request_id", "address", "prev_hash", "hash")),
    sa.cast(audit_log.c.details, sa.Text).label("details"),
    _AT.label("at"),
)


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of a chain."""

    n: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where a chain does not hold, and why: gap, changed, unlinked, or cut (a noted head is missing)."""

    shard: int
    n: int
    why: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked at and found. Without findings nothing was changed."""

    rows: int
    heads: Mapping[int, Head]
    findings: Sequence[Finding]


async def verify(tx: AsyncConnection, noted: Mapping[int, Head] | None = None) -> Proof:
    """Compute every chain again; `noted`: heads kept elsewhere, as of an earlier proof. Each chain's first fault ends
    it: what follows hangs on it."""
    shards = (await tx.execute(sa.select(audit_log.c.shard).distinct().order_by(audit_log.c.shard))).scalars().all()
    rows, heads, findings = 0, {}, []
    expected = noted or {}
    for shard in sorted({*shards, *expected}):
        chain = await _walk(tx, shard, expected.get(shard))
        rows += chain.rows
        heads[shard] = chain.head
        findings += [chain.finding] if chain.finding is not None else []
    return Proof(rows, heads, findings)


@dataclass(slots=True)
class _Chain:
    rows: int
    head: Head
    finding: Finding | None


async def _walk(tx: AsyncConnection, shard: int, noted: Head | None) -> _Chain:
    chain = _Chain(0, Head(0, FIRST), None)
    while True:
        query = sa.select(*_COLUMNS).where(audit_log.c.shard == shard, audit_log.c.n > chain.head.n)
        found = (await tx.execute(query.order_by(audit_log.c.n).limit(_CHUNK))).mappings().all()
        for row in found:
            why = _fault(row, chain.head) or _differs(row, noted)
            if why is not None:
                chain.finding = Finding(shard, row["n"], why)
                return chain
            chain.head = Head(row["n"], bytes(row["hash"]))
            chain.rows += 1
        if not found:
            break
    if noted is not None and chain.head.n < noted.n:
        chain.finding = Finding(shard, chain.head.n + 1, "cut")
    return chain


def _fault(row: Mapping[Any, Any], before: Head) -> str | None:
    if row["n"] != before.n + 1:
        return "gap"
    if bytes(row["prev_hash"]) != before.hash:
        return "unlinked"
    return None if bytes(row["hash"]) == row_hash(row) else "changed"


def _differs(row: Mapping[Any, Any], noted: Head | None) -> str | None:
    if noted is None or row["n"] != noted.n or bytes(row["hash"]) == noted.hash:
        return None
    return "changed"


def row_hash(row: Mapping[Any, Any]) -> bytes:
    """As the database's trigger computes it."""
    told = [row["shard"], row["n"], row["at"], *(row[name] for name in _TOLD)]
    return hashlib.sha256(bytes(row["prev_hash"]) + json.dumps(told, ensure_ascii=False).encode()).digest()
