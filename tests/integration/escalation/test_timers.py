"""Timers follow the clocks of facts and fire once, whatever happens around them."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from schemas.events.sla import SlaFiredV1
from schemas.registry import decode
from services.escalation.tables import outbox
from services.escalation.usecases.fire import fire_due
from services.governance.acts import ClockState
from tests.integration.escalation.conftest import House, clock, fact

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)
MANY = 10_000


async def test_only_the_next_rung_of_each_clock_is_armed(house: House) -> None:
    now = await house.now()
    await house.hear(fact("a", clock("a", now + HOUR, now + 2 * HOUR), clock("a", now + 3 * HOUR, name="whole")))
    assert await house.armed() == {("a:handling", 1, 0), ("a:whole", 1, 0)}


async def test_a_moved_clock_disarms_its_older_revision(house: House) -> None:
    now = await house.now()
    await house.hear(fact("a", clock("a", now + HOUR)))
    await house.hear(fact("a", clock("a", now + 2 * HOUR, rev=2)))
    assert await house.timers() == {("a:handling", 1, 0, "disarmed"), ("a:handling", 2, 0, "armed")}


@pytest.mark.parametrize("state", [ClockState.PAUSED, ClockState.STOPPED])
async def test_a_clock_that_stands_has_no_armed_timer(house: House, state: ClockState) -> None:
    now = await house.now()
    await house.hear(fact("a", clock("a", now + HOUR), clock("a", now + HOUR, name="whole")))
    await house.hear(fact("a", clock("a", now + HOUR, state=state), clock("a", now + HOUR, name="whole", state=state)))
    assert await house.armed() == set()


async def test_resuming_arms_the_new_revision(house: House) -> None:
    now = await house.now()
    await house.hear(fact("a", clock("a", now + HOUR)))
    await house.hear(fact("a", clock("a", now + HOUR, rev=2, state=ClockState.PAUSED)))
    await house.hear(fact("a", clock("a", now + 5 * HOUR, rev=3)))
    assert await house.armed() == {("a:handling", 3, 0)}


async def test_the_newest_standing_of_a_batch_decides(house: House) -> None:
    now = await house.now()
    await house.hear(
        fact("a", clock("a", now + HOUR)), fact("a", clock("a", now + HOUR, state=ClockState.STOPPED)), fact("b")
    )
    assert await house.timers() == set()


async def test_a_timer_armed_in_the_past_fires(house: House) -> None:
    now = await house.now()
    await house.hear(fact("a", clock("a", now - 40 * HOUR)))
    fired = await house.fire()
    assert fired.count == 1
    assert fired.lateness_s[0] >= 40 * 3600


async def test_firing_arms_the_next_rung_and_tells_of_the_planned_and_the_real_time(house: House) -> None:
    now = await house.now()
    await house.hear(fact("a", clock("a", now - HOUR, now + HOUR)))
    await house.fire()
    assert await house.timers() == {("a:handling", 1, 0, "fired"), ("a:handling", 1, 1, "armed")}
    [(headers, payload, sequence)] = await house.rows("SELECT headers, payload, seq FROM escalation.outbox")
    event = decode({name: value.encode() for name, value in headers.items()}, payload)
    assert isinstance(event.data, SlaFiredV1)
    assert (event.type, event.subject, sequence) == ("sla.fired", "a", 1)
    assert (event.data.clock_id, event.data.rev, event.data.rung) == ("a:handling", 1, 0)
    assert event.data.due_at == now - HOUR
    assert event.data.fired_at >= now


async def test_missed_rungs_fire_each_once_and_in_order(house: House) -> None:
    now = await house.now()
    await house.hear(fact("a", clock("a", now - 3 * HOUR, now - 2 * HOUR, now - HOUR)))
    while (await house.fire()).count:
        pass
    fired = await house.rows("SELECT rung, due_at FROM escalation.firings ORDER BY fired_at, rung")
    assert fired == [(0, now - 3 * HOUR), (1, now - 2 * HOUR), (2, now - HOUR)]
    assert [row[0] for row in await house.rows("SELECT seq FROM escalation.outbox ORDER BY id")] == [1, 2, 3]


async def test_an_echo_of_a_fired_rung_does_not_arm_it_again(house: House) -> None:
    now = await house.now()
    late = clock("a", now - HOUR, now + HOUR)
    await house.hear(fact("a", late))
    await house.fire()
    await house.hear(fact("a", late))  # dispatch has not heard of the firing yet
    assert await house.armed() == {("a:handling", 1, 1)}
    assert (await house.fire()).count == 0


async def test_a_rung_that_dispatch_settled_itself_is_not_fired(house: House) -> None:
    now = await house.now()
    await house.hear(fact("a", clock("a", now - HOUR, now + HOUR)))
    await house.hear(fact("a", clock("a", now - HOUR, now + HOUR, fired=(0,))))
    assert await house.armed() == {("a:handling", 1, 1)}
    assert (await house.fire()).count == 0


async def test_history_arms_nothing(house: House) -> None:
    now = await house.now()
    await house.hear(fact("a", clock("a", now + HOUR), history=True))
    assert await house.timers() == set()


async def test_a_crash_before_commit_leaves_the_timer_armed(house: House) -> None:
    now = await house.now()
    await house.hear(fact("a", clock("a", now - HOUR)))
    crash = asyncio.create_task(_fire_and_die(house))
    await asyncio.wait([crash])
    assert isinstance(crash.exception(), ConnectionResetError)
    assert await house.rows("SELECT 1 FROM escalation.firings UNION ALL SELECT 1 FROM escalation.outbox") == []
    assert (await house.fire()).count == 1


async def _fire_and_die(house: House) -> None:
    async with house.db.transaction() as tx:
        assert (await fire_due(tx, outbox, house.ids, 10)).count == 1
        raise ConnectionResetError


async def test_a_timer_that_is_being_disarmed_is_not_fired(house: House) -> None:
    now = await house.now()
    await house.hear(fact("a", clock("a", now - HOUR)), fact("b", clock("b", now - HOUR)))
    async with house.db.transaction() as tx:
        await house.apply(tx, fact("a", clock("a", now - HOUR, state=ClockState.STOPPED)))
        assert (await house.fire()).count == 1  # b; a's row is locked and left alone
    assert (await house.fire()).count == 0
    assert await house.rows("SELECT case_id FROM escalation.firings") == [("b",)]


async def test_disarming_waits_for_a_firing_under_way_and_leaves_its_successor_disarmed(house: House) -> None:
    now = await house.now()
    await house.hear(fact("a", clock("a", now - HOUR, now + HOUR)))
    async with house.db.transaction() as tx:
        assert (await fire_due(tx, outbox, house.ids, 10)).count == 1
        stopping = asyncio.create_task(
            house.hear(fact("a", clock("a", now - HOUR, now + HOUR, state=ClockState.STOPPED)))
        )
        await asyncio.sleep(0.3)
        assert not stopping.done()
    await stopping
    assert await house.armed() == set()


async def test_two_loops_fire_ten_thousand_timers_once_each(house: House) -> None:
    async with house.db.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO escalation.sla_timers (case_id, clock_id, kind, rev, rung, due_at, rungs, state)"
                " SELECT 'case' || n / 3, 'clock' || n, 'handling', 1, 0,"
                " directory.grid_now() - make_interval(secs => n), '[]', 'armed' FROM generate_series(1, :many) AS n"
            ),
            {"many": MANY},
        )

    async def drain() -> int:
        fired = 0
        while (batch := (await house.fire()).count) or await house.armed():
            fired += batch
        return fired

    began = time.monotonic()
    assert sum(await asyncio.gather(drain(), drain())) == MANY
    assert time.monotonic() - began < 240
    assert await house.rows("SELECT count(*), count(DISTINCT clock_id) FROM escalation.firings") == [(MANY, MANY)]
    gaps = await house.rows(
        "SELECT key FROM escalation.outbox GROUP BY key HAVING count(*) <> max(seq) OR count(DISTINCT seq) <> count(*)"
    )
    assert gaps == []


async def test_missed_rungs_of_several_clocks_are_told_in_the_order_of_their_planned_times(house: House) -> None:
    """Also when one batch holds them all, and when the clocks' rungs lie between each other."""
    now = await house.now()
    mine = clock("a", now - 9 * HOUR, now - 5 * HOUR, now - HOUR)
    whole = clock("a", now - 7 * HOUR, now - 3 * HOUR, now + HOUR, name="whole")
    await house.hear(fact("a", mine, whole), fact("b", clock("b", now - 4 * HOUR)))
    while (await house.fire()).count:
        pass
    told = await house.rows("SELECT payload FROM escalation.outbox WHERE key = 'a' ORDER BY seq")
    dues = [SlaFiredV1.model_validate_json(payload).due_at for (payload,) in told]
    assert dues == [now - hours * HOUR for hours in (9, 7, 5, 3, 1)]
    assert await house.armed() == {("a:whole", 1, 2)}
    assert await house.rows("SELECT count(*) FROM escalation.sla_timers WHERE state = 'fired'") == [(6,)]


