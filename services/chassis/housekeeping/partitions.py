"""Weeks of outbox and inbox: fourteen days ahead, and dropped behind once nobody can need them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal, TypeVar

import orjson
from sqlalchemy.exc import DBAPIError

from services.chassis.db import grid_now, sql, sqlstate
from services.chassis.housekeeping.chore import Turn
from services.chassis.housekeeping.weeks import Plan, days_ahead, plan, start_of
from services.chassis.outbox.antientropy import Consumer
from services.chassis.telemetry import logger

Table = Literal["outbox", "inbox"]
T = TypeVar("T")

TABLES: Final[tuple[Table, ...]] = ("outbox", "inbox")
"""The outbox first: an inbox keeps what some outbox still has."""
REASONS: Final[Mapping[Table, tuple[str, ...]]] = {
    "outbox": ("unpublished", "unseen"),
    "inbox": ("held", "dead_letter", "outbox"),
}
"""What may keep a week that is past keeping; one that is merely too young for `drop_week` is none of them."""
MOST_COUNTED: Final = 10_001
TRIES: Final = 10
_PAUSE_S: Final = 0.3
_LOCKED_OUT: Final = "55P03"

_log = logger(__name__)
_WEEKS: Final = """
  SELECT to_date(right(c.relname, 8), 'YYYYMMDD') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = CAST('@schema.' || CAST(:parent AS text) AS regclass) AND c.relname ~ '_p[0-9]{8}$'"""
_IN_DEFAULT: Final = "SELECT count(*) FROM (SELECT FROM ONLY @schema.{table}_default LIMIT :most) r"
_OF_ROW: Final = {
    "outbox": "created_at",
    "inbox": "to_timestamp(CAST(CAST('x' || left(replace(CAST(event_id AS text), '-', ''), 12) AS bit(48)) AS bigint)"
    " / 1000.0)",
}
_STRAYS: Final = """
  SELECT DISTINCT CAST(date_trunc('week', {moment} AT TIME ZONE 'UTC') AS date) FROM ONLY @schema.{table}_default"""
_MAKE: Final = "SELECT @schema.make_week(:parent, :monday)"
_DROP: Final = "SELECT @schema.drop_week(:parent, :monday)"
_IDS: Final = """
  SELECT min(CAST(event_id AS text)) AS first, max(CAST(event_id AS text)) AS last FROM @schema.outbox
  WHERE created_at >= :low AND created_at < :high
    AND topic IN (SELECT json_array_elements_text(CAST(:topics AS json)))"""
_UNSEEN: Final = """
  SELECT EXISTS (SELECT FROM @schema.outbox o
    WHERE o.created_at >= :low AND o.created_at < :high
      AND o.topic IN (SELECT json_array_elements_text(CAST(:topics AS json)))
      AND NOT EXISTS (SELECT FROM {seen}.inbox_seen s WHERE s.consumer = :consumer AND s.event_id = o.event_id
        AND s.event_id BETWEEN CAST(:first AS uuid) AND CAST(:last AS uuid))
      AND NOT EXISTS (SELECT FROM {seen}.inbox_seen s WHERE s.consumer = :consumer AND s.event_id IS NULL
        AND s.topic = o.topic AND s.part = o."partition" AND s.off = o."offset"))"""


@dataclass(frozen=True, slots=True)
class Partitions:
    """The chore that makes weeks, and moves into them what had to wait in the default partition."""

    keep: Mapping[Table, timedelta]
    every: timedelta
    name: str = "partitions"

    async def do(self, turn: Turn) -> None:
        """Make, move, tell."""
        for table in TABLES:
            wanted, now = await _plan(turn, table, self.keep[table])
            for monday in wanted.make:
                await _make(turn, table, monday)
            ahead = days_ahead(await _weeks(turn, table), now)
            turn.told.partitions(table, await _in_default(turn, table), ahead)


@dataclass(frozen=True, slots=True)
class OldWeeks:
    """The chore that drops weeks. `consumers` are those of this service's events: a week is theirs until they have
    taken all of it."""

    consumers: Sequence[Consumer]
    keep: Mapping[Table, timedelta]
    every: timedelta
    name: str = "old-weeks"

    async def do(self, turn: Turn) -> None:
        """Drop what nobody needs, tell what somebody does."""
        for table in TABLES:
            wanted, _ = await _plan(turn, table, self.keep[table])
            kept = Counter([await self._drop(turn, table, monday) for monday in wanted.drop])
            turn.told.overdue(table, {why: kept[why] for why in REASONS[table]})

    async def _drop(self, turn: Turn, table: Table, monday: date) -> str:
        """Answers 'dropped' or what keeps it."""
        outcome = "unseen"
        if table == "inbox" or not await self._unseen(turn, monday):
            outcome = str(await _patiently(lambda: _call(turn, _DROP, table, monday)))
        if outcome == "dropped":
            turn.told.removed(f"{table}_weeks", 1)
            _log.info("housekeeping.week_dropped", schema=turn.schema, table=table, week=str(monday))
        elif outcome in REASONS[table]:
            _log.warning("housekeeping.week_kept", schema=turn.schema, table=table, week=str(monday), why=outcome)
        return outcome

    async def _unseen(self, turn: Turn, monday: date) -> bool:
        """Whether some consumer lacks an event of this week: then the outbox is the only place to send it from."""
        for consumer in self.consumers:
            for day in range(7):  # a day at a time: a week of a busy street is long
                await turn.stand_aside()
                low = start_of(monday) + timedelta(days=day)
                if await _lacks(turn, consumer, {"low": low, "high": low + timedelta(days=1)}):
                    return True
        return False


async def _plan(turn: Turn, table: Table, keep: timedelta) -> tuple[Plan, datetime]:
    """What is to be done, and when that was."""
    now = await grid_now(turn.connection)
    # event ids are made by the clocks of hosts
    moments = (now,) if table == "outbox" else (now, turn.clock.now())
    strays = await _strays(turn, table) if await _in_default(turn, table) else set()
    return plan(await _weeks(turn, table), moments, strays, keep), now


async def _lacks(turn: Turn, consumer: Consumer, span: Mapping[str, datetime]) -> bool:
    of = {**span, "topics": orjson.dumps(consumer.topics).decode()}
    ids = (await turn.connection.execute(sql(_IDS, turn.schema), of)).one()
    if ids.first is None:
        return False
    statement = sql(_UNSEEN.replace("{seen}", consumer.schema), turn.schema)
    asked = of | {"consumer": consumer.group, "first": ids.first, "last": ids.last}
    return bool((await turn.connection.execute(statement, asked)).scalar_one())


async def _make(turn: Turn, table: Table, monday: date) -> None:
    moved = int(await _patiently(lambda: _call(turn, _MAKE, table, monday)))
    _log.info("housekeeping.week_made", schema=turn.schema, table=table, week=str(monday), moved=moved)
    if moved:
        turn.told.moved(table, moved)


async def _call(turn: Turn, statement: str, table: Table, monday: date) -> str | int:
    asked = {"parent": table, "monday": monday}
    answer: str | int = (await turn.connection.execute(sql(statement, turn.schema), asked)).scalar_one()
    return answer


async def _patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Again where live work held the table for the second that the function waits."""
    for _ in range(TRIES - 1):
        try:
            return await work()
        except DBAPIError as exc:
            if sqlstate(exc) != _LOCKED_OUT:
                raise
        await asyncio.sleep(_PAUSE_S)
    return await work()


async def _weeks(turn: Turn, table: Table) -> set[date]:
    return set((await turn.connection.execute(sql(_WEEKS, turn.schema), {"parent": table})).scalars())


async def _strays(turn: Turn, table: Table) -> set[date]:
    statement = sql(_STRAYS.format(moment=_OF_ROW[table], table=table), turn.schema)
    return set((await turn.connection.execute(statement)).scalars())


async def _in_default(turn: Turn, table: Table) -> int:
    statement = sql(_IN_DEFAULT.format(table=table), turn.schema)
    found: int = (await turn.connection.execute(statement, {"most": MOST_COUNTED})).scalar_one()
    return found
