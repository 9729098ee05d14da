"""Writers who never give up: each report is sent until it is acknowledged, under the same key."""

from __future__ import annotations

import asyncio
import random
import uuid
from dataclasses import dataclass

import httpx

from services.dispatch.feed.matters import Kind, Spot, draw_matter
from services.dispatch.feed.people import PersonClient, report_body
from tests.chaos.ledger import Entry, Ledger

PATIENCE_S = 120.0


@dataclass(slots=True)
class Writer:
    """One phone. Stops at the deadline, but first sees its last report through."""

    person: PersonClient
    kinds: list[Kind]
    spots: list[Spot]
    ledger: Ledger
    seed: int
    per_second: float
    sent: int = 0
    retries: int = 0

    async def run(self, seconds: float) -> None:
        rng = random.Random(self.seed)
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            await self._one(rng)
            await asyncio.sleep(rng.expovariate(self.per_second))

    async def _one(self, rng: random.Random) -> None:
        key = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        matter = draw_matter(rng, self.kinds, self.spots)
        body = report_body(matter)
        self.ledger.add(Entry(key, False, None, body["text"]))
        report_id = await self._until_acknowledged(key, body)
        if report_id is not None:
            self.ledger.add(Entry(key, True, report_id, body["text"]))
            self.sent += 1

    async def _until_acknowledged(self, key: str, body: dict[str, object]) -> str | None:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + PATIENCE_S
        while loop.time() < give_up:
            try:
                answer = await self.person.intake.post("/api/v1/reports", json=body, headers={"idempotency-key": key})
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 201:
                return str(answer.json()["id"])
            if answer is not None and answer.status_code < 500:
                raise AssertionError(f"a good report was refused: {answer.status_code} {answer.text}")
            self.retries += 1
            await asyncio.sleep(0.3)
        return None
