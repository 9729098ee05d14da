"""What intake's tables tell about its health: wishes without an answer, reports that became no case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from services.intake.store import Tx

SETTLED_AFTER: Final = timedelta(minutes=15)
LOOK_BACK: Final = timedelta(hours=24)

_UNANSWERED: Final = sa.text(
    "SELECT count(*) AS wishes, coalesce(extract(epoch FROM directory.grid_now() - min(asked_at)), 0) AS age"
    " FROM intake.commands WHERE state = 'asked'"
)
_CASELESS: Final = sa.text(
    "SELECT count(*) FROM (SELECT FROM intake.outbox o WHERE o.topic = 'grid.report.v1'"
    " AND o.created_at BETWEEN directory.grid_now() - CAST(:since AS interval)"
    " AND directory.grid_now() - CAST(:until AS interval)"
    " AND o.headers ->> 'ce_type' = 'report.submitted' AND NOT EXISTS"
    " (SELECT FROM intake.case_reports c WHERE c.report_id = CAST(convert_from(o.key, 'UTF8') AS uuid))"
    " LIMIT 1001) r"
)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Reporters' wishes that dispatch has not answered, and the age in seconds of the oldest."""

    wishes: int
    age_s: float


async def unanswered(tx: Tx) -> Unanswered:
    """What reporters wait for."""
    row = (await tx.execute(_UNANSWERED)).one()
    return Unanswered(row.wishes, max(0.0, float(row.age)))


async def caseless_reports(tx: Tx) -> int:
    """Reports of the last day, older than a quarter of an hour, whose case intake has not heard of; up to 1001."""
    answer: int = (await tx.execute(_CASELESS, {"since": LOOK_BACK, "until": SETTLED_AFTER})).scalar_one()
    return answer