async def test_small_batches_keep_the_order_too(house: House) -> None:
    now = await house.now()
    for case in "abc":
        early = clock(case, now - 9 * HOUR, now - 8 * HOUR, now - HOUR)
        await house.hear(fact(case, early, clock(case, now - 8.5 * HOUR, now - 2 * HOUR, name="whole")))
    while (await house.fire(limit=1)).count:
        pass
    told = await house.rows("SELECT payload FROM escalation.outbox ORDER BY id")
    dues = [SlaFiredV1.model_validate_json(payload).due_at for (payload,) in told]
    assert len(dues) == 15
    assert dues == sorted(dues)


async def test_a_timer_waits_for_an_earlier_one_of_its_case_that_somebody_holds(house: House) -> None:
    now = await house.now()
    await house.hear(fact("a", clock("a", now - 3 * HOUR), clock("a", now - HOUR, name="whole")), fact("b"))
    async with house.db.transaction() as tx:
        await tx.execute(sa.text("SELECT FROM escalation.sla_timers WHERE clock_id = 'a:handling' FOR UPDATE"))
        assert (await house.fire()).count == 0
    assert (await house.fire()).count == 2
    assert await house.rows("SELECT clock_id FROM escalation.outbox JOIN escalation.firings USING (event_id)"
                            " ORDER BY seq") == [("a:handling",), ("a:whole",)]  # fmt: skip


async def test_one_process_fires_and_the_others_stand_by(house: House) -> None:
    now = await house.now()
    await house.hear(fact("a", clock("a", now - HOUR)), fact("b", clock("b", now - HOUR)))
    async with house.db.transaction() as tx:
        assert (await fire_due(tx, outbox, house.ids, 1)).count == 1
        other = await house.fire()
        assert (other.count, other.standby) == (0, True)
    assert (await house.fire()).count == 1


async def test_a_rung_that_fired_once_is_passed_over_by_the_chain_behind_it(house: House) -> None:
    """Its clock may come by again with the same revision; what comes after it is armed all the same."""
    now = await house.now()
    await house.hear(fact("a", clock("a", now - 3 * HOUR, now - 2 * HOUR, now + HOUR)))
    async with house.db.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO escalation.firings (clock_id, rev, rung, case_id, due_at, fired_at, event_id)"
                " VALUES ('a:handling', 1, 1, 'a', now(), now(), gen_random_uuid())"
            )
        )
    assert (await house.fire()).count == 1
    assert await house.armed() == {("a:handling", 1, 2)}
