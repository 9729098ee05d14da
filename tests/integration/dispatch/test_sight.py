"""Who sees how much: the predicate of every query says what the rules say, whatever the case and whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.db import Database
from services.chassis.settings import DatabaseSettings
from services.dispatch.store import Tx
from services.dispatch.store.audience import audience_of, handled_cases, readable_cases, scope_of, visible_cases
from services.dispatch.store.bulk import insert_rows
from services.dispatch.store.columns import case_row
from services.dispatch.tables import cases
from services.governance.acts import Actor, Post, Spot, Task, TaskState
from services.governance.case import Case, Sight, may_see
from services.governance.cycle import Flag, Role, State, Tier
from tests.support.postgres import TestServer
from tests.unit.dispatch.conftest import NOW, opened, rulebook

CALENDAR = rulebook().calendar
STREETS = ("441802001", "441802002")
PEOPLE = ("anna", "bert", "carl")
UNITS = ("huanwei", "zhifadui", "wuye")
AREAS = (
    "",
    *STREETS,
    *(f"{s}00{c}" for s in STREETS for c in "12"),
    "44180200100101",
    "44180200100102",
    "44180200200101",
)


@pytest.fixture(scope="module")
def url(postgres: TestServer) -> Iterator[str]:
    from services.chassis.migrate import migrate

    template = postgres.template("grid_test_template", lambda at: (migrate(at, test_database=True), None)[1])
    name = postgres.copy_of(template)
    yield postgres.url(name)
    postgres.drop(name)


@st.composite
def spots(draw: st.DrawFn) -> Spot:
    street = draw(st.sampled_from(STREETS))
    community = draw(st.sampled_from((None, f"{street}001", f"{street}002")))
    grid = draw(st.sampled_from((None, f"{community}01", f"{community}02"))) if community else None
    return Spot(street, community, grid)


tasks = st.builds(
    Task,
    st.uuids().map(str),
    st.sampled_from(("lead", "co", "verify", "confirm", "mediate")),
    st.sampled_from((None, *UNITS)),
    st.sampled_from((None, *PEOPLE)),
    st.sampled_from(TaskState),
    st.just(NOW),
)
some_cases = st.builds(
    lambda number, **changes: replace(opened(), case_id=str(number), case_no=str(number), **changes),
    st.uuids(),
    state=st.one_of(st.sampled_from((State.CLOSED, State.FED_BACK)), st.sampled_from(State)),
    tier=st.sampled_from(Tier),
    restricted=st.booleans(),
    history=st.booleans(),
    spot=spots(),
    lead=st.sampled_from((None, *UNITS)),
    tasks=st.lists(tasks, max_size=3).map(tuple),
    handlers=st.frozensets(st.sampled_from(PEOPLE), max_size=1),
    reporter=st.sampled_from((None, *PEOPLE)),
    flags=st.frozensets(st.sampled_from((Flag.IN_CONFERENCE, Flag.PLATFORM_NOTICED, Flag.RESTRICTED)), max_size=2),
)
seeing = st.sampled_from((Role.VERIFIER, Role.INTAKE_CLERK, Role.COMMUNITY_SECRETARY, Role.GRID_WORKER))
posts = st.builds(
    Post, st.one_of(seeing, st.sampled_from(Role)), st.sampled_from(AREAS), st.sampled_from((None, *UNITS))
)
actors = st.builds(Actor, st.sampled_from((*PEOPLE, "nobody")), st.lists(posts, max_size=3).map(tuple))


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    st.lists(some_cases, min_size=5, max_size=12, unique_by=lambda case: case.case_id),
    st.lists(actors, min_size=5, max_size=15),
)
def test_sql_and_rules_give_the_same_sight(url: str, stored: list[Case], asking: list[Actor]) -> None:
    asyncio.run(_compare(url, stored, asking))


async def _compare(url: str, stored: list[Case], asking: list[Actor]) -> None:
    db = Database(DatabaseSettings(url=url, pool_size=1), "test")
    try:
        async with db.transaction() as tx:
            rows = [{**case_row(case, CALENDAR), "summary": "", "address": ""} for case in stored]
            await insert_rows(tx, cases, rows)
            for actor in asking:
                told = {case.case_id: may_see(case, actor) for case in stored}
                assert await _in_sql(tx, actor) == {k: sight for k, sight in told.items() if sight is not Sight.NONE}
                closest = {case.case_id: may_see(replace(case, restricted=True), actor) for case in stored}
                assert await _handled(tx, actor) == {k for k, sight in closest.items() if sight is Sight.FULL}
            await tx.rollback()
    finally:
        await db.close()


async def _in_sql(tx: Tx, actor: Actor) -> dict[str, Sight]:
    scope = scope_of(actor)
    query = sa.select(cases.c.id, readable_cases(scope)).where(visible_cases(scope))
    return {str(row[0]): Sight.FULL if row[1] else Sight.CLASS_ONLY for row in await tx.execute(query)}


async def _handled(tx: Tx, actor: Actor) -> set[str]:
    """House numbers are for whoever would read all of the case if it were restricted."""
    scope = scope_of(actor)
    query = sa.select(cases.c.id).where(visible_cases(scope), handled_cases(scope))
    return {str(found) for found in (await tx.execute(query)).scalars()}


@given(some_cases, actors)
def test_who_reads_a_case_in_full_stands_in_its_audience_or_checks_what_is_closed(case: Case, actor: Actor) -> None:
    """What the live feed asks when somebody loses sight of a case."""
    shares = not scope_of(actor).tokens.isdisjoint(audience_of(case))
    checks = case.state is State.CLOSED and any(post.role is Role.VERIFIER for post in actor.posts)
    assert shares is (may_see(case, actor) is not Sight.NONE) or checks
