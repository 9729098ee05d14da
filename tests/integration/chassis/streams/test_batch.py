"""Every way a batch can go wrong, against a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from services.chassis.streams import batch as batch_module
from services.chassis.streams.handler import Received
from services.chassis.streams.message import Message
from tests.integration.chassis.streams.conftest import Left, Stand
from tests.support.events import TOPIC, decode_everything, message, noted
from tests.support.postgres import TestServer, name_of

pytestmark = pytest.mark.anyio


async def test_events_are_applied_once_however_often_they_come(stand: Stand) -> None:
    messages = [message(noted("a", n), n) for n in (1, 2, 3)]
    await stand.run(*messages)
    await stand.run(*messages)
    await stand.run(messages[1], message(noted("a", 4), 4))

    assert await stand.seen() == [1, 2, 3, 4]
    assert await stand.count("inbox") == 4


async def test_an_old_event_is_dropped_though_its_inbox_row_is_gone(stand: Stand) -> None:
    first = message(noted("a", 1), 1)
    await stand.run(first, message(noted("a", 2), 2))
    async with stand.db.transaction() as tx:
        await tx.exec_driver_sql("DELETE FROM dispatch.inbox")
    await stand.run(first)

    assert await stand.seen() == [1, 2]


async def test_a_gap_holds_the_key_until_the_missing_event_comes(stand: Stand) -> None:
    await stand.run(message(noted("a", 1), 1), message(noted("a", 3), 3), message(noted("b", 1), 4))
    await stand.run(message(noted("a", 4), 5))
    assert (await stand.seen(), await stand.seen("b")) == ([1], [1])
    assert await stand.ask("SELECT held, last_seq FROM dispatch.stream_positions WHERE held > 0") == [(2, 1)]

    await stand.run(message(noted("a", 2), 9), message(noted("a", 5), 10))

    assert await stand.seen() == [1, 2, 3, 4, 5]
    assert await stand.count("held_events") == 0
    assert await stand.ask("SELECT held, last_seq FROM dispatch.stream_positions WHERE key = 'a'") == [(0, 5)]


async def test_unreadable_bytes_are_buried_and_hold_their_key_alone(stand: Stand) -> None:
    poison = message(noted("a", 2), 2, payload=b"\xff\x00 no json")
    await stand.run(message(noted("a", 1), 1), poison, message(noted("a", 3), 3), message(noted("b", 1), 4))

    assert (await stand.seen(), await stand.seen("b")) == ([1], [1])
    ((topic, offset, raw, error),) = await stand.ask("SELECT topic, off, raw, error FROM dispatch.dead_letters")
    assert (topic, offset, raw) == (TOPIC, 2, b"\xff\x00 no json")
    assert "test.noted" in str(error)
    ((letter_topic, payload, headers),) = await stand.ask("SELECT topic, payload, headers FROM dispatch.outbox")
    assert (letter_topic, payload) == (f"{TOPIC}.dlq", b"\xff\x00 no json")
    assert headers["grid_dead_place"] == f"{TOPIC}/0/2"  # type: ignore[index]
    assert await stand.ask("SELECT reason FROM dispatch.held_events") == [("gap",)]


async def test_headers_without_sense_are_buried_once(stand: Stand) -> None:
    broken = Message(TOPIC, 0, 7, b"\x00\xfe", {"ce_id": b"\x00", "x": b"\xff"}, b"\x00")
    await stand.run(broken, message(noted("a", 1), 8))
    await stand.run(broken)

    assert await stand.seen() == [1]
    assert await stand.count("dead_letters") == 1
    assert await stand.count("outbox") == 1


async def test_a_dead_letter_and_its_topic_row_come_together_or_not_at_all(stand: Stand) -> None:
    async with stand.db.transaction() as tx:
        await tx.exec_driver_sql("ALTER TABLE dispatch.outbox ADD CHECK (topic NOT LIKE '%%.dlq')")
    with pytest.raises(batch_module.DBAPIError):
        await stand.run(message(noted("a", 1), 1, payload=b"no json"))

    assert await stand.count("dead_letters") == 0
    assert await stand.count("inbox") == 0


@pytest.mark.parametrize(("kind", "version"), [("test.later", 1), ("test.noted", 2)])
async def test_what_newer_code_knows_is_held_until_it_runs(stand: Stand, kind: str, version: int) -> None:
    await stand.run(
        message(noted("a", 1), 1),
        message(noted("a", 2, kind=kind, version=version), 2),
        message(noted("a", 3), 3),
        message(noted("b", 1), 4),
    )
    assert (await stand.seen(), await stand.seen("b")) == ([1], [1])
    assert await stand.count("dead_letters") == 0
    assert await stand.ask("SELECT reason FROM dispatch.held_events ORDER BY seq") == [("unknown",), ("gap",)]
    assert await stand.runner.release() == 0, "the same code still cannot read it"

    assert await stand.another(decode_everything).release() == 2

    assert await stand.seen() == [1, 2, 3]
    assert await stand.count("held_events") == 0


async def test_the_handlers_poison_is_buried_and_its_neighbours_live(stand: Stand) -> None:
    await stand.run(
        message(noted("b", 1), 1),
        message(noted("a", 1, "poison"), 2),
        message(noted("a", 2), 3),
        message(noted("b", 2), 4),
        message(noted("c", 1, "poison"), 5),
    )

    assert (await stand.seen(), await stand.seen("b")) == ([], [1, 2])
    errors = await stand.ask("SELECT key, seq, error FROM dispatch.dead_letters ORDER BY id")
    assert errors == [(b"a", 1, "this one can never work"), (b"c", 1, "this one can never work")]
    assert await stand.ask("SELECT seq, reason FROM dispatch.held_events") == [(2, "gap")]


async def test_data_the_database_refuses_is_narrowed_down(stand: Stand) -> None:
    words = ["x"] * 20
    words[13] = "bad"
    await stand.run(*[message(noted(f"k{n}", 1, word), n) for n, word in enumerate(words)])

    assert await stand.count("seen") == 19
    ((key, error),) = await stand.ask("SELECT key, error FROM dispatch.dead_letters")
    assert key == b"k13"
    assert str(error).startswith("SQLSTATE 23514")
    assert "bad" not in str(error), "values stay out of error texts"


async def test_weather_is_waited_out(stand: Stand) -> None:
    faults = [psycopg.errors.lookup(state)("x") for state in ("40001", "25P03", "57P01")]

    def before(_batch: Sequence[Received]) -> None:
        if faults:
            raise OperationalError("x", {}, faults.pop())

    stand.handler.before = before
    await stand.run(message(noted("a", 1), 1))

    assert await stand.seen() == [1]
    assert len(stand.handler.batches) == 4
    assert stand.runner.trouble is None


async def test_a_database_that_hangs_up_is_waited_out(stand: Stand, plumbing_url: str, postgres: TestServer) -> None:
    hung_up: list[int] = []

    def before(_batch: Sequence[Received]) -> None:
        if not hung_up:
            hung_up.append(1)
            postgres.hang_up_on(name_of(plumbing_url))

    stand.handler.before = before
    await stand.run(message(noted("a", 1), 1), message(noted("a", 2), 2))

    assert await stand.seen() == [1, 2]


async def test_our_own_fault_goes_up_and_nothing_is_kept(stand: Stand) -> None:
    def before(_batch: Sequence[Received]) -> None:
        raise KeyError("a fault of ours")

    stand.handler.before = before
    with pytest.raises(KeyError):
        await stand.run(message(noted("a", 1), 1))
    assert await stand.count("inbox") == 0


async def test_whoever_is_waited_for_leaves_in_time(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_module, "URGENT_S", 0.2)
    stand.urgent = lambda: True
    stand.another()

    def before(_batch: Sequence[Received]) -> None:
        raise OperationalError("x", {}, psycopg.errors.lookup("57P01")("x"))

    stand.handler.before = before
    with pytest.raises(Left) as left:
        await asyncio.wait_for(stand.run(message(noted("a", 1), 1)), 10)
    assert left.value.code == 75


async def test_a_run_of_dead_letters_stops_the_consumer(stand: Stand) -> None:
    stand.dead_in_a_row = 3
    stand.another()
    broken = [message(noted(f"k{n}", 1), n, payload=b"no json") for n in range(10)]
    good = message(noted("a", 1), 20)

    running = asyncio.ensure_future(stand.run(good, *broken))
    async with asyncio.timeout(60):
        while await stand.count("dead_letters") < 3:  # noqa: ASYNC110 - a database tells nobody
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)

    assert not running.done(), "nothing behind the limit may be acknowledged"
    running.cancel()
    assert await stand.seen() == [1]
    assert await stand.count("dead_letters") == 3
    assert "3 dead letters" in (stand.runner.trouble or "")


async def test_two_processes_with_the_same_events_apply_them_once(stand: Stand) -> None:
    """A stopped process wakes up while the group has long moved on."""
    other = Stand(stand.db, stand.handler)
    messages = [message(noted("a", n), n) for n in range(1, 30)]
    await asyncio.gather(stand.run(*messages), other.run(*messages[:15]), other.run(*messages[10:]))

    assert await stand.seen() == list(range(1, 30))


async def test_a_release_in_one_process_and_a_batch_in_another_agree(stand: Stand) -> None:
    await stand.run(message(noted("a", 1), 1), *[message(noted("a", n), n) for n in range(3, 20)])
    other = Stand(stand.db, stand.handler)
    await asyncio.gather(stand.run(message(noted("a", 2), 2)), other.runner.release(), other.runner.release())
    await stand.runner.release()

    assert await stand.seen() == list(range(1, 20))
    assert await stand.count("held_events") == 0
    assert await stand.ask("SELECT held FROM dispatch.stream_positions") == [(0,)]


async def test_many_held_events_are_let_go_in_small_transactions(stand: Stand) -> None:
    await stand.run(*[message(noted("a", n), n) for n in range(2, 700)])
    await stand.run(message(noted("a", 1), 900))

    assert await stand.seen() == list(range(1, 700))
    assert max(map(len, stand.handler.batches)) <= batch_module.CHUNK


async def test_sources_of_one_key_do_not_wait_for_each_other(stand: Stand) -> None:
    other = replace(noted("a", 1), source="grid/other")
    await stand.run(message(noted("a", 2), 1), message(other, 2))
    assert await stand.seen() == [1]
