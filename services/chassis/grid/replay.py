"""`grid replay`: events put aside, dead letters and blocked keys, looked at and put back.

The worker applies what is put back on its next look, within half a minute.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.db import Database
from services.chassis.grants import SERVICE_ROLES
from services.chassis.grid.target import database_url
from services.chassis.settings import DatabaseSettings
from services.chassis.streams.byhand import (
    NoSuchDeadLetter,
    NotReplayable,
    blocked_keys,
    give_up_dead_letter,
    open_dead_letters,
    pass_over,
    replay_dead_letter,
)
from services.chassis.streams.message import Lane

PAGE = 100


def show() -> int:
    """Print what waits in all three services; 0 even if something does: looking is no test."""
    return _in_each(tuple(SERVICE_ROLES), _show)


def put_back(service: str, number: int, body: Path | None) -> int:
    """Put a dead letter back into its key, with another body if a file is given."""
    payload = body.read_bytes() if body is not None else None

    async def work(tx: AsyncConnection, schema: str) -> None:
        lane = await replay_dead_letter(tx, schema, number, payload=payload)
        _say(f"{schema} {number}: back in {_named(lane.key)} of {lane.topic}")

    return _in_each((service,), work)


def give_up(service: str, number: int, why: str) -> int:
    """Let a key go on without its dead letter."""

    async def work(tx: AsyncConnection, schema: str) -> None:
        await give_up_dead_letter(tx, schema, number, why)
        _say(f"{schema} {number}: given up, its key goes on")

    return _in_each((service,), work)


def go_past(service: str, lane: tuple[str, str, str], sequence: int) -> int:
    """Let a key (source, topic, key) go on behind a number that will never come."""
    source, topic, key = lane

    async def work(tx: AsyncConnection, schema: str) -> None:
        await pass_over(tx, schema, f"grid-{schema}", Lane(source, topic, key.encode()), sequence)
        _say(f"{schema}: {key} of {topic} goes on behind {sequence}")

    return _in_each((service,), work)


async def _show(tx: AsyncConnection, schema: str) -> None:
    letters = await open_dead_letters(tx, schema, limit=PAGE)
    blocked = await blocked_keys(tx, schema, limit=PAGE)
    _say(f"{schema}: {_many(len(letters))} dead letters, {_many(len(blocked))} blocked keys")
    for letter in letters:
        place = f"{letter.topic}/{letter.partition}/{letter.offset}"
        number = "?" if letter.sequence is None else letter.sequence
        _say(
            f"  dead letter {letter.id}  {letter.at:%F %T}  {_named(letter.key)} no. {number}  {place}  {letter.error}"
        )
    for key in blocked:
        _say(
            f"  blocked {_named(key.lane.key)}  since {key.since:%F %T}  {key.lane.source} → {key.lane.topic}"
            f"  waits for no. {key.waits_for}, holds {key.held} from no. {key.first_held} ({key.reason})"
        )


def _in_each(schemas: tuple[str, ...], work: Callable[[AsyncConnection, str], Awaitable[None]]) -> int:
    async def whole() -> None:
        for schema in schemas:
            db = Database(DatabaseSettings(url=database_url(schema), pool_size=1), "grid-replay")
            try:
                async with db.transaction() as tx:
                    await work(tx, schema)
            finally:
                await db.close()

    try:
        asyncio.run(whole())
    except (NoSuchDeadLetter, NotReplayable, SQLAlchemyError, OSError) as error:
        sys.stderr.write(f"grid: {error}\n")
        return 1
    return 0


def _many(count: int) -> str:
    return f"{count}" if count < PAGE else f"{PAGE} or more"


def _named(key: bytes) -> str:
    return key.decode(errors="backslashreplace")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
