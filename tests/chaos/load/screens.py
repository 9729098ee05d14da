"""Screens that follow the live feed: cut off now and then, they go on from the last event they saw."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.dispatch.feed.people import PersonClient
from tests.chaos.load.reports import PAUSE_S

CUT_AFTER_S = (3.0, 12.0)
PAGE = 100


@dataclass(slots=True)
class Screen:
    """One signed-in reader. `newest` is the highest sequence of each case that reached it.

    What it saw by loading its list again (at the start, and where the feed told it to) counts too, as on a real page.
    """

    person: PersonClient
    seed: int
    newest: dict[str, int] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    events: int = 0
    cuts: int = 0
    resets: int = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until asked to stop."""
        rng = random.Random(self.seed)
        cursor: str | None = None
        while not stop.is_set():
            try:
                cursor = cursor or await self._load()
                cursor = await self._follow(cursor, rng.uniform(*CUT_AFTER_S), stop)
            except httpx.TransportError:
                await asyncio.sleep(PAUSE_S)
            except httpx.HTTPStatusError as error:
                if error.response.status_code < 500:
                    raise
                await asyncio.sleep(PAUSE_S)

    async def in_sight(self) -> dict[str, int]:
        """Every case this reader may see, with its sequence."""
        return {row["case_no"]: row["sequence"] for row in (await self._rows())[0]}

    async def _load(self) -> str:
        rows, cursor = await self._rows()
        for row in rows:
            self._saw(row["case_no"], row["sequence"])
        return cursor

    async def _rows(self) -> tuple[list[dict[str, Any]], str]:
        """All rows, and the cursor that was taken before the first page was read."""
        rows: list[dict[str, Any]] = []
        cursor, after = "", None
        while True:
            words = {"q": "", "limit": str(PAGE)} | ({"after": after} if after else {})
            page = (await self.person.dispatch.get("/api/v1/cases", params=words)).raise_for_status().json()
            rows += page["rows"]
            cursor, after = cursor or page["cursor"], page["next"]
            if after is None:
                return rows, cursor

    async def _follow(self, cursor: str, seconds: float, stop: asyncio.Event) -> str | None:
        """Listen for a while, then cut the line in the middle; answers where to go on, None where to load anew."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        request = self.person.dispatch.stream(
            "GET", "/api/v1/events", headers={"last-event-id": cursor}, timeout=httpx.Timeout(20.0, read=5.0)
        )
        name = pending = data = ""
        try:
            async with request as answer:
                answer.raise_for_status()
                async for line in answer.aiter_lines():
                    if line.startswith("id:"):
                        pending = line[3:].strip()
                    elif line.startswith("event:"):
                        name = line[6:].strip()
                    elif line.startswith("data:"):
                        data = line[5:]
                    elif not line and name:
                        if name == "reset":
                            self.resets += 1
                            return None
                        self._hear(name, json.loads(data))
                        cursor, name = pending or cursor, ""
                    if loop.time() > until or stop.is_set():
                        break
        except httpx.ReadTimeout:
            return cursor  # nothing happened for a while
        self.cuts += 1
        return cursor

    def _hear(self, name: str, data: dict[str, Any]) -> None:
        self.events += 1
        if name == "case.changed":
            self._saw(data["case_no"], data["sequence"])
        elif name == "case.gone":
            self.gone.add(data["case_no"])

    def _saw(self, case_no: str, sequence: int) -> None:
        self.newest[case_no] = max(sequence, self.newest.get(case_no, 0))
        self.gone.discard(case_no)
