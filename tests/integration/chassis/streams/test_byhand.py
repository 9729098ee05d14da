"""What a person can do about events that wait."""

from __future__ import annotations

import pytest

from services.chassis.streams.byhand import (
    NoSuchDeadLetter,
    NotReplayable,
    blocked_keys,
    give_up_dead_letter,
    open_dead_letters,
    pass_over,
    replay_dead_letter,
)
from services.chassis.streams.message import Message
from tests.integration.chassis.streams.conftest import CONSUMER, Stand
from tests.support.events import TOPIC, message, noted

pytestmark = pytest.mark.anyio


async def bury_the_second(stand: Stand) -> int:
    poison = message(noted("a", 2), 2, payload=b"no json")
    await stand.run(message(noted("a", 1), 1), poison, message(noted("a", 3), 3), message(noted("a", 4), 4))
    assert await stand.seen() == [1]
    async with stand.db.reading() as tx:
        (letter,) = await open_dead_letters(tx, "dispatch")
    assert (letter.key, letter.sequence, letter.offset) == (b"a", 2, 2)
    return letter.id


async def test_a_corrected_letter_goes_back_into_its_place(stand: Stand) -> None:
    number = await bury_the_second(stand)
    async with stand.db.transaction() as tx:
        await replay_dead_letter(tx, "dispatch", number, payload=b'{"text":"mended"}')

    assert await stand.runner.release() == 3

    assert await stand.seen() == [1, 2, 3, 4]
    async with stand.db.reading() as tx:
        assert await open_dead_letters(tx, "dispatch") == []
        assert await blocked_keys(tx, "dispatch") == []


async def test_a_letter_replayed_too_early_becomes_one_again(stand: Stand) -> None:
    number = await bury_the_second(stand)
    async with stand.db.transaction() as tx:
        await replay_dead_letter(tx, "dispatch", number)

    await stand.runner.release()

    assert await stand.seen() == [1]
    assert await stand.count("dead_letters WHERE resolved_at IS NULL") == 1


async def test_a_key_can_go_on_without_its_letter(stand: Stand) -> None:
    number = await bury_the_second(stand)
    async with stand.db.transaction() as tx:
        await give_up_dead_letter(tx, "dispatch", number, "a test message")

    await stand.runner.release()

    assert await stand.seen() == [1, 3, 4]
    assert await stand.ask("SELECT resolution FROM dispatch.dead_letters") == [("given up: a test message",)]


async def test_a_key_can_go_on_over_what_is_lost(stand: Stand) -> None:
    await stand.run(message(noted("a", 1), 1), message(noted("a", 4), 2))
    async with stand.db.reading() as tx:
        (blocked,) = await blocked_keys(tx, "dispatch")
    assert (blocked.waits_for, blocked.first_held, blocked.held, blocked.reason) == (2, 4, 1, "gap")
    async with stand.db.transaction() as tx:
        await pass_over(tx, "dispatch", CONSUMER, blocked.lane, 3)

    await stand.runner.release()

    assert await stand.seen() == [1, 4]


async def test_a_letter_without_attributes_has_no_place_to_go_back_to(stand: Stand) -> None:
    await stand.run(Message(TOPIC, 0, 1, b"a", {}, b""))
    async with stand.db.transaction() as tx:
        (letter,) = await open_dead_letters(tx, "dispatch")
        with pytest.raises(NotReplayable):
            await replay_dead_letter(tx, "dispatch", letter.id)
        await give_up_dead_letter(tx, "dispatch", letter.id, "noise")
        with pytest.raises(NoSuchDeadLetter):
            await give_up_dead_letter(tx, "dispatch", letter.id, "noise")
