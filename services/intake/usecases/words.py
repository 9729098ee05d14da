"""What people of the street wrote for a reporter. It stays with dispatch and is read there each time it is shown.

Without dispatch the report is shown without them, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from schemas.api.dispatch import WordsOut
from services.chassis.asgi import Problem
from services.chassis.http_client import ServiceClient
from services.chassis.telemetry import logger
from services.intake.tables.rows import StepRow
from services.intake.usecases.masking import mask

PATIENCE: Final = httpx.Timeout(2.0, connect=0.5)
"""A page that waits for words is worse than one that shows them later."""
ANSWERS: Final = frozenset({"case.more_given", "case.reporter_answered"})
WORDED: Final = ANSWERS | {"case.more_asked", "case.reporter_asked", "case.not_filed", "case.declined"}


@dataclass(frozen=True, slots=True)
class Words:
    """Texts by the sequence of their step, numbers that name a person masked; `missing`: they could not be had now."""

    texts: dict[int, str]
    case_id: str = ""
    missing: bool = False

    def under(self, step: StepRow) -> str:
        """What was written with a step; '' for those of another case."""
        return self.texts.get(step.sequence, "") if str(step.case_id) == self.case_id else ""


class WordsFromDispatch:
    """Asks dispatch with the service's own token."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def of(self, case_id: str, steps: Sequence[StepRow]) -> Words:
        """The words under these steps of a case; nothing is asked where no step has any."""
        if not any(step.kind in WORDED for step in steps):
            return Words({})
        try:
            body = await self._client.call_json("GET", f"/api/v1/words/{case_id}", person=None)
        except Problem as problem:
            logger("intake").warning("words_not_to_be_had", case_id=case_id, code=problem.code)
            return Words({}, case_id, missing=True)
        texts = {word.sequence: mask(word.text) for word in WordsOut.model_validate(body).words}
        return Words(texts, case_id)

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.close()
