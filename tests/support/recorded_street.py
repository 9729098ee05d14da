"""Many recorded cases at once: a street whose people mostly do what they should, some of them late."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from schemas.asked import Asked
from services.chassis.db import Database
from services.dispatch import tables
from services.dispatch.store.bulk import insert_rows
from services.dispatch.store.columns import case_row, fact_row
from services.governance.acts import (
    Act,
    Actor,
    ActorRef,
    Around,
    Command,
    Fact,
    Inputs,
    OpenCase,
    Post,
    Spot,
    TimerFired,
)
from services.governance.case import Case, advance, evolve, next_point
from services.governance.cycle import LIVE, Action, Nature, Role, State
from services.governance.errors import GovernanceError
from services.governance.rulebook import Rulebook

COMMUNITIES = tuple(f"441802001{number:03d}" for number in range(1, 5))
PEOPLE = {role: Actor(f"p-{role.value}", (Post(role),)) for role in Role}
DESK = Actor("p-desk", tuple(Post(role) for role in (Role.INTAKE_CLERK, Role.DISPATCHER, Role.DUTY_CHIEF)))
PACE_MINUTES = 40  # between two acts, in the middle


@dataclass(slots=True)
class Recorded:
    """A case with its facts, each with what had been asked where it begins an answer."""

    case: Case | None = None
    steps: list[tuple[Fact, Case | None, Case, Asked | None]] = field(default_factory=list)

    def ask(self, command: Command, book: Rulebook, now: datetime) -> None:
        """Put one question. Raises what the rules raise."""
        moment = max(now, self.case.last_at) if self.case is not None else now
        around = Around(verifier=ActorRef("p-VF", Role.VERIFIER))
        facts, _ = advance(self.case, command, book, moment, around)
        asked: Asked | None = Asked(moment, command, around, book.calendar.revision)
        for fact in facts:
            before, self.case = self.case, evolve(self.case, fact)
            self.steps.append((fact, before, self.case, asked))
            asked = None


def recorded_cases(
    book: Rulebook, cases: int, seed: int, begin: datetime, days: int, codes: Sequence[str] = ()
) -> Iterator[Recorded]:
    """So many, reported over so many days from `begin`, of the classes `codes` or of any; each has 20 days to come to
    its end. Same seed, same cases."""
    rng = random.Random(seed)
    for number in range(cases):
        at = begin + timedelta(seconds=rng.randrange(days * 86400))
        yield _lived(book, _report(book, rng, number, at, codes or sorted(book.categories)), rng, at)


def _report(book: Rulebook, rng: random.Random, number: int, at: datetime, codes: Sequence[str]) -> OpenCase:
    kind = book.categories[rng.choice(codes)]
    community = rng.choice(COMMUNITIES)
    return OpenCase(
        case_id=f"01b00000-0000-7000-8000-{number:012x}",
        case_no=f"FC-{at:%Y%m%d}-{number:05d}",
        report_id=f"01b00000-0000-7000-9000-{number:012x}",
        reporter=ActorRef("p-GW", Role.GRID_WORKER),
        reported_at=at,
        source=rng.choice(("grid_worker", "grid_worker", "hotline_12345")),
        nature=Nature.COMPLAINT,
        category=kind.ref if rng.random() < 0.95 else None,
        danger=rng.random() < 0.03,
        life=False,
        spot=Spot(community[:9], community, community + "01", community + "001"),
        staff=rng.random() < 0.8,
    )


def _lived(book: Rulebook, report: OpenCase, rng: random.Random, now: datetime) -> Recorded:
    """Its way, until somebody leaves it lying."""
    recorded, end = Recorded(), now + timedelta(days=20)
    recorded.ask(report, book, now)
    for number in range(14):
        now += timedelta(minutes=PACE_MINUTES * rng.lognormvariate(0, 1.3))
        case = _timers(recorded, book, min(now, end))
        if now > end or case.state not in LIVE:
            break
        wish = _wish(case, book, rng)
        try:
            recorded.ask(Act(wish[1], wish[0], Inputs(**wish[2]), f"op{number}"), book, now)
        except GovernanceError:
            break
    _timers(recorded, book, end)
    return recorded


def _timers(recorded: Recorded, book: Rulebook, until: datetime) -> Case:
    """Each is heard of a second after its moment."""
    assert recorded.case is not None
    while (found := next_point(recorded.case, until)) is not None:
        clock, rung = found
        now = min(until, rung.at + timedelta(seconds=1))
        recorded.ask(TimerFired(clock.clock_id, clock.rev, rung.rung, rung.at), book, now)
    return recorded.case


def _wish(case: Case, book: Rulebook, rng: random.Random) -> tuple[Actor, Action, dict[str, Any]]:
    """Who would do what now."""
    lead = Actor("p-lead", (Post(Role.HANDLING_UNIT, unit=case.lead),))
    done = {"note": "办好了", "close_condition_met": True, "evidence": ("p1",)}
    category = case.category.code if case.category else sorted(book.categories)[0]
    condition = case.condition or book.categories[category].conditions[0]
    routed = case.routed.lead if case.routed else None
    dispatch = {
        "category": category,
        "condition": condition,
        "lead_unit": routed or sorted(book.units)[0],
        "reason": None if routed else "no_line",
    }
    by_state: dict[State, tuple[Actor, Action, dict[str, Any]]] = {
        State.REPORTED: (PEOPLE[Role.GRID_SECRETARY], Action.CALL_UP, {"reason": "no_means"}),
        State.AT_COMMUNITY: (
            PEOPLE[Role.COMMUNITY_SECRETARY],
            *(
                (Action.ACCEPT, {})
                if rng.random() < 0.4
                else (Action.CALL_UP, {"reason": "no_means", "note": "管不了"})
            ),
        ),
        State.COMMUNITY_HANDLING: (PEOPLE[Role.COMMUNITY_SECRETARY], Action.FEEDBACK, done),
        State.AT_STREET: (DESK, Action.FILE_DISPATCH, dispatch),
        State.FILED: (DESK, Action.DISPATCH, {"lead_unit": dispatch["lead_unit"], "reason": dispatch["reason"]}),
        State.DISPATCHED: (lead, Action.RESPOND, {"means": "on_site"}),
        State.HANDLING: (lead, Action.FEEDBACK, done),
        State.FED_BACK: (PEOPLE[Role.VERIFIER], Action.VERIFY_PASS, {"means": "on_site"}),
        State.VERIFIED: (PEOPLE[Role.VERIFIER], Action.VISIT, {"grade": "satisfied"}),
    }
    return by_state.get(case.state, (DESK, Action.NOTE, {"note": "看过了"}))


async def store(db: Database, cases: Sequence[Recorded], book: Rulebook) -> int:
    """Into schema dispatch, without events and shares; answers how many facts."""
    facts = 0
    for at in range(0, len(cases), 250):
        portion = cases[at : at + 250]
        whole = (one.case for one in portion if one.case is not None)
        rows = [{**case_row(case, book.calendar), "summary": "", "address": ""} for case in whole]
        told = [
            fact_row(f"01c00000-0000-7000-8000-{facts + n:012x}", fact, before, after, asked)
            for n, (fact, before, after, asked) in enumerate(step for one in portion for step in one.steps)
        ]
        async with db.transaction() as tx:
            await tx.execute(sa.text("SET LOCAL statement_timeout = '60s'"))
            await insert_rows(tx, tables.cases, rows)
            await insert_rows(tx, tables.case_facts, told)
        facts += len(told)
    return facts
