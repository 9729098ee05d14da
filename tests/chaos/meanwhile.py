"""What goes on without the broker: timers fire and what waits is posted, for neither needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import psycopg

from tests.chaos.violation import Connection, Violation, one

MARGIN_S: Final = 5.0
"""What came due so shortly before the broker was back may have fired after."""
ENOUGH: Final = 10
"""So many came due that one at least must have fired, whatever else was hurt."""
_DUE: Final = "SELECT count(*) FROM escalation.firings WHERE due_at BETWEEN to_timestamp(%s) AND to_timestamp(%s)"
_POSTED: Final = (
    "SELECT count(*) FROM escalation.webhook_attempts WHERE at BETWEEN to_timestamp(%s) AND to_timestamp(%s)"
)


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """One outage: its length in seconds, the timers that came due in it, how many of them fired in it, and posts."""

    seconds: float
    due: int
    fired: int
    posted: int

    @property
    def told(self) -> str:
        """A line of the report."""
        return (
            f"without a broker for {self.seconds:.0f} s: {self.due} timers came due and {self.fired} of them fired,"
            f" {self.posted} posts were tried"
        )

    def violations(self) -> list[Violation]:
        """Timers that waited for the broker."""
        return [Violation("timers without a broker", self.told)] if self.due >= ENOUGH and not self.fired else []


def meanwhile(database_url: str, began: float, ended: float) -> Meanwhile:
    """Between two moments of the wall clock, asked when all is over."""
    with psycopg.connect(database_url) as connection:
        return judge(connection, began, ended)


def judge(connection: Connection, began: float, ended: float) -> Meanwhile:
    """The same, over a connection."""
    due = one(connection, _DUE, began, ended - MARGIN_S)
    fired = one(connection, f"{_DUE} AND fired_at <= to_timestamp(%s)", began, ended - MARGIN_S, ended)
    return Meanwhile(round(ended - began, 1), due, fired, one(connection, _POSTED, began, ended))
