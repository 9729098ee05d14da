"""Deliveries leave in order per (endpoint, case), again and again until they arrive or are given up."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from schemas.events.case import ClockPointV1
from services.chassis.secretbox import SecretBox
from services.escalation.store import deliveries
from services.escalation.store.dead import Chosen, send_again
from services.escalation.usecases.deliver import Sent
from services.escalation.webhooks.client import Outcome
from services.governance.acts import ClockState
from services.governance.cycle import ClockKind
from tests.integration.escalation.conftest import DOWN, OK, House, clock, endpoint_id, fact

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)
LATE = "case.overdue"


async def test_numbers_are_dense_per_endpoint_and_case(house: House) -> None:
    late, closed = await house.endpoint(LATE), await house.endpoint(LATE, "case.closed")
    await house.hear(fact("a", kind=LATE), fact("b", kind=LATE), fact("a", kind="case.closed"), fact("a", kind=LATE))
    await house.hear(fact("a", kind=LATE), fact("a"))
    rows = await house.rows("SELECT endpoint_id, case_id, seq, type FROM escalation.webhook_deliveries ORDER BY seq")
    kinds = {
        (made, case_id): [(seq, kind) for e, c, seq, kind in rows if (e, c) == (endpoint_id(made), case_id)]
        for made in (late, closed)
        for case_id in "ab"
    }
    assert kinds[(late, "a")] == [(1, LATE), (2, LATE), (3, LATE)]
    assert kinds[(late, "b")] == kinds[(closed, "b")] == [(1, LATE)]
    assert kinds[(closed, "a")] == [(1, LATE), (2, "case.closed"), (3, LATE), (4, LATE)]


async def test_the_body_repeats_what_its_unsigned_headers_say(house: House) -> None:
    await house.endpoint(LATE)
    event = fact("a", kind=LATE)
    await house.hear(event)
    await house.deliverer().once()
    [(headers, body)] = house.platform.posted
    told = json.loads(body)
    assert told["type"] == headers["ce-type"] == LATE
    assert told["data"]["event_id"] == headers["ce-id"] == str(event.id)
    assert told["data"]["sequence"] == int(headers["ce-sequence"]) == 1
    assert told["data"]["case_sequence"] == event.sequence
    assert told["data"]["intent"] == "notice"


@pytest.mark.parametrize(("minutes", "ratio"), [(0, 0.0), (30, 0.5), (-15, -0.25)])
async def test_how_late_the_clock_was_is_told_in_its_own_time(house: House, minutes: int, ratio: float) -> None:
    await house.endpoint(LATE)
    event = fact("a", kind=LATE)
    due = event.time - timedelta(minutes=minutes)
    standing = event.data.standing.model_copy(update={"clocks": (clock("a", due),)})
    point = ClockPointV1(clock_id="a:handling", kind=ClockKind.HANDLING, rung=0, act="overdue", due_at=due)
    object.__setattr__(event, "data", event.data.model_copy(update={"standing": standing, "clock": point}))
    await house.hear(event)
    await house.deliverer().once()
    assert json.loads(house.platform.posted[0][1])["data"]["overdue_ratio"] == ratio


async def test_a_stopped_clock_tells_no_ratio(house: House) -> None:
    await house.endpoint("case.closed")
    stopped = clock("a", await house.now(), state=ClockState.STOPPED)
    await house.hear(fact("a", stopped, kind="case.closed"))
    await house.deliverer().once()
    assert "overdue_ratio" not in json.loads(house.platform.posted[0][1])["data"]


async def test_the_same_fact_is_queued_once(house: House) -> None:
    await house.endpoint(LATE)
    event = fact("a", kind=LATE)
    await house.hear(event)
    await house.hear(event)
    assert await house.rows("SELECT count(*), max(seq) FROM escalation.webhook_deliveries") == [(1, 1)]


async def test_only_the_head_of_a_case_goes_and_other_cases_pass_it(house: House) -> None:
    await house.endpoint(LATE)
    await house.hear(fact("a", kind=LATE), fact("a", kind=LATE), fact("b", kind=LATE), fact("b", kind=LATE))
    house.platform.answer = lambda headers: DOWN if headers["ce-subject"] == "a" else OK
    sender = house.deliverer()
    while await sender.once():
        pass
    assert sorted(house.platform.numbers) == [("a", 1), ("b", 1), ("b", 2)]
    house.platform.answer = lambda _: OK
    await house.later(10)
    while await sender.once():
        pass
    assert house.platform.numbers[3:] == [("a", 1), ("a", 2)]


async def test_a_failed_message_keeps_its_id_waits_its_time_and_at_last_frees_the_next(house: House) -> None:
    await house.endpoint(LATE)
    await house.hear(fact("a", kind=LATE), fact("a", kind=LATE))
    house.platform.answer = lambda headers: DOWN if headers["ce-sequence"] == "1" else OK
    sender = house.deliverer()
    for wait in (7, 75, 0):
        assert await sender.once() == 1
        await house.later(wait)
    assert await sender.once() == 1, "the second message, now that the first is dead"
    assert house.platform.numbers == [("a", 1), ("a", 1), ("a", 1), ("a", 2)]
    assert len(set(house.platform.ids[:3])) == 1
    states = await house.rows("SELECT seq, state, attempts FROM escalation.webhook_deliveries ORDER BY seq")
    assert states == [(1, "dead", 3), (2, "delivered", 1)]
    tries = await house.rows("SELECT n, status, error, reply FROM escalation.webhook_attempts ORDER BY at, n")
    assert tries[:3] == [(n, 503, "status_503", "busy") for n in (1, 2, 3)]


async def test_retry_after_is_honoured(house: House) -> None:
    await house.endpoint(LATE)
    await house.hear(fact("a", kind=LATE))
    house.platform.answer = lambda _: Outcome(429, None, 3, "", retry_after="600")
    sender = house.deliverer()
    await sender.once()
    await house.later(590)
    assert await sender.once() == 0
    await house.later(15)
    assert await sender.once() == 1


async def test_a_sender_that_died_is_followed_by_another_with_the_same_id(house: House) -> None:
    await house.endpoint(LATE)
    await house.hear(fact("a", kind=LATE), fact("a", kind=LATE))
    async with house.db.transaction() as tx:
        [claimed] = await deliveries.claim(tx, 10, each=8, lease_s=45)
    sender = house.deliverer()
    assert await sender.once() == 0
    await house.later(46)
    assert await sender.once() == 1
    assert house.platform.ids == [claimed.id]


async def test_a_sender_thought_dead_undoes_nothing(house: House) -> None:
    await house.endpoint(LATE)
    await house.hear(fact("a", kind=LATE))
    async with house.db.transaction() as tx:
        [claimed] = await deliveries.claim(tx, 10, each=8, lease_s=45)
    await house.later(46)
    sender = house.deliverer()
    await sender.once()
    sender._sent.append(Sent(claimed, DOWN))
    await sender.once()
    assert await house.rows("SELECT state, attempts FROM escalation.webhook_deliveries") == [("delivered", 2)]


async def test_two_senders_never_have_one_message_nor_two_of_one_case(house: House) -> None:
    await house.endpoint(LATE)
    await house.hear(*(fact(f"case-{n % 10}", kind=LATE) for n in range(60)))
    one, other = house.deliverer(), house.deliverer()

    async def drain(sender: object) -> None:
        idle = 0
        while idle < 5:
            idle = 0 if await sender.once() else idle + 1  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)

    await asyncio.gather(drain(one), drain(other))
    assert len(house.platform.posted) == len(set(house.platform.ids)) == 60
    for case in range(10):
        assert [n for subject, n in house.platform.numbers if subject == f"case-{case}"] == [1, 2, 3, 4, 5, 6]


async def test_an_endpoint_takes_so_many_at_a_time_and_leaves_room_for_others(house: House) -> None:
    slow = await house.endpoint(LATE)
    await house.hear(*(fact(f"case-{n}", kind=LATE) for n in range(20)))
    other = await house.endpoint(LATE)
    await house.hear(fact("z", kind=LATE))
    async with house.db.transaction() as tx:
        claimed = await deliveries.claim(tx, 32, each=8, lease_s=45)
    by_endpoint = [one.endpoint_id for one in claimed]
    assert (by_endpoint.count(endpoint_id(slow)), by_endpoint.count(endpoint_id(other))) == (8, 1)
    async with house.db.transaction() as tx:
        assert await deliveries.claim(tx, 32, each=8, lease_s=45) == ()


async def test_the_breaker_opens_probes_with_one_message_and_closes(house: House) -> None:
    made = await house.endpoint(LATE)
    await house.hear(*(fact(f"case-{n}", kind=LATE) for n in range(12)))
    await house.hear(fact("case-0", kind=LATE))
    house.platform.answer = lambda _: DOWN
    sender = house.deliverer(GRID_WEBHOOK_PER_ENDPOINT=6)
    assert await sender.once() == 6
    assert await sender.once() == 0
    await house.later(31)
    assert await sender.once() == 1, "one probe"
    assert await sender.once() == 0
    assert await house.rows("SELECT open_for_s, failures FROM escalation.webhook_endpoints") == [(60, 7)]
    house.platform.answer = lambda _: OK
    await house.later(61)
    assert await sender.once() == 1
    assert await house.rows("SELECT open_until, failures FROM escalation.webhook_endpoints") == [(None, 0)]
    while await sender.once():
        await house.later(75)
    assert await house.rows("SELECT DISTINCT state FROM escalation.webhook_deliveries") == [("delivered",)]
    assert endpoint_id(made) is not None


async def test_waiting_for_the_breaker_costs_no_attempt(house: House) -> None:
    await house.endpoint(LATE)
    await house.hear(*(fact(f"case-{n}", kind=LATE) for n in range(8)))
    house.platform.answer = lambda _: DOWN
    sender = house.deliverer(GRID_WEBHOOK_PER_ENDPOINT=5)
    await sender.once()
    for _ in range(3):
        await house.later(1)
        await sender.once()
    attempts = await house.rows("SELECT attempts FROM escalation.webhook_deliveries ORDER BY attempts")
    assert [row[0] for row in attempts] == [0, 0, 0, 1, 1, 1, 1, 1]


async def test_gone_switches_the_endpoint_off(house: House) -> None:
    await house.endpoint(LATE)
    await house.hear(fact("a", kind=LATE), fact("b", kind=LATE))
    house.platform.answer = lambda _: Outcome(410, None, 3, "")
    sender = house.deliverer(GRID_WEBHOOK_CONCURRENCY=1)
    assert await sender.once() == 1
    await house.later(3600)
    assert await sender.once() == 0
    assert await house.rows("SELECT active FROM escalation.webhook_endpoints") == [(False,)]


async def test_for_a_day_after_rotation_both_secrets_sign(house: House) -> None:
    made = await house.endpoint(LATE)
    async with house.db.transaction() as tx:
        rotated = await house.desk.rotate(tx, endpoint_id(made))
    assert rotated is not None
    await house.hear(fact("a", kind=LATE), fact("b", kind=LATE))
    await house.deliverer(GRID_WEBHOOK_CONCURRENCY=1).once()
    headers, body = house.platform.posted[0]
    for secret in (made.secret, rotated.secret):
        Webhook(secret).verify(body, headers)
    await house.later(25 * 3600)
    await house.deliverer().once()
    headers, _ = house.platform.posted[1]
    assert headers["webhook-signature"].count("v1,") == 1
    assert base64.b64decode(headers["webhook-signature"].removeprefix("v1,"))


async def test_a_replay_keeps_id_and_number(house: House) -> None:
    made = await house.endpoint(LATE)
    await house.hear(fact("a", kind=LATE), fact("a", kind=LATE))
    sender = house.deliverer()
    while await sender.once():
        pass
    async with house.db.transaction() as tx:
        count = await send_again(tx, Chosen(endpoint_id=endpoint_id(made), since=await house.now() - HOUR))
    assert count == 2
    while await sender.once():
        pass
    assert house.platform.numbers == [("a", 1), ("a", 2)] * 2
    assert house.platform.ids[:2] == house.platform.ids[2:]


async def test_what_waits_for_a_removed_endpoint_is_skipped(house: House) -> None:
    made = await house.endpoint(LATE)
    await house.hear(fact("a", kind=LATE))
    async with house.db.transaction() as tx:
        assert await house.desk.remove(tx, endpoint_id(made))
    assert await house.deliverer().once() == 0
    assert await house.rows("SELECT state FROM escalation.webhook_deliveries") == [("skipped",)]
    async with house.db.transaction() as tx:
        chosen = Chosen(endpoint_id=endpoint_id(made), since=await house.now() - HOUR)
        assert await send_again(tx, chosen) == 0


async def test_a_test_ping_takes_the_road_of_every_message(house: House) -> None:
    made = await house.endpoint(LATE)
    async with house.db.transaction() as tx:
        delivery_id = await house.desk.ping(tx, endpoint_id(made))
    await house.deliverer().once()
    [(headers, body)] = house.platform.posted
    assert headers["webhook-id"] == delivery_id
    assert json.loads(body)["type"] == "test.ping"
    Webhook(made.secret).verify(body, headers)


async def test_a_secret_sealed_under_another_key_is_a_failure_like_any_other(house: House) -> None:
    await house.endpoint(LATE)
    await house.hear(fact("a", kind=LATE))
    house.box = SecretBox(bytes(31) + b"x")
    await house.deliverer().once()
    errors = await house.rows("SELECT state, last_error FROM escalation.webhook_deliveries")
    assert errors == [("waiting", "secret_unreadable")]


async def test_the_running_sender_goes_on_with_the_next_of_a_case_at_once(house: House) -> None:
    await house.endpoint(LATE)
    await house.hear(*(fact("a", kind=LATE) for _ in range(20)))
    stop = asyncio.Event()
    running = asyncio.create_task(house.deliverer().run(stop))
    async with asyncio.timeout(10):
        while len(house.platform.posted) < 20:  # noqa: ASYNC110 - the list tells nobody that it grew
            await asyncio.sleep(0.02)
    stop.set()
    await running
    assert house.platform.numbers == [("a", n) for n in range(1, 21)]
