"""The live feed: one tail of the outbox per process, fanned out by what its readers may see."""

from __future__ import annotations

from services.dispatch.live.cursor import Cursor, Reset
from services.dispatch.live.readers import Event, Look, Subscription
from services.dispatch.live.tail import Feed

__all__ = ["Cursor", "Event", "Feed", "Look", "Reset", "Subscription"]
