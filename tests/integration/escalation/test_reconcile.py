"""The comparison of the timers with the clocks of the cases: what differs is mended and counted, what is on its way
is none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import orjson
import pytest
import sqlalchemy as sa

from services.chassis.clock import monotonic
from services.chassis.telemetry import Metrics
from services.escalation.settings import TimerCheckSettings
from services.escalation.store import checks
from services.escalation.store.checks import Check, Found
from services.escalation.usecases.reconcile import Reconciler
from services.governance.acts import ClockState
from services.governance.cycle import State
from tests.integration.escalation.conftest import House, clock, fact

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)
A, B = "0197a000-0000-7000-8000-00000000000a", "0197a000-0000-7000-8000-00000000000b"

_CASE = """
INSERT INTO dispatch.cases (id, case_no, street, state, stage, tier, urgency, nature, source, restricted, history, live,
  reports, hand_overs, returns, opened_at, last_at, version, sequence, rulebook, body)
VALUES (CAST(:id AS uuid), :no, 's', :state, 'disposal', 'T2', 'U2', 'complaint', 'app', false, false, :live,
  1, 0, 0, now(), now(), :seq, :seq, 'r', CAST(:body AS json))
ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, body = excluded.body, live = excluded.live"""
_HEARD = """
INSERT INTO escalation.stream_positions (consumer, source, topic, key, last_seq)
VALUES ('grid-escalation', 'grid/dispatch', 'grid.case.v1', convert_to(:id, 'UTF8'), :seq)
ON CONFLICT (consumer, source, topic, key) DO UPDATE SET last_seq = excluded.last_seq"""


async def tell(
    house: House, case_id: str, *clocks: object, seq: int = 1, heard: bool = True, live: bool = True
) -> None:
    """The case as dispatch keeps it, and up to where escalation has heard of it."""
    body = {"clocks": [orjson.loads(each.model_dump_json()) for each in clocks]}  # type: ignore[attr-defined] # ClockV1
    values = {"id": case_id, "no": case_id[-4:], "state": State.HANDLING.value, "seq": seq, "live": live}
    async with house.db.transaction() as tx:
        await tx.execute(sa.text(_CASE), {**values, "body": orjson.dumps(body).decode()})
        await tx.execute(sa.text(_HEARD), {"id": case_id, "seq": seq if heard else seq - 1})


async def check(house: House) -> Found:
    settings = TimerCheckSettings(GRID_TIMER_CHECK_SHARE=1, GRID_TIMER_CHECK_BATCH=2)
    found = await Reconciler(house.db, settings, Metrics("test"), monotonic).once(asyncio.Event())
    assert found is not None
    return found


async def last(house: House) -> tuple[Check, Sequence[tuple[str, checks.Point]]]:
    async with house.db.reading() as tx:
        newest = (await checks.newest(tx, 1))[0]
        mended = (await checks.repairs_of(tx, [newest.id])).get(newest.id, [])
    return newest, [(one.what, one.point) for one in mended]


async def test_what_is_as_it_must_be_is_left_alone(house: House) -> None:
    now = await house.now()
    mine = clock(A, now - HOUR, now + HOUR), clock(A, now + 3 * HOUR, name="whole")
    await house.hear(fact(A, *mine))
    await house.fire()
    await tell(house, A, *mine)
    found = await check(house)
    assert (found.cases, found.armed, found.unheard) == (1, 2, 0)
    assert (found.missing, found.surplus, found.moved) == (0, 0, 0)
    told, mended = await last(house)
    assert told.ended_at is not None
    assert (told.found, list(mended)) == (found, [])


async def test_a_timer_that_was_lost_is_armed_again_with_what_comes_after_it(house: House) -> None:
    now = await house.now()
    await tell(house, A, clock(A, now - HOUR, now + HOUR, now + 2 * HOUR, fired=(0,)))
    found = await check(house)
    assert (found.missing, found.surplus, found.moved) == (1, 0, 0)
    assert (await last(house))[1] == [("missing", (f"{A}:handling", 1, 1))]
    assert await house.armed() == {(f"{A}:handling", 1, 1)}
    rows = await house.rows("SELECT due_at, rungs FROM escalation.sla_timers")
    assert rows == [(now + HOUR, [{"at": (now + 2 * HOUR).isoformat().replace("+00:00", "Z"), "rung": 2}])]
    assert (await check(house)).missing == 0


async def test_a_timer_for_another_time_or_another_revision_is_put_right(house: House) -> None:
    now = await house.now()
    await house.hear(fact(A, clock(A, now + HOUR), clock(A, now + HOUR, name="whole")))
    await house.rows("SELECT 1")
    await tell(house, A, clock(A, now + 2 * HOUR), clock(A, now + HOUR, rev=2, name="whole"))
    found = await check(house)
    assert (found.missing, found.surplus, found.moved) == (1, 1, 1)
    assert await house.armed() == {(f"{A}:handling", 1, 0), (f"{A}:whole", 2, 0)}
    assert await house.rows("SELECT due_at FROM escalation.sla_timers WHERE state = 'armed' AND rev = 1") == [
        (now + 2 * HOUR,)
    ]


async def test_what_is_armed_for_nothing_is_disarmed(house: House) -> None:
    """A clock that stands, a case that has ended, and one that there is not."""
    now = await house.now()
    for case_id in (A, B, "nobody's"):
        await house.hear(fact(case_id, clock(case_id, now + HOUR)))
    await tell(house, A, clock(A, now + HOUR, state=ClockState.PAUSED))
    await tell(house, B, live=False)
    found = await check(house)
    assert (found.surplus, found.missing) == (3, 0)
    assert await house.armed() == set()


async def test_a_fact_on_its_way_is_no_difference(house: House) -> None:
    now = await house.now()
    await house.hear(fact(A, clock(A, now + HOUR)))
    await tell(house, A, clock(A, now + 5 * HOUR, rev=2), seq=7, heard=False)
    found = await check(house)
    assert (found.unheard, found.missing, found.surplus) == (1, 0, 0)
    assert await house.armed() == {(f"{A}:handling", 1, 0)}


async def test_a_rung_that_fired_and_has_not_been_acted_on_is_not_armed_again(house: House) -> None:
    now = await house.now()
    late = clock(A, now - HOUR, now + HOUR)
    await house.hear(fact(A, late))
    await house.fire()
    await tell(house, A, late)
    assert (await check(house)).missing == 0


async def test_overdue_cases_for_which_nothing_is_planned_are_named(house: House) -> None:
    now = await house.now()
    await tell(house, A, clock(A, now - HOUR, fired=(0,)))
    await tell(house, B, _due(clock(B, now - HOUR, now + HOUR, fired=(0,)), now - HOUR))
    found = await check(house)
    assert (found.overdue, found.stepless, found.stepless_cases) == (2, 1, [A[-4:]])


async def test_a_case_whose_last_step_has_fired_and_is_not_acted_on_yet_is_not_without_one(house: House) -> None:
    """By the case's own ladder: what comes after it, if anything, dispatch tells with the act."""
    now = await house.now()
    last_step = clock(A, now - HOUR)
    await house.hear(fact(A, last_step))
    await house.fire()
    await tell(house, A, last_step)
    found = await check(house)
    assert (found.overdue, found.stepless) == (1, 0)
    await tell(house, A, clock(A, now - HOUR, fired=(0,)), seq=2)
    assert (await check(house)).stepless == 1


def _due(made: object, at: datetime) -> object:
    return made.model_copy(update={"due_at": at})  # type: ignore[attr-defined] # ClockV1


async def test_one_asks_for_it_and_it_is_told_as_asked_for(house: House) -> None:
    async with house.db.transaction() as tx:
        number = await checks.ask(tx, str(UUID(int=1)))
        assert await checks.ask(tx, str(UUID(int=2))) == number
    await check(house)
    told, _ = await last(house)
    assert (told.id, told.asked_by) == (number, str(UUID(int=1)))
    assert told.ended_at is not None


async def test_of_two_processes_one_compares(house: House) -> None:
    async with house.db.session() as other:
        assert await checks.take_turn(other)
        reconciler = Reconciler(house.db, TimerCheckSettings(), Metrics("test"), monotonic)
        assert await reconciler.once(asyncio.Event()) is None
