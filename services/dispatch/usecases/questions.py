"""What a case's reporter is asked and answers, taken out of the timeline for him."""

from __future__ import annotations

from typing import Final, Literal

from schemas.api.questions import QuestionsOut, SaidOut
from services.dispatch.store import Tx
from services.dispatch.store.detail import Found, facts_of
from services.governance.acts import FactKind
from services.governance.case import Sight

_SAID: Final[dict[str, Literal["question", "answer"]]] = {
    FactKind.MORE_ASKED: "question",
    FactKind.REPORTER_ASKED: "question",
    FactKind.MORE_GIVEN: "answer",
    FactKind.REPORTER_ANSWERED: "answer",
}


async def questions_of(tx: Tx, found: Found) -> QuestionsOut:
    """Nothing where the caller may know the class alone."""
    if found.sight is not Sight.FULL:
        return QuestionsOut(items=())
    facts = await facts_of(tx, found.case.case_id)
    said = [(_SAID[fact.kind], fact) for fact in facts if fact.kind in _SAID and fact.note]
    return QuestionsOut(items=tuple(SaidOut(said=who, at=fact.at, text=fact.note or "") for who, fact in said))
