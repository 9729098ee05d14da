"""What dispatch listens to, and who handles it. No decisions here."""

from __future__ import annotations

from schemas.topics import COMMAND, REPORT, SLA
from services.chassis.streams import BatchHandler
from services.dispatch.usecases.take import Taking, Tools

APP_ID = "grid-dispatch"  # the consumer group: never changes
TOPICS = (REPORT.name, SLA.name, COMMAND.name)


def handler(tools: Tools) -> BatchHandler:
    """The handler of all three topics: their events concern the same cases and share a transaction."""
    return Taking(tools)
