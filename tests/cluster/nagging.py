"""Reporters who ask about what they have reported, so that a case goes on getting events long after its first."""

from __future__ import annotations

import asyncio
import random
import uuid
from typing import Any

import httpx

from services.dispatch.feed.people import PersonClient

ANSWERED = frozenset({202, 404, 409, 429})
"""Taken, no case yet, asked already: whatever it is, it is an answer."""
PAGE = 50


class Nagger:
    """Asks about his own reports, from the newest back to the oldest and again, so many times a second."""

    def __init__(self, person: PersonClient, seed: int, per_second: float) -> None:
        self._person = person
        self._rng = random.Random(seed)
        self._per_second = per_second
        self.asked = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; what finds no service at the moment is not asked again."""
        after: str | None = None
        while not stop.is_set():
            page = await self._page(after)
            after = page.get("next")
            for row in page.get("items", ()):
                if stop.is_set():
                    return
                await asyncio.gather(self._ask(row["id"]), asyncio.sleep(self._rng.expovariate(self._per_second)))
            await asyncio.sleep(0.1)

    async def _page(self, after: str | None) -> dict[str, Any]:
        query = {"mine": "true", "limit": str(PAGE)} | ({"after": after} if after else {})
        try:
            answer = await self._person.intake.get("/api/v1/reports", params=query)
        except httpx.TransportError:
            return {}
        found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
        return found

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
