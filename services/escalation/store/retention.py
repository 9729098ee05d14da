"""What escalation may forget: answers to repeated requests, deliveries that ended, call-backs long answered."""

from __future__ import annotations

from typing import Final

from services.chassis.housekeeping import RetentionSettings
from services.chassis.housekeeping.settings import days
from services.chassis.housekeeping.sweeps import Sweep, answer_sweep, past

_ENDED: Final = "('delivered', 'skipped')"
"""A dead letter has not ended: it stays until somebody sends it again or sets it aside."""
_DELIVERIES: Final = """
  WITH old AS (
    SELECT id FROM escalation.webhook_deliveries
    WHERE created_at < directory.grid_now() - CAST(:keep AS interval) AND state IN {ended}
      AND coalesce(delivered_at, created_at) < directory.grid_now() - CAST(:keep AS interval)
    ORDER BY created_at, id LIMIT :limit FOR UPDATE SKIP LOCKED),
  attempts AS (DELETE FROM escalation.webhook_attempts a USING old WHERE a.delivery_id = old.id)
  DELETE FROM escalation.webhook_deliveries d USING old WHERE d.id = old.id""".replace("{ended}", _ENDED)
_ATTEMPTS: Final = (
    "at < {before} AND EXISTS (SELECT FROM escalation.webhook_deliveries d WHERE d.id = delivery_id"
    f" AND d.state IN {_ENDED})"
)
_RECEIPTS: Final = "at < {before} AND (state <> 'unknown' OR aside_at IS NOT NULL)"
"""What nobody has looked at yet stays."""
# What was pushed goes after what it told.
_UNNAMED: Final = (
    "created_at < {before} AND state IN ('sent', 'dead')"
    " AND NOT EXISTS (SELECT FROM escalation.notice_pushes p WHERE p.message_id = id)"
)


def sweeps(kept: RetentionSettings) -> tuple[Sweep, ...]:
    """Numbers per endpoint and case are counted elsewhere, so a delivery can go without one being given twice."""
    return (
        answer_sweep(kept),
        Sweep("deliveries", _DELIVERIES, days(kept.deliveries)),
        Sweep("attempts", past("escalation.webhook_attempts", _ATTEMPTS), days(kept.attempts)),
        Sweep("notices", past("escalation.notices", "at < {before}"), days(kept.notices)),
        Sweep("notice_messages", past("escalation.notice_messages", _UNNAMED), days(kept.notices)),
        Sweep("receipts", past("escalation.platform_receipts", _RECEIPTS), days(kept.receipts)),
    )
