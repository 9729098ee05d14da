"""The whole error policy of consuming: one transaction per batch, and what happens when it fails.

- weather (`is_transient`): the same batch again, for ever, with growing pauses; nothing is acked meanwhile.
- bad data: the batch is halved until the event at fault stands alone; that one becomes a dead letter.
- `Poison` from the handler: a dead letter at once.
- anything else is a fault of ours and goes up: the process ends and the batch comes again.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NoReturn, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.registry import decode as decode_published
from services.chassis.clock import monotonic
from services.chassis.db import Database, is_transient, sqlstate
from services.chassis.ids import IdSource
from services.chassis.inbox import InboxTables
from services.chassis.outbox.publish import RawOutgoing, publish_raw
from services.chassis.outbox.tables import OutboxTables
from services.chassis.streams.arrange import Plan, Standing, applicable, arrange
from services.chassis.streams.handler import BatchHandler, Poison
from services.chassis.streams.message import Decode, Item, Lane, Message, clean, printable, read
from services.chassis.streams.metrics import StreamMetrics
from services.chassis.streams.store import StreamStore
from services.chassis.telemetry import logger

CHUNK: Final = 256
"""Events per transaction."""
RELEASE_LANES: Final = 100
RELEASE_PER_LANE: Final = 64
FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 5.0
URGENT_S: Final = 45.0
"""How long a batch may still take once the group is rebalancing or the process is asked to end; below the group's
rebalance time-out, so that we leave of our own accord."""
EXIT_URGENT: Final = 75
DEAD_IN_A_ROW: Final = 50
"""So many dead letters without one good event between them mean a bad deploy, not bad events: stop."""

T = TypeVar("T")
_DATA_ERRORS: Final = ("22", "23")
_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the batch runner cannot know: whether somebody waits for it, whom to tell of progress, and how to leave."""

    urgent: Callable[[], bool] = lambda: False
    leave: Callable[[int], NoReturn] = os._exit
    decode: Decode = decode_published
    dead_in_a_row: int = DEAD_IN_A_ROW
    committed: Callable[[], None] = lambda: None
    """Told after each transaction."""


