"""Operators at several sign-ins, racing each other for the same cases. Every act is in a ledger before it is asked."""

from __future__ import annotations

import asyncio
import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from services.dispatch.feed.habits import choose
from services.dispatch.feed.people import ACTED_ON_TOO_LATE, PersonClient
from services.dispatch.feed.play import picture
from tests.chaos.ledger import Deed, Ledger
from tests.chaos.load.reports import PATIENCE_S, PAUSE_S

REFUSED = ACTED_ON_TOO_LATE | {422}
"""Somebody was quicker, or the form no longer fits the case."""
BUSY = 429


@dataclass(slots=True)
class Operator:
    """One person at a desk. An act without an answer is asked again under the same key until there is one."""

    person: PersonClient
    account: str
    ledger: Ledger
    seed: int
    pause_s: float = 1.0
    done: int = 0
    refused: int = 0
    retries: int = 0

    async def run(self, stop: asyncio.Event) -> None:
        rng = random.Random(self.seed)
        while not stop.is_set():
            try:
                await self._one(rng)
            except httpx.TransportError:
                self.retries += 1
            except httpx.HTTPStatusError as error:
                if error.response.status_code < 500 and error.response.status_code != BUSY:
                    raise
                self.retries += 1
            await asyncio.sleep(rng.uniform(0.5, 1.5) * self.pause_s)

    async def _one(self, rng: random.Random) -> None:
        """Look at a list, open a case, do what it offers."""
        queues = await self.person.queues()
        if not queues:
            return
        rows = await self.person.queue_rows(rng.choice(queues))
        if not rows:
            return
        case = await self.person.case(rng.choice(rows)["case_no"])
        choice = None if case is None else choose(rng, case, datetime.now(UTC))
        if case is None or choice is None:
            return
        inputs = dict(choice.inputs)
        if choice.wants_picture:
            evidence_id = uuid.UUID(int=rng.getrandbits(128), version=4)
            await self.person.put_evidence(case["case_no"], evidence_id, picture(rng))
            inputs["evidence"] = [str(evidence_id)]
        await self._do(rng, case, choice.action, inputs)

    async def _do(self, rng: random.Random, case: dict[str, Any], action: str, inputs: dict[str, Any]) -> None:
        key = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        self.ledger.add(Deed(key, "maybe", self.account, case["case_no"], action))
        loop = asyncio.get_running_loop()
        give_up = loop.time() + PATIENCE_S
        while loop.time() < give_up:
            answer = await self._ask(case, action, inputs, key)
            if answer is not None and answer.status_code < 300:
                version = int(answer.json()["version"])
                self.ledger.add(Deed(key, "done", self.account, case["case_no"], action, version))
                self.done += 1
                return
            if answer is not None and answer.status_code in REFUSED:
                self.ledger.add(Deed(key, "refused", self.account, case["case_no"], action))
                self.refused += 1
                return
            if answer is not None and answer.status_code < 500 and answer.status_code != BUSY:
                raise AssertionError(f"{action} of {case['case_no']}: {answer.status_code} {answer.text[:500]}")
            self.retries += 1
            await asyncio.sleep(PAUSE_S)

    async def _ask(self, case: dict[str, Any], action: str, inputs: dict[str, Any], key: str) -> httpx.Response | None:
        try:
            return await self.person.dispatch.post(
                f"/api/v1/cases/{case['case_no']}/actions/{action}",
                json=inputs,
                headers={"if-match": f'"{case["version"]}"', "idempotency-key": key},
            )
        except httpx.TransportError:
            return None
