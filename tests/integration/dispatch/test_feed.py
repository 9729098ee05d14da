"""The live feed: nothing is missed across cursors, processes and slow transactions; nobody hears of foreign cases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.dispatch.live import Cursor, Event, Feed, Look, Reset, Subscription, tail
from services.dispatch.settings import DispatchSettings
from services.dispatch.store import Tx
from services.dispatch.store.audience import scope_of
from services.dispatch.store.feed import Seen
from services.dispatch.store.locks import ids_of_numbers, lock_cases
from services.dispatch.store.write import Step, save
from services.governance.acts import SYSTEM, Actor, Fact, Post
from services.governance.cycle import Role
from tests.integration.dispatch.conftest import Street

pytestmark = pytest.mark.anyio
CLERK = Actor("clerk", (Post(Role.INTAKE_CLERK),))
BRANCH = Actor("branch", (Post(Role.GRID_SECRETARY, "44180200100101"),))
OTHER_BRANCH = Actor("other", (Post(Role.GRID_SECRETARY, "44180200100201"),))


@asynccontextmanager
async def running(street: Street, **settings: Any) -> AsyncIterator[Feed]:
    """A feed whose tail runs, as in one process of dispatch."""
    feed = Feed(street.db, street.cache, DispatchSettings(feed_tick_s=0.02, **settings))
    stop = asyncio.Event()
    tail = asyncio.create_task(feed.run(stop))
    try:
        yield feed
    finally:
        stop.set()
        await tail


async def cases(reader: Subscription, wanted: int, patience_s: float = 60.0) -> list[Event]:
    """The next `wanted` events about cases."""
    found: list[Event] = []
    async with asyncio.timeout(patience_s):
        while len(found) < wanted:
            event = await reader.next(0.2)
            if event is not None and event.name.startswith("case."):
                found.append(event)
    return found


async def quiet(reader: Subscription, seconds: float = 0.4) -> None:
    """Nothing about cases arrives for a while."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:
        event = await reader.next(0.1)
        assert event is None or event.name in {"queue.counts", "beat"}, event


async def drain(reader: Subscription) -> None:
    """Read for about a second."""
    for _ in range(10):
        await reader.next(0.1)


async def test_a_new_case_arrives_with_its_row_and_queues(street: Street) -> None:
    async with running(street) as feed, feed.subscribe(CLERK, "zh-CN", None) as reader:
        case_no = await street.opened()
        (event,) = await cases(reader, 1)
    body = json.loads(event.data)
    assert (event.name, body["case_no"]) == ("case.changed", case_no)
    assert "branch_triage" in body["queues"]
    assert body["row"]["summary"] == "垃圾堆在路口"


async def test_counts_follow(street: Street) -> None:
    async with running(street) as feed, feed.subscribe(CLERK, "zh-CN", None) as reader:
        await street.opened()
        async with asyncio.timeout(60):
            while True:
                event = await reader.next(1)
                if event is not None and event.name == "queue.counts":
                    counts = {q["id"]: q["open"] for q in json.loads(event.data)["queues"]}
                    if counts["branch_triage"] == 1:
                        break


async def test_only_those_who_may_see_a_case_hear_of_it(street: Street) -> None:
    async with (
        running(street) as feed,
        feed.subscribe(BRANCH, "zh-CN", None) as own,
        feed.subscribe(OTHER_BRANCH, "zh-CN", None) as other,
    ):
        await street.opened()
        await cases(own, 1)
        await quiet(other)


async def test_a_cursor_of_another_process_misses_nothing(street: Street) -> None:
    async with running(street) as first, first.subscribe(CLERK, "zh-CN", None) as reader:
        seen = [await street.opened()]
        (event,) = await cases(reader, 1)
    assert event.cursor is not None
    seen += [await street.opened() for _ in range(3)]
    async with running(street) as second, second.subscribe(CLERK, "zh-CN", event.cursor.encode()) as reader:
        seen.append(await street.opened())
        missed = await cases(reader, 4)
    assert [json.loads(e.data)["case_no"] for e in missed] == seen[1:]


async def test_a_transaction_that_ends_late_is_not_skipped(street: Street) -> None:
    """It took its number before the cursor was handed out and commits after it."""
    late = await street.opened()
    async with running(street) as feed:
        async with street.db.transaction() as slow:
            await _noted(street, slow, late)
            await street.opened()
            cursor = await feed.now()
        async with feed.subscribe(CLERK, "zh-CN", cursor.encode()) as reader:
            (event,) = await cases(reader, 1)
            assert json.loads(event.data)["case_no"] == late
            await quiet(reader)


async def test_a_slow_transaction_makes_nobody_wait_and_no_cursor_passes_it(street: Street) -> None:
    """Who goes on from the newest cursor is told nothing twice, and still hears of what came late."""
    late = await street.opened()
    async with running(street) as feed, feed.subscribe(CLERK, "zh-CN", None) as reader:
        async with street.db.transaction() as slow:
            await _noted(street, slow, late)
            await street.opened()
            (quick,) = await cases(reader, 1)
        (heard,) = await cases(reader, 1)
        assert json.loads(heard.data)["case_no"] == late
    assert quick.cursor is not None
    async with running(street) as other, other.subscribe(CLERK, "zh-CN", quick.cursor.encode()) as reader:
        (missed,) = await cases(reader, 1)
        assert json.loads(missed.data)["case_no"] == late
        await quiet(reader)


