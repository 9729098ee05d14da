"""`grid replay` over a real database, beside a worker that goes on working."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import MetaData, text
from typer.testing import CliRunner

from services.chassis.db import Database
from services.chassis.grid.command import app
from services.chassis.outbox import Outgoing, byhand, outbox_tables, publish
from tests.integration.chassis.streams.conftest import Stand
from tests.support.events import TOPIC, message, noted
from tests.support.handler import CREATE

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


Grid = Callable[..., Awaitable[Said]]


@pytest.fixture
async def stand(database: Database) -> Stand:
    async with database.transaction() as tx:
        await tx.execute(text(CREATE))
    return Stand(database)


@pytest.fixture
def grid(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Grid:
    """Runs `grid replay …`."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    async def run(*words: str) -> Said:
        result = await asyncio.to_thread(CliRunner().invoke, app, ["replay", *words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    return run


async def put_aside(stand: Stand) -> None:
    """Key a: no. 1 is dead, 2 and 3 wait. Key b: 1 is missing, 2 waits. Key c: 1 is of a kind nobody knows."""
    await stand.run(
        message(noted("a", 1), 1, payload=b"no json"),
        message(noted("a", 2), 2),
        message(noted("a", 3), 3),
        message(noted("b", 2), 4),
        message(noted("c", 1, kind="test.later"), 5),
        message(noted("c", 2), 6),
    )


async def audited(stand: Stand) -> list[tuple[object, ...]]:
    return await stand.ask("SELECT action, subject FROM identity.audit_log WHERE account LIKE 'cli:%' ORDER BY at, n")


async def test_what_waits_is_shown_with_reason_age_key_and_place(stand: Stand, grid: Grid) -> None:
    await put_aside(stand)
    shown = (await grid("show")).out
    assert "dispatch: 1 dead letters, 3 blocked keys" in shown
    assert "waits for no. 1, holds 2 from no. 2 (gap)" in shown
    listed = json.loads((await grid("list", "dispatch", "--json")).out)
    assert [(row["kind"], row["key"], row["sequence"], row["offset"]) for row in listed] == [
        ("dead", "a", 1, 1),
        ("held", "a", 2, 2),
        ("held", "a", 3, 3),
        ("held", "b", 2, 4),
        ("held", "c", 1, 5),
        ("held", "c", 2, 6),
    ]
    assert {row["topic"] for row in listed} == {TOPIC}
    assert all(0 <= row["age_s"] < 300 for row in listed)
    unknown = json.loads((await grid("list", "dispatch", "--reason", "unknown", "--json")).out)
    assert [(row["key"], row["reason"]) for row in unknown] == [("c", "unknown")]
    assert json.loads((await grid("list", "--until", "2020-01-01", "--json")).out) == []
    one = (await grid("show", "dispatch", unknown[0]["event_id"])).out
    assert "test.later" in one
    assert '{"text":"c-1"}' in one
    assert "no json" in (await grid("show", "dispatch", "1")).out
    assert (await grid("show", "dispatch", "99")).code == 1


async def test_letters_go_back_in_order_and_twice_is_once(stand: Stand, grid: Grid) -> None:
    from tests.support.handler import Recorder

    stand.handler = Recorder(lambda _: None)
    await stand.run(*(message(noted("a", n, "poison"), n) for n in (1, 2, 3)))
    assert await stand.seen() == []
    assert (await grid("letters", "dispatch")).code == 2  # which?
    assert "1 of 1 put back" in (await grid("letters", "dispatch", "--key", "a")).out
    assert "0 of 0 put back" in (await grid("letters", "dispatch", "--key", "a")).out
    again = await grid("letter", "dispatch", "1")
    assert (again.code, again.err.strip()) == (1, "grid: no open dead letter 1 in dispatch")
    await stand.runner.release()
    assert await stand.seen() == []  # still poison: the letter is open again, with what was behind it
    assert await audited(stand) == [("letter.put_back", "1")]


async def test_a_mended_letter_lets_its_key_go_on(stand: Stand, grid: Grid, tmp_path: Path) -> None:
    await put_aside(stand)
    body = tmp_path / "body.json"
    body.write_text('{"text":"mended"}')
    assert (await grid("letter", "dispatch", "1", "--body", str(body))).code == 0
    await stand.runner.release()
    assert await stand.seen("a") == [1, 2, 3]


async def test_what_is_discarded_is_kept_and_only_in_its_turn(stand: Stand, grid: Grid) -> None:
    await put_aside(stand)
    dry = await grid("discard", "dispatch", "--why", "a test", "--all", "--dry-run")
    assert dry.out.count("\n") == 6
    done = await grid("discard", "dispatch", "--why", "a test", "--key", "b")
    assert "no. 1 comes before no. 2 and is missing" in done.out
    assert "0 of 1 discarded" in done.out
    ((event,),) = await stand.ask("SELECT event_id FROM dispatch.held_events WHERE key = 'c' AND seq = 1")
    assert isinstance(event, UUID)
    assert "1 of 1 discarded" in (await grid("discard", "dispatch", str(event), "--why", "nobody needs it")).out
    assert (await grid("discard", "dispatch", str(event), "--why", "again")).code == 1
    await stand.runner.release()
    assert await stand.seen("c") == [2]
    kept = await stand.ask("SELECT resolution, convert_from(raw, 'UTF8') FROM dispatch.dead_letters WHERE key = 'c'")
    assert kept == [("given up: nobody needs it", '{"text":"c-1"}')]
    assert "3 of 3 discarded" in (await grid("discard", "dispatch", "--why", "a test", "--key", "a")).out
    await stand.runner.release()
    assert await stand.seen("a") == []
    assert await stand.ask("SELECT sum(held) FROM dispatch.stream_positions WHERE key IN ('a', 'c')") == [(0,)]
    actions = [action for action, _ in await audited(stand)]
    assert actions == ["event.discarded", "letter.given_up", "event.discarded", "event.discarded"]


async def test_a_letter_is_not_given_up_over_the_head_of_an_earlier_one(stand: Stand, grid: Grid) -> None:
    """The earlier one may still come; it would then be dropped as old news."""
    await stand.run(message(noted("a", 1), 1), message(noted("a", 3), 3, payload=b"no json"))
    refused = await grid("give-up", "dispatch", "1", "--why", "hasty")
    assert (refused.code, "no. 2 comes before no. 3" in refused.err) == (1, True)
    await stand.run(message(noted("a", 2), 4))
    assert (await grid("give-up", "dispatch", "1", "--why", "now")).code == 0
    await stand.run(message(noted("a", 4), 5))
    assert await stand.seen() == [1, 2, 4]


async def test_passing_over_stops_before_what_is_here(stand: Stand, grid: Grid) -> None:
    consumer_of_the_command = "UPDATE dispatch.{} SET consumer = 'grid-dispatch'"
    await stand.run(message(noted("a", 3), 3))
    async with stand.db.transaction() as tx:
        for table in ("stream_positions", "held_events"):
            await tx.execute(text(consumer_of_the_command.format(table)))
    refused = await grid("pass-over", "dispatch", "grid/test", TOPIC, "a", "3")
    assert (refused.code, "pass over up to no. 2 only" in refused.err) == (1, True)
    assert (await grid("pass-over", "dispatch", "grid/test", TOPIC, "a", "2")).code == 0
    assert await stand.ask("SELECT last_seq FROM dispatch.stream_positions") == [(2,)]
    assert await audited(stand) == [("key.passed_over", "a")]


async def test_a_letter_whose_key_has_gone_on_cannot_go_back(stand: Stand, grid: Grid) -> None:
    await stand.run(message(noted("a", 1), 1, payload=b"no json"))
    async with stand.db.transaction() as tx:
        await tx.execute(text("UPDATE dispatch.stream_positions SET last_seq = 4"))
        await tx.execute(
            text(
                "INSERT INTO dispatch.stream_positions (consumer, source, topic, key, last_seq)"
                f" VALUES ('grid-test', 'grid/test', '{TOPIC}', 'a', 4) ON CONFLICT DO NOTHING"
            )
        )
    refused = await grid("letter", "dispatch", "1")
    assert (refused.code, "gone past no. 1" in refused.err) == (1, True)
    assert (await grid("give-up", "dispatch", "1", "--why", "too late")).code == 0
    assert await stand.ask("SELECT last_seq FROM dispatch.stream_positions") == [(4,)]


async def test_a_command_that_is_given_up_is_answered(stand: Stand, grid: Grid) -> None:
    """Whoever asked shows 处理中 until then."""
    wish = replace(noted("case-1", 1), correlation_id="platform/msg_1")
    await stand.run(
        message(wish, 1, topic="grid.command.v1", payload=b"no json"), message(noted("b", 1), 2, payload=b"-")
    )
    assert (await grid("give-up", "dispatch", "1", "--why", "nobody can read it")).code == 0
    assert (await grid("give-up", "dispatch", "2", "--why", "no command")).code == 0
    told = await stand.ask(
        "SELECT headers ->> 'ce_causationid', headers ->> 'ce_correlationid',"
        " convert_from(payload, 'UTF8')::json ->> 'code'"
        " FROM dispatch.outbox WHERE headers ->> 'ce_type' = 'case.command_refused'"
    )
    assert told == [(str(wish.id), "platform/msg_1", "given_up")]


OUTBOX = outbox_tables(MetaData(schema="intake"), "intake")


async def sent(stand: Stand, *numbers: int, key: str = "a") -> None:
    """Events that intake has published and Kafka has taken."""
    async with stand.db.transaction() as tx:
        await publish(tx, OUTBOX, [Outgoing(TOPIC, noted(key, n)) for n in numbers])
        await tx.execute(text('UPDATE intake.outbox SET published_at = now(), "partition" = 0, "offset" = 1'))


async def waiting(stand: Stand) -> list[object]:
    return [row[0] for row in await stand.ask("SELECT seq FROM intake.outbox WHERE published_at IS NULL ORDER BY id")]


async def test_missing_numbers_are_fetched_from_the_producer(stand: Stand, grid: Grid) -> None:
    await sent(stand, 1, 2, 3, 4)
    await stand.run(message(noted("a", 1), 1), message(noted("a", 4), 4))
    async with stand.db.transaction() as tx:
        for table in ("stream_positions", "held_events"):
            await tx.execute(text(f"UPDATE dispatch.{table} SET source = 'grid/intake'"))
    said = await grid("missing", "dispatch", "--all")
    assert "a of test.topic.v1: no. 2 to 3, 2 of 2 sent again" in said.out
    assert await waiting(stand) == [2, 3]
    assert [action for action, _ in await audited(stand)] == ["events.sent_again"]


async def test_a_range_of_the_outbox_goes_out_again_a_page_at_a_time(
    stand: Stand, grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byhand, "PAGE", 2)
    await sent(stand, 1, 2, 3, 4, 5)
    everything = ("outbox", "intake", "--from", "2020-01-01", "--to", "2100-01-01")
    assert "intake: 5 events would be sent again" in (await grid(*everything, "--dry-run")).out
    assert await waiting(stand) == []
    running = asyncio.ensure_future(grid(*everything))
    pages: list[list[object]] = []
    while not running.done():  # the relay's part
        if now := await waiting(stand):
            pages.append(now)
            async with stand.db.transaction() as tx:
                await tx.execute(text("UPDATE intake.outbox SET published_at = now() WHERE published_at IS NULL"))
        await asyncio.sleep(0.02)
    assert "intake: 5 events sent again" in running.result().out
    assert pages[:2] == [[1, 2], [3, 4]]
    assert "intake: 0 events" in (await grid(*everything, "--topic", "grid.other.v1")).out


async def test_without_a_relay_the_range_stops_and_says_so(
    stand: Stand, grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byhand, "PAGE", 2)
    monkeypatch.setattr("services.chassis.grid.replay.RELAY_PATIENCE_S", 0.3)
    await sent(stand, 1, 2, 3)
    said = await grid("outbox", "intake", "--from", "2020-01-01", "--to", "2100-01-01")
    assert (said.code, "the relay of intake sends nothing" in said.err) == (1, True)
    assert await waiting(stand) == [1, 2]
