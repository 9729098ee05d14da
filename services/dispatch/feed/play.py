"""The loop: reports at a rate, people at their desks, until the time or the number is reached."""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import httpx
from PIL import Image, ImageDraw

from services.chassis.clock import Clock
from services.chassis.ids import IdSource
from services.chassis.telemetry import logger
from services.dispatch.feed.habits import choose
from services.dispatch.feed.matters import Kind, Matter, Spot, draw_matter
from services.dispatch.feed.people import Done, PersonClient, Streets

AWAY_S: Final = 1.0
SLOW_SHARE: Final = 0.12
"""People who leave a case lying today, so that some go up by themselves and some become late."""


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """What to play. `reporters` send `per_minute` reports on average; with `people`, they and the people at the `desks`

    also act, one after another, with `pace_s` seconds between two rounds.
    """

    streets: Streets
    reporters: Sequence[str]
    desks: Sequence[str]
    password: str
    seed: int
    per_minute: float
    minutes: float | None = None
    reports: int | None = None
    people: bool = False
    pace_s: float = 5.0
    patient: bool = False  # wait out a system that is away, instead of ending with its error


@dataclass(slots=True)
class Played:
    """What was done so far."""

    reports: int = 0
    acts: dict[str, int] = field(default_factory=dict)
    quicker: int = 0
    refused: int = 0

    def line(self) -> str:
        """One line for a terminal."""
        refused = f", forms refused {self.refused}" if self.refused else ""
        return f"reports {self.reports}, acts {sum(self.acts.values())}, somebody was quicker {self.quicker}{refused}"


async def play(
    plan: FeedPlan, clock: Clock, ids: IdSource, stop: asyncio.Event, told: Callable[[Played], None]
) -> Played:
    """Play; `told` hears of the progress. Ends by plan, or when `stop` is set. People sign in when they first act."""
    played = Played()
    field = [PersonClient(plan.streets, login, plan.password) for login in plan.reporters]
    desks = [PersonClient(plan.streets, login, plan.password) for login in plan.desks]
    crowd = field + desks
    try:
        loops = [_report(plan, field, ids, stop, played, told)]
        if plan.people:
            loops.append(_work(plan, crowd, clock, ids, stop, played, told))
        deadline = None if plan.minutes is None else plan.minutes * 60
        await _until(loops, stop, deadline)
    finally:
        await asyncio.gather(*(person.close() for person in crowd))
    return played


async def _until(loops: Sequence[Coroutine[Any, Any, None]], stop: asyncio.Event, seconds: float | None) -> None:
    """Run them until all have ended or the time is up; then each finishes what it is at. Raises what one raised."""
    tasks = [asyncio.ensure_future(loop) for loop in loops]
    _, playing = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    if playing:
        stop.set()
    await asyncio.gather(*tasks)


async def _report(
    plan: FeedPlan,
    reporters: Sequence[PersonClient],
    ids: IdSource,
    stop: asyncio.Event,
    played: Played,
    told: Callable[[Played], None],
) -> None:
    rng = random.Random(plan.seed)
    while not await _came_through(plan, reporters[0].sign_in):
        if stop.is_set():
            return
        await asyncio.sleep(AWAY_S)
    kinds, spots = await _what_and_where(reporters[0])
    while not stop.is_set() and (plan.reports is None or played.reports < plan.reports):
        person, matter, key = rng.choice(reporters), draw_matter(rng, kinds, spots), ids.uuid7()
        while not await _came_through(plan, lambda: _send(person, key, matter)):  # noqa: B023 - awaited at once
            if stop.is_set():
                return
            await asyncio.sleep(AWAY_S)
        played.reports += 1
        told(played)
        await _sleep(stop, rng.expovariate(plan.per_minute / 60))
    stop.set()


async def _send(person: PersonClient, key: UUID, matter: Matter) -> None:
    await person.signed_in()
    await person.report(key, matter)


async def _came_through(plan: FeedPlan, attempt: Callable[[], Coroutine[Any, Any, object]]) -> bool:
    """Try once; False when the system is away and the plan is patient. Any other fault is raised."""
    try:
        await attempt()
    except httpx.TransportError:
        if not plan.patient:
            raise
        return False
    except httpx.HTTPStatusError as error:
        if not plan.patient or error.response.status_code < 500:
            raise
        return False
    return True


async def _what_and_where(person: PersonClient) -> tuple[list[Kind], list[Spot]]:
    kinds, cells = await person.form()
    spots = [spot for cell in cells for spot in await person.places(cell)]
    return kinds, spots


async def _work(
    plan: FeedPlan,
    crowd: Sequence[PersonClient],
    clock: Clock,
    ids: IdSource,
    stop: asyncio.Event,
    played: Played,
    told: Callable[[Played], None],
) -> None:
    rng = random.Random(plan.seed + 1)
    while not stop.is_set():
        for person in rng.sample(crowd, len(crowd)):
            if stop.is_set():
                return
            await _came_through(plan, lambda: _one_act(rng, person, clock.now(), ids, played))  # noqa: B023 - awaited at once
            told(played)
        await _sleep(stop, plan.pace_s)


async def _one_act(rng: random.Random, person: PersonClient, now: datetime, ids: IdSource, played: Played) -> None:
    """Look at one list, open one case, do one thing, or leave it lying."""
    await person.signed_in()
    queues = await person.queues()
    if not queues:
        return
    rows = await person.queue_rows(rng.choice(queues))
    waiting = [row for row in rows if _left_lying(row["case_no"]) >= SLOW_SHARE]
    if not waiting:
        return
    case = await person.case(rng.choice(waiting)["case_no"])
    choice = None if case is None else choose(rng, case, now)
    if case is None or choice is None:
        return
    inputs = dict(choice.inputs)
    if choice.wants_picture:
        evidence_id = ids.uuid7()
        stored = await person.put_evidence(case["case_no"], evidence_id, picture(rng))
        inputs["evidence"] = [str(evidence_id)] if stored is Done.DONE else []
    match await person.act(case, choice.action, inputs, ids.uuid7()):
        case Done.DONE:
            played.acts[choice.action] = played.acts.get(choice.action, 0) + 1
        case Done.REFUSED:
            played.refused += 1
        case Done.LATE:
            played.quicker += 1
            logger("feed").info("somebody_was_quicker", case_no=case["case_no"], action=choice.action)


def _left_lying(case_no: str) -> float:
    """A fixed draw per case: whoever neglects it, neglects it every time."""
    return random.Random(case_no).random()


def picture(rng: random.Random) -> bytes:
    """A small made-up photo: ground, a wall, something lying there."""
    image = Image.new("RGB", (640, 480), (rng.randint(150, 190), rng.randint(160, 190), rng.randint(170, 200)))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 300, 640, 480), fill=(120, 118, 112))
    for _ in range(rng.randint(3, 9)):
        x, y, size = rng.randint(40, 560), rng.randint(310, 430), rng.randint(15, 60)
        draw.ellipse((x, y, x + size, y + size // 2), fill=tuple(rng.randint(60, 200) for _ in range(3)))
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=80)
    return stored.getvalue()


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


__all__ = ["FeedPlan", "Matter", "Played", "play"]
