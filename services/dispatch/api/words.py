"""What the street wrote for who reported: read by intake each time it shows a report, kept nowhere else."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from schemas.api.dispatch import WordOut, WordsOut
from services.chassis.asgi import Problem
from services.chassis.auth import CurrentPerson
from services.chassis.auth.depends import SERVICE
from services.dispatch.api.wiring import Parts
from services.dispatch.store.notes import written_for_reporter

router = APIRouter(prefix="/api/v1", tags=["words"])


@router.get("/words/{case_id}", summary="What was written for the reporter (services only)")
async def read_words(case_id: UUID, person: CurrentPerson, parts: Parts) -> WordsOut:
    """Questions and advice by the sequence of their facts. Only another service may ask, for itself."""
    if person.scope != SERVICE:
        raise Problem(403, "not_permitted")
    async with parts.db.reading() as tx:
        written = await written_for_reporter(tx, case_id)
    return WordsOut(words=tuple(WordOut(sequence=w.sequence, kind=w.kind, at=w.at, text=w.text) for w in written))
