"""Rows past keeping: removed in small transactions, whatever of them is locked left for the next time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.chassis.db import sql
from services.chassis.housekeeping.chore import Turn
from services.chassis.housekeeping.settings import RetentionSettings, days

MOST_BATCHES: Final = 2000
"""Per round; what is left then waits for the next one."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One kind of row. `statement` deletes at most `:limit` of those that ended more than `:keep` ago."""

    what: str
    statement: str
    keep: timedelta


@dataclass(frozen=True, slots=True)
class Sweeps:
    """The chore: every sweep of a service, one after the other."""

    sweeps: Sequence[Sweep]
    every: timedelta
    name: str = "retention"

    async def do(self, turn: Turn) -> None:
        """Each until nothing is left of it."""
        for sweep in self.sweeps:
            for _ in range(MOST_BATCHES):
                await turn.stand_aside()
                gone = await turn.connection.execute(
                    sql(sweep.statement, turn.schema), {"keep": sweep.keep, "limit": turn.batch}
                )
                if gone.rowcount:
                    turn.told.removed(sweep.what, gone.rowcount)
                if gone.rowcount < turn.batch:
                    break


def past(table: str, condition: str) -> str:
    """The statement for rows of `table` that meet `condition`; `{before}` in it is the moment that divides."""
    told = condition.replace("{before}", "(directory.grid_now() - CAST(:keep AS interval))")
    return (
        f"DELETE FROM ONLY {table} WHERE ctid = ANY (ARRAY("  # noqa: S608 - our own words
        f"SELECT ctid FROM ONLY {table} WHERE {told} LIMIT :limit FOR UPDATE SKIP LOCKED))"
    )


def plumbing_sweeps(kept: RetentionSettings) -> tuple[Sweep, ...]:
    """What every service has: default partitions, and dead letters somebody has dealt with.

    A row that no week can take in (its event id's clock was wrong) goes by the time it arrived.
    """
    return (
        Sweep(
            "outbox_strays",
            past("@schema.outbox_default", "published_at IS NOT NULL AND created_at < {before}"),
            days(kept.outbox),
        ),
        Sweep(
            "inbox_strays",
            past(
                "@schema.inbox_default",
                "at < {before} AND NOT EXISTS ("
                "SELECT FROM @schema.held_events h WHERE h.event_id = inbox_default.event_id)",
            ),
            days(kept.inbox),
        ),
        Sweep("dead_letters", past("@schema.dead_letters", "resolved_at < {before}"), days(kept.dead_letters)),
    )


def identity_sweeps(kept: RetentionSettings) -> tuple[Sweep, ...]:
    """What all services sign in by; one of them keeps it."""
    return (
        Sweep("sessions", past("identity.sessions", "expires_at < {before}"), days(kept.sessions)),
        Sweep("one_time_links", past("identity.one_time_links", "expires_at < {before}"), days(kept.links)),
        Sweep("throttle", past("identity.throttle", "since < {before}"), days(kept.throttle)),
    )


def answer_sweep(kept: RetentionSettings) -> Sweep:
    """Answers to Idempotency-Keys."""
    return Sweep("answers", past("@schema.idempotency_keys", "created_at < {before}"), days(kept.answers))
