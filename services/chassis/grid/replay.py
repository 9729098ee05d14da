"""`grid replay`: what was put aside, looked at and put back, given up or sent again.

Everything here may be done while workers and relays run, and done twice. A worker applies what is put back on its next
look, within half a minute; a relay sends at once. Who did it is recorded in the same transaction (`chassis.audit`).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from services.chassis.audit import Audited, Entry, by_hand, record
from services.chassis.db import Database, Tx, grid_now
from services.chassis.grid import given_up, waiting
from services.chassis.grid.asking import REFUSALS, RelayAway, once, run
from services.chassis.grid.target import database_url
from services.chassis.ids import SystemIds
from services.chassis.outbox import byhand as outbox
from services.chassis.outbox.byhand import Range
from services.chassis.settings import DatabaseSettings
from services.chassis.streams import sought as finding
from services.chassis.streams.byhand import (
    NoSuchHeldEvent,
    discard_held,
    give_up_dead_letter,
    pass_over,
    replay_dead_letter,
)
from services.chassis.streams.message import Lane
from services.chassis.streams.sought import Sought

MOST: Final = 10_000
RELAY_PATIENCE_S: Final = 60.0
MADE_BEFORE: Final = timedelta(days=1)
"""A missing event was written at most so long before the first one held behind it."""


def put_back(service: str, number: int, body: Path | None) -> int:
    """Put a dead letter back into its key, with another body if a file is given."""
    payload = body.read_bytes() if body is not None else None

    async def work(db: Database) -> None:
        lane = await once(db, partial(_put_back, service, number, payload))
        _say(f"{service} {number}: back in {waiting.named(lane.key)} of {lane.topic}")

    return run(service, work)


def put_back_all(service: str, which: Sought, *, dry: bool) -> int:
    """Put back every dead letter that is sought, key by key in order."""

    async def work(db: Database) -> None:
        async with db.reading() as tx:
            letters = await finding.letters(tx, service, which, MOST)
        done = 0
        for letter in letters:
            if dry:
                _say(waiting.letter_line(letter, letter.at))
                continue
            done += await _attempt(db, f"{service} {letter.id}", partial(_put_back, service, letter.id, None))
        _say(f"{service}: {len(letters)} found" if dry else f"{service}: {done} of {len(letters)} put back")

    return run(service, work)


def give_up(service: str, number: int, why: str) -> int:
    """Let a key go on without its dead letter."""

    async def work(db: Database) -> None:
        await once(db, partial(_give_up, service, number, why))
        _say(f"{service} {number}: given up, its key goes on")

    return run(service, work)


def discard(service: str, which: Sought, why: str, *, dry: bool) -> int:
    """Let keys go on without the dead letters and held events that are sought, as far as it is their turn."""

    async def work(db: Database) -> None:
        async with db.reading() as tx:
            letters = [] if which.event else await finding.letters(tx, service, which, MOST)
            held = await finding.held(tx, service, which, MOST)
            now = await grid_now(tx)
        if dry:
            for line in (*(waiting.letter_line(x, now) for x in letters), *(waiting.held_line(x, now) for x in held)):
                _say(line)
            return
        if which.event is not None and not held:
            raise NoSuchHeldEvent(f"no held event {which.event} in {service}")
        done = 0
        for lane, _, target in sorted(
            [(Lane(x.source or "", x.topic, x.key), x.sequence or 0, x.id) for x in letters]
            + [(x.lane, x.sequence, x.event_id) for x in held],
            key=lambda each: each[:2],
        ):
            name = f"{service} {waiting.named(lane.key)} {target}"
            done += await _attempt(db, name, partial(_discard, service, target, why))
        _say(f"{service}: {done} of {len(letters) + len(held)} discarded")

    return run(service, work)


def go_past(service: str, lane: tuple[str, str, str], sequence: int) -> int:
    """Let a key (source, topic, key) go on behind a number that will never come."""
    source, topic, key = lane

    async def pass_it(tx: Tx) -> None:
        await pass_over(tx, service, f"grid-{service}", Lane(source, topic, key.encode()), sequence)
        told = {"service": service, "topic": topic, "source": source, "behind": sequence}
        await record(tx, Entry(Audited.KEY_PASSED_OVER, by_hand(), key, details=told))

    async def work(db: Database) -> None:
        await once(db, pass_it)
        _say(f"{service}: {key} of {topic} goes on behind {sequence}")

    return run(service, work)


def fetch_missing(service: str, which: Sought) -> int:
    """Have the numbers that blocked keys wait for sent again by whoever published them."""

    async def work(db: Database) -> None:
        async with db.reading() as tx:
            gaps = await finding.gaps(tx, service, which, MOST)
            now = await grid_now(tx)
        _say(f"{service}: {len(gaps)} keys wait for numbers that are missing")
        for gap in gaps:
            key = waiting.named(gap.lane.key)
            wanted = Range(gap.since - MADE_BEFORE, now, gap.lane.topic, key, gap.first, gap.last)
            sent = await _send(gap.lane.source.removeprefix("grid/"), wanted)
            missing = gap.last - gap.first + 1
            _say(f"  {key} of {gap.lane.topic}: no. {gap.first} to {gap.last}, {sent} of {missing} sent again")

    return run(service, work)


def send_again(service: str, wanted: Range, *, dry: bool) -> int:
    """Send a range of a service's outbox again."""

    async def work(_: Database) -> None:
        sent = await _send(service, wanted, dry=dry)
        _say(f"{service}: {sent} events {'would be ' if dry else ''}sent again")

    return run(service, work)


