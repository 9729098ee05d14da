"""A street at work in a real database: cases that wander through the cycle by whatever their people may do."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from schemas.cases import load_case
from schemas.events.parts import CategoryV1
from schemas.events.report import OnTheSpotV1
from schemas.events.sla import SlaFiredV1
from services.chassis.db import move_clock
from services.dispatch.usecases.act import UnknownCase, Wish, act
from services.governance.acts import Actor, Input, Inputs, InputType
from services.governance.case import OPEN_TASKS, Case, Offer, next_point, offers
from services.governance.cycle import Action, Urgency
from services.governance.errors import GovernanceError
from services.governance.rulebook import Rulebook

_RARE = frozenset({Action.WITHDRAW, Action.NOTE, Action.URGE, Action.MERGE, Action.VOID})
_LATE_S = (1, 1, 1, 2, 5, 30, 300)  # how long after its point a timer is heard of


class StreetAtWork:
    """Drives one street (the fixture of the dispatch tests). Same seed, same road."""

    def __init__(self, street: Any, seed: int) -> None:
        self._street, self._rng = street, random.Random(seed)
        self._offset = timedelta(0)
        self.refused = 0

    async def book(self) -> Rulebook:
        """The rulebook in force."""
        cache = self._street.cache
        version = cache.current().rulebook_version("441802001", await self._street.now())
        book: Rulebook = await cache.rulebook(version)
        return book

    async def work(self, cases: int, steps: int) -> list[str]:
        """Open so many cases and let each take so many steps, time passing between; answers their numbers."""
        numbers = [await self._open() for _ in range(cases)]
        for _ in range(steps):
            await self._later(self._rng.choice((1, 5, 20, 90, 600, 1500)))
            for number in self._rng.sample(numbers, len(numbers)):
                await self._step(number)
        return numbers

    async def _later(self, minutes: int) -> None:
        self._offset += timedelta(minutes=minutes)
        async with self._street.db.transaction() as tx:
            await move_clock(tx, self._offset)

    async def _open(self) -> str:
        rng, book = self._rng, await self.book()
        kind = rng.choice([None, *book.categories.values()])
        changes: dict[str, Any] = {
            "category": CategoryV1(scheme=kind.scheme, version=kind.version, code=kind.code) if kind else None,
            "danger": rng.random() < 0.1,
            "call_now": rng.random() < 0.1,
            "staff": rng.random() < 0.8,
        }
        if rng.random() < 0.05:
            changes |= {"on_the_spot": OnTheSpotV1(act="sao"), "danger": False}
        number: str = await self._street.opened(**changes)
        return number

    async def _step(self, number: str) -> None:
        """A timer that is due, or something a person may do."""
        case, now = await self._case(number), await self._street.now()
        found = next_point(case, now - timedelta(seconds=self._rng.choice(_LATE_S)))
        if found is not None and self._rng.random() < 0.8:
            await self._fire(case, found[0].clock_id, found[0].rev, found[1].rung, found[1].at)
            return
        people = self._rng.sample(await self._people(now), 8)
        able = [(a, o) for a in people for o in offers(case, a, await self.book(), now)]
        likely = [pair for pair in able if pair[1].action not in _RARE or self._rng.random() < 0.05]
        if likely and self._rng.random() < 0.7:
            actor, offer = self._rng.choice(likely)
            await self._act(case, actor, offer, now)

    async def _case(self, number: str) -> Case:
        body = await self._street.scalar("SELECT body::text FROM dispatch.cases WHERE case_no = :no", no=number)
        return load_case(str(body).encode())

    async def _people(self, now: datetime) -> list[Actor]:
        directory = self._street.cache.current()
        return [Actor(one, directory.posts_of(one, now)) for one in sorted(directory.accounts)]

    async def _fire(self, case: Case, clock_id: str, rev: int, rung: int, due_at: datetime) -> None:
        clock = next(each for each in case.clocks if each.clock_id == clock_id)
        body = SlaFiredV1(
            case_id=case.case_id, clock_id=clock_id, kind=clock.kind, rev=rev, rung=rung, due_at=due_at, fired_at=due_at
        )
        await self._street.take(("sla.fired", body))

    async def _act(self, case: Case, actor: Actor, offer: Offer, now: datetime) -> None:
        wish = Wish(case.case_no, offer.action, await self._filled(case, offer, now), case.version, self._op())
        try:
            async with self._street.db.transaction() as tx:
                await act(tx, wish, actor, self._street.cache, self._street.ids)
        except (GovernanceError, UnknownCase):
            self.refused += 1

    def _op(self) -> str:
        return f"{self._rng.getrandbits(64):016x}"

    async def _filled(self, case: Case, offer: Offer, now: datetime) -> Inputs:
        """A form filled in as a careful person would; no evidence, since no files are here."""
        rng, book = self._rng, await self.book()
        busy = {case.lead, *(task.unit for task in case.tasks if task.state in OPEN_TASKS)}
        units = [code for code in sorted(book.units) if code not in busy]
        kind = rng.choice(sorted(book.categories))
        given: dict[str, Any] = {}
        for field in offer.inputs:
            value = self._value(field, units, kind, book, now)
            if value is not None:
                given[field.name] = value
        if "lead_unit" in given and case.routed is not None and case.routed.lead and rng.random() < 0.7:
            given["lead_unit"] = case.routed.lead
        return Inputs(**given)

    def _value(self, field: Input, units: list[str], kind: str, book: Rulebook, now: datetime) -> Any:
        rng = self._rng
        if not field.required and field.name not in ("reason", "note") and rng.random() < 0.6:
            return None
        match field.type:
            case InputType.UNIT:
                return rng.choice(units)
            case InputType.UNITS:
                return tuple(rng.sample(units, 1))
            case InputType.DATETIME:
                return now + timedelta(days=rng.choice((1, 3, 30)))
            case InputType.CATEGORY:
                return kind
            case InputType.CONDITION:
                return book.categories[kind].conditions[0]
            case InputType.FLAG:
                return True
            case InputType.TEXT:
                return "看过了"
            case _ if field.choices:
                chosen = rng.choice(field.choices)
                return Urgency(chosen) if field.name == "urgency" else chosen
        return None