class BatchRunner:
    """Applies batches of one consumer, one after the other."""

    def __init__(
        self,
        consumer: str,
        db: Database,
        tables: tuple[InboxTables, OutboxTables],
        handler: BatchHandler,
        ids: IdSource,
        metrics: StreamMetrics,
        around: Surroundings | None = None,
    ) -> None:
        self._consumer = consumer
        self._db = db
        self._inbox, self._outbox = tables
        self._store = StreamStore(self._inbox.schema, consumer)
        self._handler = handler
        self._ids = ids
        self._metrics = metrics
        self._around = around or Surroundings()
        self._turn = asyncio.Lock()
        self._dead_run = 0
        self._begun: float | None = None
        self.trouble: str | None = None
        """Why nothing moves at the moment, for the ready check; None while all is well."""

    def read(self, messages: Sequence[Message]) -> list[Item]:
        """Decode a batch: pure computing, so it can go on while the database works on the batch before."""
        return [read(message, self._around.decode) for message in messages]

    async def run(self, items: Sequence[Item]) -> None:
        """Apply one batch for good: returns when it is committed, duplicates, held and dead events included.

        Never returns half done and raises only what must end the process.
        """
        async with self._turn:
            self._begun = monotonic()
            unblocked = await self._settle(items)
            await self._release(unblocked)
            self._begun = None

    async def release(self) -> int:
        """Apply held events whose time has come: newer code reads them, or what was missing has arrived since.

        Answers how many it let go. Called at the start and every half minute.
        """
        async with self._turn:
            self._begun = monotonic()
            released, after = 0, None
            while page := await self._patiently(partial(self._stuck_after, after)):
                after = page[-1][0]
                readable = {lane for lane, message in page if read(message, self._around.decode).unknown is None}
                released += await self._release(readable)
            self._begun = None
        await self._patiently(self._count)
        return released

    async def _release(self, lanes: set[Lane]) -> int:
        """Apply what is held of these lanes as far as it goes."""
        released = 0
        while lanes:
            held = await self._patiently(partial(self._held_of, lanes))
            items = applicable([(at, read(message, self._around.decode, held=True)) for at, message in held])
            if not items:
                break
            released += len(items)
            lanes = await self._settle(items)
        return released

    async def _stuck_after(self, after: Lane | None) -> list[tuple[Lane, Message]]:
        async with self._db.reading() as tx:
            return await self._store.stuck_after(tx, after, RELEASE_LANES)

    async def _held_of(self, lanes: set[Lane]) -> list[tuple[Standing, Message]]:
        async with self._db.reading() as tx:
            return await self._store.held_of(tx, sorted(lanes), RELEASE_PER_LANE)

    async def _count(self) -> None:
        async with self._db.reading() as tx:
            self._metrics.waiting(await self._store.counts(tx))

    async def _settle(self, items: Sequence[Item]) -> set[Lane]:
        """Commit these items, in as many transactions as their faults demand; answers lanes with more to release."""
        unblocked: set[Lane] = set()
        pending = deque(list(items[start : start + CHUNK]) for start in range(0, len(items), CHUNK))
        while pending:
            chunk = pending.popleft()
            good = self._before_limit(chunk)
            if good == 0:
                await self._halt()
            if good < len(chunk):
                pending.appendleft(chunk[good:])
                chunk = chunk[:good]
            outcome = await self._patiently(partial(self._attempt, chunk))
            if isinstance(outcome, Plan):
                unblocked |= outcome.unblocked
            else:
                pending.extendleft(reversed(outcome))
        return unblocked

    async def _attempt(self, chunk: list[Item]) -> Plan | list[list[Item]]:
        """Commit a chunk, or answer the pieces to try instead, one event at fault marked or narrowed down."""
        try:
            return await self._commit(chunk)
        except _RefusedItem as exc:
            return _around_poison(chunk, exc.item, exc.why)
        except DBAPIError as exc:
            state = sqlstate(exc) or ""
            if is_transient(exc) or not state.startswith(_DATA_ERRORS):
                raise
            if len(chunk) > 1:
                return [chunk[: len(chunk) // 2], chunk[len(chunk) // 2 :]]
            if chunk[0].dead is not None:
                raise
            return [[_dead(chunk[0], _told(exc, state))]]

    async def _commit(self, chunk: Sequence[Item]) -> Plan:
        begun = monotonic()
        async with self._db.transaction() as tx:
            fresh = await self._store.take(tx, chunk)
            lanes = [item.lane for item in chunk if item.lane is not None and item.head and item.head.id in fresh]
            plan = arrange(chunk, fresh, await self._store.standings(tx, lanes))
            if plan.ready:
                await self._apply(tx, plan)
            await self._store.move(tx, plan.moves)
            await self._store.hold(tx, plan.held)
            buried = await self._store.bury(tx, plan.dead)
            await publish_raw(tx, self._outbox, [self._letter(item) for item in buried])
        self._around.committed()
        self._dead_run = _run_after(self._dead_run, chunk, plan)
        self._tell(plan)
        self._metrics.committed(plan, monotonic() - begun)
        return plan

    async def _apply(self, tx: AsyncConnection, plan: Plan) -> None:
        try:
            await self._handler.apply(tx, [item.received() for item in plan.ready])
        except Poison as exc:
            raise _RefusedItem(plan.ready[exc.index], exc.why) from exc

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Repeat `work` until the weather lets it through; leave the process where others wait for us meanwhile."""
        tries = 0
        while True:
            try:
                result = await work()
            except Exception as exc:
                if not is_transient(exc):
                    raise
                if tries % 10 == 0:
                    _log.warning("stream.retrying", tries=tries, error=repr(exc)[:300])
                self.trouble = "the database does not answer"
                self._metrics.retried()
            else:
                self.trouble = None
                return result
            self._leave_if_urgent()
            longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(tries, 10))
            await asyncio.sleep(secrets.SystemRandom().uniform(0.0, longest))
            tries += 1

    def _leave_if_urgent(self) -> None:
        if self._begun is not None and monotonic() - self._begun > URGENT_S and self._around.urgent():
            _log.critical("stream.left_unfinished", after=URGENT_S)
            self._around.leave(EXIT_URGENT)

    def _before_limit(self, chunk: Sequence[Item]) -> int:
        """How many items may be settled before the run of dead letters grows too long."""
        run = self._dead_run
        for n, item in enumerate(chunk):
            if item.dead is None:
                run = 0
            elif run >= self._around.dead_in_a_row:
                return n
            else:
                run += 1
        return len(chunk)

    async def _halt(self) -> NoReturn:
        """Take nothing more until a person has looked; the messages stay in Kafka, the process stays up and unready."""
        self.trouble = f"{self._dead_run} dead letters in a row: stopped, look at them and start the worker again"
        _log.critical("stream.stopped", dead_in_a_row=self._dead_run, consumer=self._consumer)
        while True:
            if self._around.urgent():
                self._around.leave(EXIT_URGENT)
            await asyncio.sleep(1.0)

    def _letter(self, item: Item) -> RawOutgoing:
        """The message as it goes to the dead-letter topic, saying why and where it lay."""
        message = item.message
        headers = printable(message.headers) | {
            "grid_dead_error": clean(item.dead or "")[:1000],
            "grid_dead_consumer": self._consumer,
            "grid_dead_place": f"{message.topic}/{message.partition}/{message.offset}",
        }
        event_id = item.head.id if item.head else self._ids.uuid7()
        sequence = item.head.sequence if item.head else 0
        return RawOutgoing(f"{message.topic}.dlq", message.key, sequence, event_id, headers, message.payload)

    def _tell(self, plan: Plan) -> None:
        for item in plan.dead:
            place = f"{item.message.topic}/{item.message.partition}/{item.message.offset}"
            _log.error("stream.dead_letter", place=place, error=(item.dead or "")[:500], consumer=self._consumer)
        if plan.held:
            first = plan.held[0][0].message
            _log.warning("stream.held", events=len(plan.held), topic=first.topic, consumer=self._consumer)


class _RefusedItem(Exception):
    """The handler's Poison, with the item it meant."""

    def __init__(self, item: Item, why: str) -> None:
        super().__init__(why)
        self.item = item
        self.why = why


def _around_poison(chunk: list[Item], poison: Item, why: str) -> list[list[Item]]:
    """What came before it, the poison alone and marked, what came after it."""
    at = next(n for n, item in enumerate(chunk) if item is poison)
    return [piece for piece in (chunk[:at], [_dead(poison, why)], chunk[at + 1 :]) if piece]


def _run_after(run: int, chunk: Sequence[Item], plan: Plan) -> int:
    """How many dead letters in a row there are now; an applied event ends the row, a held or known one does not."""
    applied, buried = set(map(id, plan.ready)), set(map(id, plan.dead))
    for item in chunk:
        run = 0 if id(item) in applied else run + (id(item) in buried)
    return run


def _dead(item: Item, why: str) -> Item:
    return item._replace(envelope=None, dead=why)


def _told(exc: DBAPIError, state: str) -> str:
    """The database's own short message; never the statement with its parameters."""
    diagnostics = getattr(exc.orig, "diag", None)
    return f"SQLSTATE {state}: {getattr(diagnostics, 'message_primary', None) or type(exc.orig).__name__}"
