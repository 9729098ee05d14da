"""What the reporter of a case is asked; intake shows it on his phone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from schemas.api.questions import QuestionsOut
from services.chassis.asgi import not_found
from services.chassis.auth import CurrentPerson
from services.dispatch.api.wiring import Parts
from services.dispatch.store.audience import scope_of
from services.dispatch.store.detail import find_case
from services.dispatch.usecases.questions import questions_of

router = APIRouter(prefix="/api/v1/cases", tags=["cases"])
CaseNo = Annotated[str, Path(max_length=64, pattern=r"^[^\x00-\x1f]+$")]


@router.get("/{case_no}/questions", summary="What its reporter was asked and answered")
async def read_questions(case_no: CaseNo, person: CurrentPerson, parts: Parts) -> QuestionsOut:
    """Questions and answers alone, oldest first."""
    async with parts.db.reading() as tx:
        found = await find_case(tx, case_no, scope_of(person.actor))
        if found is None:
            raise not_found()
        return await questions_of(tx, found)