async def test_a_transaction_elsewhere_holds_up_nobody(street: Street) -> None:
    """Somebody else of the server is at work for long (an import, another database): the feed has more to tell than a
    page may wait for, and pages open and follow it meanwhile."""
    async with (
        running(street, feed_backlog=5) as feed,
        feed.subscribe(CLERK, "zh-CN", None) as reader,
        street.db.transaction() as slow,
    ):
        await slow.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        await slow.execute(text("SELECT pg_current_xact_id()"))
        for _ in range(8):
            case_no = await street.opened()
            (event,) = await cases(reader, 1)
            assert json.loads(event.data)["case_no"] == case_no
        page = await feed.now()
        async with feed.subscribe(CLERK, "zh-CN", page.encode()) as late:
            await quiet(late, 0.2)
            case_no = await street.opened()
            (event,) = await cases(late, 1)
            assert json.loads(event.data)["case_no"] == case_no


async def test_counts_agree_with_the_rows_told_before(street: Street) -> None:
    async with running(street) as feed, feed.subscribe(CLERK, "zh-CN", None) as reader:
        heard: set[str] = set()
        for _ in range(3):
            await street.opened()
        async with asyncio.timeout(60):
            while True:
                event = await reader.next(0.2)
                if event is not None and event.name == "case.changed":
                    heard.add(json.loads(event.data)["case_no"])
                elif event is not None and event.name == "queue.counts":
                    counted = {queue["id"]: queue["open"] for queue in json.loads(event.data)["queues"]}
                    assert counted["branch_triage"] == len(heard)
                    if len(heard) == 3:
                        break


async def test_a_beat_says_that_all_has_been_told(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also to one whom nothing concerns: his cursor moves on."""
    monkeypatch.setattr(tail, "BEAT_S", 0.1)
    async with running(street) as feed, feed.subscribe(OTHER_BRANCH, "zh-CN", None) as reader:
        await street.opened()
        told = await feed.now()
        async with asyncio.timeout(60):
            while True:
                event = await reader.next(0.2)
                if event is not None and event.name == "beat" and event.cursor and event.cursor.at >= told.at:
                    break
        assert event.cursor.seen.ahead >= told.seen.ahead


async def test_a_case_that_leaves_the_scope_is_gone(street: Street) -> None:
    case_no = await street.opened()
    async with running(street) as feed, feed.subscribe(BRANCH, "zh-CN", None) as reader:
        await _move_away(street, case_no)
        (event,) = await cases(reader, 1)
    assert (event.name, json.loads(event.data)) == ("case.gone", {"case_no": case_no})


async def test_unusable_cursors_are_reset(street: Street) -> None:
    async with running(street, feed_backlog=2) as feed:
        now = await feed.now()
        old = Cursor(now.seen, now.at - timedelta(hours=25))
        foreign = Cursor(Seen(2**40), now.at)
        for cursor in ("garbage", "MS4x", old.encode(), foreign.encode()):
            with pytest.raises(Reset):
                async with feed.subscribe(CLERK, "zh-CN", cursor):
                    pytest.fail("subscribed")
        for _ in range(3):
            await street.opened()
        with pytest.raises(Reset):
            async with feed.subscribe(CLERK, "zh-CN", now.encode()):
                pytest.fail("subscribed")


async def test_a_reader_whose_news_proved_old_waits_for_more(street: Street) -> None:
    """Told meanwhile what the catching up had seen as well: he waits, and does not spin."""
    now, at = (await Feed(street.db, street.cache, DispatchSettings()).now()).seen, await street.now()
    reader = Subscription(scope_of(CLERK), "zh-CN", 10)
    reader.offer([Event("beat", "{}", None, 1)])
    reader.caught_up([], Look(2, now, at))
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await reader.all(0.2) == []
    assert loop.time() - began > 0.1


async def test_a_reader_who_does_not_read_is_told_to_start_again(street: Street) -> None:
    async with running(street, feed_backlog=2) as feed, feed.subscribe(CLERK, "zh-CN", None) as reader:
        for _ in range(4):
            await street.opened()
            await asyncio.sleep(0.1)
        with pytest.raises(Reset):
            await drain(reader)


async def _noted(street: Street, tx: Tx, case_no: str, **moved: Any) -> None:
    """Another fact of a case, as the rules would do it, in a transaction that somebody else ends."""
    case_id = (await ids_of_numbers(tx, [case_no]))[case_no]
    case = (await lock_cases(tx, [case_id]))[case_id]
    after = replace(case, spot=replace(case.spot, **moved), sequence=case.sequence + 1, version=case.version + 1)
    fact = Fact("case.noted", case.last_at, SYSTEM, None, ())
    calendar = (await street.cache.rulebook(case.rulebook)).calendar
    await save(tx, [Step(street.ids.uuid7(), fact, case, after, calendar)], {})


async def _move_away(street: Street, case_no: str) -> None:
    """The place is corrected to another grid."""
    async with street.db.transaction() as tx:
        await _noted(street, tx, case_no, grid="44180200100201", community="441802001002", cell=None)
