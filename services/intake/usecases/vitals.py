"""What intake's HTTP process tells about promises not yet kept."""

from __future__ import annotations

from typing import Final

from services.chassis.db import Tx
from services.chassis.telemetry import Metrics
from services.intake.store.health import caseless_reports, unanswered

ONE_LOOK_IN: Final = 6
"""Reports are compared with cases once a minute only: the question reads a day of the outbox."""


class PromiseProbe:
    """Wishes without an answer, and reports that became no case: both should come to nothing within minutes."""

    def __init__(self, metrics: Metrics) -> None:
        self._wishes = metrics.gauge("grid_commands_unanswered", "Commands that dispatch has not answered")
        self._age = metrics.gauge("grid_commands_unanswered_oldest_seconds", "Age of the oldest of them")
        self._caseless = metrics.gauge(
            "grid_intake_reports_without_case", "Reports of 15 minutes to 24 hours ago without a case, up to 1001"
        )
        self._turn = 0

    async def read(self, tx: Tx) -> None:
        open_wishes = await unanswered(tx)
        self._wishes.set(open_wishes.wishes)
        self._age.set(open_wishes.age_s)
        if self._turn % ONE_LOOK_IN == 0:
            self._caseless.set(await caseless_reports(tx))
        self._turn += 1
