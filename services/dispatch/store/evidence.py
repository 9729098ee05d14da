"""Evidence of a case: stored first, named by an act afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.dispatch.store import Tx
from services.dispatch.store.detail import EvidenceRow, evidence_of
from services.dispatch.tables import evidence


@dataclass(frozen=True, slots=True)
class NewEvidence:
    """What is known once the bytes lie in the store. `path` is relative to it."""

    case_id: str
    id: str
    sha256: str
    mime: str
    bytes: int
    path: str
    account: str
    at: datetime


async def add_evidence(tx: Tx, new: NewEvidence) -> EvidenceRow:
    """Store it unless its id is taken; returns what stands under the id now."""
    await tx.execute(
        insert(evidence)
        .values(
            case_id=new.case_id,
            id=new.id,
            sha256=new.sha256,
            mime=new.mime,
            bytes=new.bytes,
            path=new.path,
            account=new.account,
            at=new.at,
        )
        .on_conflict_do_nothing()
    )
    kept = await one_evidence(tx, new.case_id, new.id)
    assert kept is not None, "just written, or the row that kept it from being written"
    return kept


async def one_evidence(tx: Tx, case_id: str, evidence_id: str) -> EvidenceRow | None:
    """One piece, or None."""
    return next((row for row in await evidence_of(tx, case_id) if row.id == evidence_id), None)


async def missing_evidence(tx: Tx, case_id: str, ids: Sequence[str]) -> list[str]:
    """Those of `ids` that are not stored with this case."""
    if not ids:
        return []
    known = await tx.execute(select(evidence.c.id).where(evidence.c.case_id == case_id, evidence.c.id.in_(ids)))
    have = set(known.scalars())
    return [each for each in ids if each not in have]


async def pictures_of(tx: Tx, case_id: str, ids: Sequence[str]) -> tuple[str, ...]:
    """Where these pieces lie in the store, in their order."""
    if not ids:
        return ()
    known = await tx.execute(
        select(evidence.c.id, evidence.c.path).where(evidence.c.case_id == case_id, evidence.c.id.in_(ids))
    )
    paths = {row.id: row.path for row in known}
    return tuple(paths[one] for one in ids if one in paths)


async def use_evidence(tx: Tx, case_id: str, ids: Sequence[str], fact_id: UUID) -> None:
    """The act of `fact_id` rests on these; the first act that names a piece keeps it."""
    if ids:
        named = (evidence.c.case_id == case_id, evidence.c.id.in_(ids), evidence.c.fact_id.is_(None))
        await tx.execute(update(evidence).where(*named).values(fact_id=fact_id))


async def bytes_of_case(tx: Tx, case_id: str) -> int:
    """How much evidence a case holds, in bytes."""
    total = await tx.execute(select(func.coalesce(func.sum(evidence.c.bytes), 0)).where(evidence.c.case_id == case_id))
    return int(total.scalar_one())
