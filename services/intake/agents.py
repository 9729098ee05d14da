"""What intake hears: the case topic, kept as the reporter's view of progress."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.topics import CASE
from services.chassis.streams import Received
from services.intake.store import Tx, progress
from services.intake.usecases.projection import project

GROUP = "grid-intake"
TOPICS = (CASE.name,)


class Progress:
    """Applies case facts to the projection; nothing is decided here."""

    async def apply(self, tx: Tx, batch: Sequence[Received]) -> None:
        """All of `batch` in `tx`."""
        changes = project([received.envelope for received in batch])
        await progress.put_views(tx, list(changes.views.values()))
        await progress.put_reports(tx, list(changes.reports.values()))
        await progress.put_steps(tx, changes.steps)
        await progress.answer_commands(tx, list(changes.answers.values()))
