"""`grid replay list` and `show`: what waits, for people and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.chassis.clock import LOCAL
from services.chassis.db import Database, Tx, grid_now
from services.chassis.grants import SERVICE_ROLES
from services.chassis.grid.asking import run
from services.chassis.streams import sought as finding
from services.chassis.streams.byhand import DeadLetter, NoSuchDeadLetter, NoSuchHeldEvent, blocked_keys
from services.chassis.streams.sought import HeldEvent, Sought

PAGE: Final = 100


def show() -> int:
    """Print what waits in all three services; 0 even if something does: looking is no test."""
    return list_all(tuple(SERVICE_ROLES), Sought(), PAGE, as_json=False)


def list_all(services: Sequence[str], which: Sought, limit: int, *, as_json: bool) -> int:
    """Print the dead letters, held events and blocked keys that are sought."""
    told: list[dict[str, Any]] = []
    for service in services:

        async def work(db: Database, service: str = service) -> None:
            async with db.reading() as tx:
                if as_json:
                    told.extend(await _rows(tx, service, which, limit))
                else:
                    await _print(tx, service, which, limit)

        if code := run(service, work):
            return code
    if as_json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    return 0


def show_one(service: str, what: str) -> int:
    """Print a dead letter (by number) or a held event (by id) whole."""

    async def work(db: Database) -> None:
        async with db.reading() as tx:
            found = await _one(tx, service, what)
        head = {name: value for name, value in found.items() if name not in ("headers", "payload")}
        for name, value in (*head.items(), *sorted(found["headers"].items())):
            _say(f"{name:<22} {value}")
        _say("")
        _say(found["payload"])

    return run(service, work)


async def _one(tx: Tx, service: str, what: str) -> dict[str, Any]:
    now = await grid_now(tx)
    if what.isdigit():
        for letter in await finding.letters(tx, service, Sought(number=int(what)), 1):
            return letter_row(service, letter, now) | {"headers": dict(letter.headers), "payload": _text(letter)}
        raise NoSuchDeadLetter(f"no open dead letter {what} in {service}")
    for event in await finding.held(tx, service, Sought(event=UUID(what)), 1):
        return held_row(service, event, now) | {"headers": event.headers, "payload": _text(event)}
    raise NoSuchHeldEvent(f"no held event {what} in {service}")


async def _rows(tx: Tx, service: str, which: Sought, limit: int) -> list[dict[str, Any]]:
    now = await grid_now(tx)
    rows = [letter_row(service, letter, now) for letter in await finding.letters(tx, service, which, limit)]
    return rows + [held_row(service, event, now) for event in await finding.held(tx, service, which, limit)]


async def _print(tx: Tx, service: str, which: Sought, limit: int) -> None:
    now = await grid_now(tx)
    letters = await finding.letters(tx, service, which, limit)
    blocked = await blocked_keys(tx, service, limit) if which.anything else []
    _say(f"{service}: {_many(len(letters), limit)} dead letters, {_many(len(blocked), limit)} blocked keys")
    for letter in letters:
        _say(letter_line(letter, now))
    for key in blocked:
        _say(
            f"  blocked {named(key.lane.key)}  since {_local(key.since)}  {key.lane.source} → {key.lane.topic}"
            f"  waits for no. {key.waits_for}, holds {key.held} from no. {key.first_held} ({key.reason})"
        )
    for event in [] if which.anything else await finding.held(tx, service, which, limit):
        _say(held_line(event, now))


def letter_line(letter: DeadLetter, now: datetime) -> str:
    """One line for people."""
    number = "?" if letter.sequence is None else letter.sequence
    place = f"{letter.topic}/{letter.partition}/{letter.offset}"
    return (
        f"  dead letter {letter.id}  {_local(letter.at)} ({_age(letter.at, now)})  {named(letter.key)} no. {number}"
        f"  {place}  {letter.error}"
    )


def held_line(event: HeldEvent, now: datetime) -> str:
    """One line for people."""
    place = f"{event.lane.topic}/{event.partition}/{event.offset}"
    return (
        f"  held {event.event_id}  {_local(event.at)} ({_age(event.at, now)})  {named(event.lane.key)}"
        f" no. {event.sequence}  {place}  {event.type}  {event.reason}"
    )


def letter_row(service: str, letter: DeadLetter, now: datetime) -> dict[str, Any]:
    """One object for programs."""
    return {
        "service": service,
        "kind": "dead",
        "number": letter.id,
        "event_id": str(letter.event_id) if letter.event_id else None,
        "key": named(letter.key),
        "source": letter.source,
        "sequence": letter.sequence,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "reason": letter.error,
        "at": letter.at.isoformat(),
        "age_s": round((now - letter.at).total_seconds()),
    }


def held_row(service: str, event: HeldEvent, now: datetime) -> dict[str, Any]:
    """One object for programs."""
    return {
        "service": service,
        "kind": "held",
        "event_id": str(event.event_id),
        "type": event.type,
        "key": named(event.lane.key),
        "source": event.lane.source,
        "sequence": event.sequence,
        "topic": event.lane.topic,
        "partition": event.partition,
        "offset": event.offset,
        "reason": event.reason,
        "at": event.at.isoformat(),
        "age_s": round((now - event.at).total_seconds()),
    }


def named(key: bytes) -> str:
    """A key as text."""
    return key.decode(errors="backslashreplace")


def _text(found: DeadLetter | HeldEvent) -> str:
    return found.payload.decode(errors="backslashreplace")


def _local(at: datetime) -> str:
    return f"{at.astimezone(LOCAL):%F %T}"


def _age(at: datetime, now: datetime) -> str:
    seconds = max(0, int((now - at).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _many(count: int, limit: int) -> str:
    return f"{count}" if count < limit else f"{limit} or more"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