async def _send(producer: str, wanted: Range, *, dry: bool = False) -> int:
    """A page at a time, each when the relay has sent the one before: live events go in between."""
    db = Database(DatabaseSettings(url=database_url(producer), pool_size=1), "grid-replay")
    try:
        if dry:
            async with db.reading() as tx:
                return await outbox.count(tx, producer, wanted)
        sent, page = 0, outbox.before(wanted)
        while True:
            page = await once(db, partial(_send_page, producer, wanted, page))
            sent += page.rows
            if page.rows < outbox.PAGE:
                return sent
            await _until_sent(db, producer, wanted, page)
            _say(f"  {sent} sent again, up to {page.at:%F %T}")
    finally:
        await db.close()


async def _send_page(producer: str, wanted: Range, after: outbox.Page, tx: Tx) -> outbox.Page:
    page = await outbox.send_again(tx, producer, wanted, after)
    if page.rows:
        details = {"service": producer, "rows": page.rows, "topic": wanted.topic, "until": page.at.isoformat()}
        await record(tx, Entry(Audited.EVENTS_SENT_AGAIN, by_hand(), wanted.key, details=details))
    return page


async def _until_sent(db: Database, producer: str, wanted: Range, page: outbox.Page) -> None:
    try:
        async with asyncio.timeout(RELAY_PATIENCE_S):
            while True:
                async with db.reading() as tx:
                    if not await outbox.left(tx, producer, wanted, page):
                        return
                await asyncio.sleep(0.1)
    except TimeoutError as late:
        raise RelayAway(f"the relay of {producer} sends nothing; what is marked goes out when it is back") from late


async def _put_back(service: str, number: int, payload: bytes | None, tx: Tx) -> Lane:
    lane = await replay_dead_letter(tx, service, number, payload=payload)
    told = {"service": service, "topic": lane.topic, "key": waiting.named(lane.key), "mended": payload is not None}
    await record(tx, Entry(Audited.LETTER_PUT_BACK, by_hand(), str(number), details=told))
    return lane


async def _give_up(service: str, number: int, why: str, tx: Tx) -> None:
    gone = await give_up_dead_letter(tx, service, number, why)
    await given_up.answer(tx, service, gone, SystemIds())
    await record(tx, Entry(Audited.LETTER_GIVEN_UP, by_hand(), str(number), details={"service": service}))


async def _discard(service: str, target: int | UUID, why: str, tx: Tx) -> None:
    if isinstance(target, int):
        await _give_up(service, target, why, tx)
        return
    gone = await discard_held(tx, service, target, why)
    await given_up.answer(tx, service, gone, SystemIds())
    told = {"service": service, "topic": gone.topic, "key": waiting.named(gone.key)}
    await record(tx, Entry(Audited.EVENT_DISCARDED, by_hand(), str(target), details=told))


async def _attempt(db: Database, name: str, work: Callable[[Tx], Awaitable[object]]) -> int:
    """1 if it worked; what is refused is told and does not stop the others."""
    try:
        await once(db, work)
    except REFUSALS as error:
        _say(f"  {name}: {error}")
        return 0
    return 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
