"""Reporters who ask about what they have reported, so that a case goes on getting events long after its first."""

from __future__ import annotations

import asyncio
import random
import uuid

import httpx

from services.dispatch.feed.people import PersonClient

ANSWERED = frozenset({202, 404, 409, 429})
"""Taken, no case yet, asked already: whatever it is, it is an answer."""
ABOUT = 8
EVERY_S = 1.0


class Nagger:
    """Asks about a few reports of his again and again, about all of them at once; mostly he is told that he has asked
    before, which is an event of the case too."""

    def __init__(self, person: PersonClient, seed: int) -> None:
        self._person = person
        self._rng = random.Random(seed)
        self.asked = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; what finds no service at the moment is not asked again."""
        mine: list[str] = []
        while not stop.is_set():
            mine = mine if len(mine) == ABOUT else await self._first()
            await asyncio.gather(asyncio.sleep(EVERY_S), *(self._ask(report_id) for report_id in mine))

    async def _first(self) -> list[str]:
        try:
            answer = await self._person.intake.get("/api/v1/reports", params={"mine": "true", "limit": str(ABOUT)})
        except httpx.TransportError:
            return []
        return [row["id"] for row in answer.raise_for_status().json()["items"]]

    async def _ask(self, report_id: str) -> None:
        key = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        path = f"/api/v1/reports/{report_id}/actions/urge"
        try:
            answer = await self._person.intake.post(path, json={"reason": None}, headers={"idempotency-key": key})
        except httpx.TransportError:
            return
        if answer.status_code < 500 and answer.status_code not in ANSWERED:
            raise AssertionError(f"a question was refused: {answer.status_code} {answer.text}")
        self.asked += answer.status_code == 202
