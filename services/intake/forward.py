"""What dispatch alone knows of a reporter's case: the questions to him stay with the case, no message carries them."""

from __future__ import annotations

from urllib.parse import quote

from schemas.api.questions import QuestionsOut
from services.chassis.auth import Person
from services.chassis.http_client import ServiceClient, passed_problem

_NOT_HIS = 404


class CaseDesk:
    """Asks dispatch with the reporter's own rights."""

    def __init__(self, dispatch: ServiceClient) -> None:
        self._dispatch = dispatch

    async def questions(self, case_no: str, person: Person) -> QuestionsOut:
        """What was asked and answered. Raises Problem 503 when dispatch does not answer.

        Nothing of a case that took the reporter's own in and is another's.
        """
        path = f"/api/v1/cases/{quote(case_no, safe='')}/questions"
        response = await self._dispatch.call("GET", path, person=person)
        if response.status_code == _NOT_HIS:
            return QuestionsOut(items=())
        if not response.is_success:
            raise passed_problem("dispatch", response)
        return QuestionsOut.model_validate_json(response.content)

    async def close(self) -> None:
        """Give back the connections."""
        await self._dispatch.close()
