"""The safeguards, each taken out by a change to one process of the system. Nobody but tests loads this."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from uuid import UUID


def ack_before_commit() -> None:
    """The offset is given away as soon as the message is in hand."""
    from services.chassis.streams.worker import StreamWorker

    whole: Any = StreamWorker._take

    async def take(self: StreamWorker, events: Sequence[Any], *rest: Any) -> None:
        for event in events:
            event.ack()
        await whole(self, events, *rest)

    setattr(StreamWorker, "_take", take)  # noqa: B010 - so that mypy lets us


def no_inbox() -> None:
    """What comes again is taken for new: neither its id nor its number is compared with what has been."""
    from services.chassis.streams import arrange
    from services.chassis.streams.store import StreamStore

    claim: Any = StreamStore.take
    place: Any = arrange._place

    async def take(self: StreamStore, tx: Any, items: Sequence[Any]) -> set[UUID]:
        claimed: set[UUID] = await claim(self, tx, items)
        return claimed | {item.head.id for item in items if item.head is not None}

    def placed(plan: Any, item: Any, move: Any, sequence: int) -> None:
        if sequence <= move.last_seq and item.envelope is not None:
            plan.ready.append(item)
        else:
            place(plan, item, move, sequence)

    setattr(StreamStore, "take", take)  # noqa: B010
    setattr(arrange, "_place", placed)  # noqa: B010


def cursor() -> None:
    """The relay remembers the last id it has read and asks for what lies behind it."""
    from services.chassis.outbox.relay import Relay

    scan: Any = Relay._read
    last: dict[int, int] = {}

    async def read(self: Relay, connection: Any) -> Sequence[Any]:
        rows = [row for row in await scan(self, connection) if row.id > last.get(id(self), 0)]
        if rows:
            last[id(self)] = rows[-1].id
        return rows

    setattr(Relay, "_read", read)  # noqa: B010


def plain_stream() -> None:
    """Events come out of the plain iterator, which acknowledges each by itself when it is asked for the next."""
    from services.chassis.streams.worker import StreamWorker

    whole: Any = StreamWorker._consume

    class Plain:
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def noack_take(self, _most: int, within: float) -> AsyncIterator[Sequence[Any]]:
            async for event in self._stream.events():
                yield [event]

        def __getattr__(self, name: str) -> Any:
            return getattr(self._stream, name)

    async def consume(self: StreamWorker, stream: Any) -> None:
        await whole(self, Plain(stream))

    setattr(StreamWorker, "_consume", consume)  # noqa: B010


def stale_obeyed() -> None:
    """A firing is obeyed whatever has become of its clock since it was armed."""
    from services.governance.acts import TimerFired
    from services.governance.case import machine

    decide = import_module("services.governance.case.decide")  # the package's own `decide` is the function
    settle = machine.settle
    fired: list[TimerFired] = []

    def not_stale(_case: Any, command: TimerFired) -> bool:
        fired[:] = [command]
        return False

    def obey(turn: Any, now: Any) -> None:
        settle(turn, now)
        while fired:
            command = fired.pop()
            clock = next((each for each in turn.case.clocks if each.clock_id == command.clock_id), None)
            rung = next((each for each in clock.rungs if each.rung == command.rung), None) if clock else None
            if rung is not None and command.rung not in clock.fired:
                machine._STEPS[rung.act](turn, clock, replace(rung, at=command.due_at))

    setattr(decide, "_is_stale", not_stale)  # noqa: B010
    setattr(decide, "settle", obey)  # noqa: B010


def timers_by_cursor() -> None:
    """The firing loop remembers how far it has come and asks only for what is due after that."""
    from sqlalchemy import text

    from services.escalation.store import timers

    claim: Any = timers.claim_due
    whole = timers._CLAIM.text
    last = ["-infinity"]

    async def claim_on(tx: Any, limit: int) -> Any:
        bound = f"due_at > '{last[0]}' AND due_at <="
        setattr(timers, "_CLAIM", text(whole.replace("due_at <=", bound, 1)))  # noqa: B010
        found = await claim(tx, limit)
        if found.due:
            last[0] = max(timer.due_at for timer in found.due).isoformat().replace(":", r"\:")
        return found

    setattr(timers, "claim_due", claim_on)  # noqa: B010


def timers_overtake() -> None:
    """A rung that has come due behind another of its clock waits for the next round, and nothing waits for it."""
    from services.escalation.store import timers

    setattr(timers, "_followers", lambda _timer, _horizon: iter(()))  # noqa: B010


def exception_out() -> None:
    """A fault of ours leaves the agent instead of ending the process."""
    from services.chassis.streams.worker import StreamWorker

    def end(_self: StreamWorker, exc: BaseException) -> None:
        raise exc

    setattr(StreamWorker, "_end", end)  # noqa: B010


MUTANTS: Final[Mapping[str, Callable[[], None]]] = {
    each.__name__: each
    for each in (
        *(ack_before_commit, no_inbox, cursor, plain_stream, stale_obeyed),
        *(timers_by_cursor, timers_overtake, exception_out),
    )
}


def fail_once(while_there: Path) -> None:
    """A fault of ours in dispatch's handler, once for each time the file is put there. No mutation, but what
    `exception_out` is about."""
    from services.dispatch.usecases.take import Taking

    whole: Any = Taking.apply

    def fail() -> None:
        if while_there.exists():
            while_there.unlink()
            raise LookupError("a fault of ours")

    async def apply(self: Taking, tx: Any, batch: Sequence[Any]) -> None:
        fail()
        await whole(self, tx, batch)

    setattr(Taking, "apply", apply)  # noqa: B010
