"""The process's own clock; what the business calls "now" comes from the database (`chassis.db.grid_now`).

Use this only where no database is at hand: log lines, ids, back-off. Never compare it with a due time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

LOCAL: Final = ZoneInfo("Asia/Shanghai")
"""What people here read on their clocks; the whole country keeps one time."""


class Clock(Protocol):
    """Whatever can say what time it is."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The host's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that never run backwards; only differences mean anything."""
    return time.monotonic()
