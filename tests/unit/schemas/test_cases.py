"""Stored cases and facts come back equal, and every fact the rules make can be published and read again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.cases import case_event, dump_case, dump_fact, load_case, load_fact, standing_of
from schemas.envelope import Envelope
from schemas.events.case import CASE_KINDS, CaseFactV1, CaseRoutedV1
from schemas.registry import decode, encode
from schemas.rulebook import load_rulebook
from services.governance.acts import (
    Act,
    Actor,
    ActorRef,
    CategoryRef,
    Change,
    Command,
    Fact,
    FactKind,
    Inputs,
    LeadAssigned,
    OpenCase,
    Post,
    Spot,
    TaskChanged,
    TaskGiven,
    TimerFired,
)
from services.governance.case import Case, decide, evolve, stage_of
from services.governance.cycle import Action, ClockKind, Flag, Nature, Role, Tier
from services.governance.rulebook import Rulebook

RULEBOOKS = Path(__file__).parents[3] / "deploy" / "rulebooks"
AT = datetime(2026, 3, 6, 1, 0, tzinfo=UTC)
SPOT = Spot("441802001", "441802001001", "44180200100101", "441802001001001", 113.0444, 23.7017)


@pytest.fixture(scope="module")
def book() -> Rulebook:
    calendars = {path.name: path.read_text("utf-8") for path in (RULEBOOKS / "calendars").glob("*.toml")}
    return load_rulebook((RULEBOOKS / "fengcheng.toml").read_text("utf-8"), calendars)


def opening(**changed: object) -> OpenCase:
    given_: dict[str, object] = {
        "case_id": "01950001-0000-7000-8000-000000000001",
        "case_no": "FC20260306-0001",
        "report_id": "01950002-0000-7000-8000-000000000002",
        "reporter": ActorRef("a-wangge01", Role.GRID_WORKER),
        "reported_at": AT,
        "source": "grid_worker",
        "nature": Nature.COMPLAINT,
        "category": CategoryRef("GB/T 30428.2", "2013", "0110"),
        "danger": False,
        "life": False,
        "spot": SPOT,
        "staff": True,
        "photos": ("p1",),
    }
    return OpenCase(**{**given_, **changed})  # type: ignore[arg-type]


def person(login: str, role: Role, area: str = "", unit: str | None = None) -> Actor:
    return Actor(f"a-{login}", (Post(role, area, unit),))


ROAD: tuple[tuple[Action, Actor, Inputs], ...] = (
    (Action.CALL_UP, person("zhibu01", Role.GRID_SECRETARY, "44180200100101"), Inputs(reason="no_means")),
    (Action.ANSWER, person("shequ01", Role.COMMUNITY_SECRETARY, "441802001001"), Inputs()),
    (
        Action.CALL_UP,
        person("shequ01", Role.COMMUNITY_SECRETARY, "441802001001"),
        Inputs(reason="no_enforcement", note="劝离无效"),
    ),
)


def walk(book: Rulebook, opened: OpenCase) -> Iterator[tuple[Fact, Case]]:
    """The case called up to the street, then left alone until its clocks have run out."""
    case: Case | None = None
    now = AT
    commands: list[Command] = [opened]
    commands += [Act(action, actor, inputs, f"op{n}") for n, (action, actor, inputs) in enumerate(ROAD)]
    for command in commands:
        now += timedelta(minutes=1)
        for fact in decide(case, command, book, now):
            case = evolve(case, fact)
            yield fact, case
    assert case is not None
    for _ in range(12):
        pending = [(r.at, c, r) for c in case.clocks for r in c.rungs if r.rung not in c.fired and c.running_since]
        if not pending:
            return
        at, clock, rung = min(pending, key=lambda row: (row[0], row[1].clock_id, row[2].rung))
        now = max(now, at)
        for fact in decide(case, TimerFired(clock.clock_id, clock.rev, rung.rung, rung.at), book, now):
            case = evolve(case, fact)
            yield fact, case


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"category": None},
        {"danger": True, "category": None, "direct": True},
        {"category": CategoryRef("STREET-EXT", "1", "2101")},
        {"spot": Spot("441802001")},
    ],
    ids=["plain", "unsure", "danger", "restricted", "nowhere"],
)
def test_facts_and_cases_survive_storing_and_the_wire(book: Rulebook, changed: dict[str, object]) -> None:
    seen = 0
    for fact, case in walk_as_far_as_it_goes(book, opening(**changed)):
        seen += 1
        assert load_fact(dump_fact(fact)) == fact
        assert load_case(dump_case(case)) == case
        body = case_event(fact, case)
        env = Envelope(UUID(int=seen), str(fact.kind), 1, "grid/dispatch", fact.at, case.case_id, case.sequence, body)
        headers, payload = encode(env)
        assert decode({name: value.encode() for name, value in headers.items()}, payload) == env
        assert (body.standing.sequence, body.standing.stage) == (case.sequence, stage_of(case))
    assert seen > 2


def walk_as_far_as_it_goes(book: Rulebook, opened: OpenCase) -> Iterator[tuple[Fact, Case]]:
    """Danger and places outside every cell stand at the street at once, where the branch has nothing to call."""
    if not opened.danger and opened.spot.cell:
        yield from walk(book, opened)
        return
    case: Case | None = None
    for fact in decide(None, opened, book, AT):
        case = evolve(case, fact)
        yield fact, case
    assert case is not None
    assert case.tier is Tier.STREET
    for clock in case.clocks:
        rung = clock.rungs[0]
        for fact in decide(case, TimerFired(clock.clock_id, clock.rev, rung.rung, rung.at), book, rung.at):
            case = evolve(case, fact)
            yield fact, case


def test_a_breach_names_its_clock(book: Rulebook) -> None:
    breaches = [(f, c) for f, c in walk(book, opening()) if f.kind == FactKind.OVERDUE]
    assert breaches
    for fact, case in breaches:
        point = case_event(fact, case).clock
        assert point is not None
        assert point.act == "overdue"
        assert Flag.OVERDUE in case_event(fact, case).standing.flags


def test_what_is_published_equals_what_the_rules_hold(book: Rulebook) -> None:
    """The wire class is filled by attribute: compare each field with the rules' own JSON."""
    for fact, case in walk(book, opening()):
        told = standing_of(case).model_dump(mode="json")
        held = orjson.loads(dump_case(case))
        for name in ("case_id", "case_no", "version", "state", "tier", "urgency", "category", "spot", "owner", "flags"):
            assert told[name] == held[name], name
        assert told["lead_unit"] == held["lead"]
        for mine, theirs in zip(told["clocks"], held["clocks"], strict=True):
            assert {k: v for k, v in mine.items() if k not in MOMENTS} == {
                k: theirs[k] for k in mine if k not in MOMENTS
            }
        assert case_event(fact, case).actor.account == fact.actor.account


