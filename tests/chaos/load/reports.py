"""Writers who never give up: each report is sent until it is acknowledged, under the same key; its photos follow."""

from __future__ import annotations

import asyncio
import hashlib
import random
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from services.dispatch.feed.matters import Kind, Spot, draw_matter
from services.dispatch.feed.people import PersonClient, report_body
from services.dispatch.feed.play import picture
from tests.chaos.ledger import Entry, Ledger, PhotoEntry

PATIENCE_S = 900.0
"""Longer than any outage: who gives up has found out nothing."""
PAUSE_S = 0.3
PHOTO_SHARE = 0.15
PICTURES = 8
"""Different photos of one writer; a street sees the same corner again and again."""


@dataclass(slots=True)
class Writer:
    """One phone. Stops when asked, but first sees its last report through.

    `doors` are the addresses of intake's processes; a report that one of them did not acknowledge may go to another.
    """

    person: PersonClient
    kinds: list[Kind]
    spots: list[Spot]
    ledger: Ledger
    seed: int
    per_second: float
    photos: Ledger | None = None
    doors: tuple[str, ...] = ("",)
    sent: int = 0
    retries: int = 0
    pictures_sent: int = 0

    async def run(self, seconds: float | None = None, stop: asyncio.Event | None = None) -> None:
        """For so long, or until `stop`."""
        rng, loop = random.Random(self.seed), asyncio.get_running_loop()
        pictures = [picture(rng) for _ in range(PICTURES)]
        deadline = None if seconds is None else loop.time() + seconds
        while not (stop is not None and stop.is_set()) and (deadline is None or loop.time() < deadline):
            await self._one(rng, pictures)
            await asyncio.sleep(rng.expovariate(self.per_second))

    async def _one(self, rng: random.Random, pictures: list[bytes]) -> None:
        key = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        body = report_body(draw_matter(rng, self.kinds, self.spots))
        shown = rng.choice(pictures) if self.photos is not None and rng.random() < PHOTO_SHARE else None
        if shown is not None:
            body["photos"] = [_named(shown)]
        self.ledger.add(Entry(key, False, None, body["text"]))
        answer = await self._until(rng, (201,), lambda door: self._send(door, key, body))
        if answer is None:
            return
        report_id = str(answer.json()["id"])
        self.ledger.add(Entry(key, True, report_id, body["text"]))
        self.sent += 1
        if shown is not None:
            await self._show(rng, report_id, shown)

    async def _show(self, rng: random.Random, report_id: str, shown: bytes) -> None:
        assert self.photos is not None
        sha256 = hashlib.sha256(shown).hexdigest()
        self.photos.add(PhotoEntry(report_id, False, report_id, sha256))
        answer = await self._until(
            rng,
            (200, 201),
            lambda _: self.person.intake.put(
                f"/api/v1/reports/{report_id}/photos/p1", content=shown, headers={"content-type": "image/jpeg"}
            ),
        )
        if answer is not None:
            self.photos.add(PhotoEntry(report_id, True, report_id, sha256))
            self.pictures_sent += 1

    async def _send(self, door: str, key: str, body: dict[str, Any]) -> httpx.Response:
        headers = {"idempotency-key": key} | ({"origin": door} if door else {})
        return await self.person.intake.post(f"{door}/api/v1/reports", json=body, headers=headers)

    async def _until(
        self, rng: random.Random, good: tuple[int, ...], ask: Callable[[str], Awaitable[httpx.Response]]
    ) -> httpx.Response | None:
        """Ask until it is answered; None when nobody ever did. AssertionError where something good is refused."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + PATIENCE_S
        while loop.time() < give_up:
            try:
                answer = await ask(rng.choice(self.doors))
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code in good:
                return answer
            if answer is not None and answer.status_code < 500 and not _busy(answer):
                raise AssertionError(f"refused: {answer.request.url} {answer.status_code} {answer.text[:500]}")
            self.retries += 1
            await asyncio.sleep(PAUSE_S)
        return None


def _busy(answer: httpx.Response) -> bool:
    """A photo whose first upload was cut off may still be locked by it."""
    return answer.status_code in (409, 423, 429) and answer.request.method == "PUT"


def _named(shown: bytes) -> dict[str, object]:
    return {"id": "p1", "sha256": hashlib.sha256(shown).hexdigest(), "bytes": len(shown), "mime": "image/jpeg"}