MOMENTS = {"started_at", "due_at", "original_due", "rungs"}  # written with 'Z' here and '+00:00' there


def test_every_fact_kind_is_published() -> None:
    assert {kind.value for kind in FactKind} == set(CASE_KINDS) - {"case.command_refused"}


def test_routing_travels_with_the_fact_that_chose(book: Rulebook) -> None:
    chosen = [(f, c) for f, c in walk(book, opening()) if CASE_KINDS[f.kind][-1] is CaseRoutedV1]
    assert chosen
    bodies = [case_event(fact, case) for fact, case in chosen]
    assert any(isinstance(body, CaseRoutedV1) and body.routing is not None for body in bodies)


def test_no_free_text_in_any_event_class() -> None:
    def names(cls: type) -> set[str]:
        return set(cls.model_fields)  # type: ignore[attr-defined]

    for versions in CASE_KINDS.values():
        for cls in versions:
            assert not names(cls) & {"note", "text", "name", "phone", "address", "words"}


def test_a_change_keeps_its_class() -> None:
    """TaskGiven and TaskChanged have the same fields: only the tag tells them apart."""
    task = {"task_id": "t", "kind": "co", "unit": "huanwei", "person": None, "state": "doing", "given_at": AT}
    made = [TypeAdapter(cls).validate_python({"task": task}) for cls in (TaskGiven, TaskChanged)]
    fact = Fact(FactKind.CO_ADDED, AT, ActorRef("a"), None, (*made, LeadAssigned(None)))
    assert [type(c) for c in load_fact(dump_fact(fact)).changes] == [TaskGiven, TaskChanged, LeadAssigned]


SAFE = {
    datetime: st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False, width=32),
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
}
for kind_, strategy in SAFE.items():
    st.register_type_strategy(kind_, strategy)


@pytest.mark.parametrize("cls", get_args(Change), ids=lambda cls: cls.__name__)
def test_every_change_survives_storing(cls: type[Change]) -> None:
    @given(st.from_type(cls))
    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    def survives(change: Change) -> None:
        fact = Fact(FactKind.NOTED, AT, ActorRef("a"), Action.NOTE, (change,))
        assert load_fact(dump_fact(fact)) == fact

    survives()


def test_an_older_case_without_newer_fields_still_loads(book: Rulebook) -> None:
    _, case = next(walk(book, opening()))
    optional = {"photos", "last_urged", "undo"} & {field.name for field in fields(Case)}
    held = {key: value for key, value in orjson.loads(dump_case(case)).items() if key not in optional}
    assert load_case(orjson.dumps(held)).case_id == case.case_id


def test_an_event_says_who_and_by_which_rule(book: Rulebook) -> None:
    facts = list(walk(book, opening()))
    for fact, case in facts:
        body: CaseFactV1 = case_event(fact, case)
        if fact.actor.account is None:
            assert body.rule is not None, fact.kind
            assert body.rule.rulebook == book.version


def test_what_a_clock_did_late_is_told_with_the_planned_and_the_real_time(book: Rulebook) -> None:
    """Also where the act ends the clock."""
    opened = decide(None, opening(), book, AT)
    case: Case | None = None
    for fact in opened:
        case = evolve(case, fact)
    assert case is not None
    clock = next(c for c in case.clocks if c.kind is ClockKind.GRID_RESPONSE)
    late = clock.due_at + timedelta(hours=5)
    fired = TimerFired(clock.clock_id, clock.rev, clock.rungs[0].rung, clock.due_at)
    called = None
    for fact in decide(case, fired, book, late):
        after = evolve(case, fact)
        if fact.kind == FactKind.CALLED and called is None:
            called = case_event(fact, after, case, late).clock
        case = after
    assert called is not None
    assert (called.kind, called.act, called.at, called.acted_at) == (clock.kind, "auto_call_up", clock.due_at, late)
