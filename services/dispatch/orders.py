"""How lists are ordered: one stored key per order, and the lists that have an index of their own in it.

A key stands in the case's row and is written with it; where a case has none (no limit runs) it comes last.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Order(StrEnum):
    """The name of an order, and its key as SQL over `cases`."""

    STAGE_DUE = "stage_due"  # the limit that somebody must keep now
    WORK_DUE = "work_due"  # the limit of the work itself
    REPLY_DUE = "reply_due"  # by when an order of the street is to be answered
    REVIEW = "review"
    EXCESS = "excess"  # the moment at which twice the limit is used: unlike the ratio it stands still
    URGENCY = "urgency"  # U0 first, then who came first
    AGE = "age"

    @property
    def key(self) -> str:
        """Never NULL."""
        return _KEYS[self]


_KEYS: Final[Mapping[Order, str]] = {
    Order.STAGE_DUE: "coalesce(stage_due_at, 'infinity'::timestamptz)",
    Order.WORK_DUE: "coalesce(due_at, 'infinity'::timestamptz)",
    Order.REPLY_DUE: "coalesce(reply_at, 'infinity'::timestamptz)",
    Order.REVIEW: "coalesce(review_at, 'infinity'::timestamptz)",
    Order.EXCESS: "coalesce(twice_at, 'infinity'::timestamptz)",
    Order.URGENCY: "arrival",
    Order.AGE: "opened_at",
}

ORDERS: Final[Mapping[str, Order]] = {
    "branch_triage": Order.STAGE_DUE,
    "community_calls": Order.STAGE_DUE,
    "community_handling": Order.STAGE_DUE,
    "intake": Order.URGENCY,
    "to_confirm": Order.STAGE_DUE,
    "to_dispatch": Order.STAGE_DUE,
    "disputes": Order.AGE,
    "to_sign": Order.STAGE_DUE,
    "to_respond": Order.STAGE_DUE,
    "in_handling": Order.STAGE_DUE,
    "to_verify": Order.STAGE_DUE,
    "visits": Order.STAGE_DUE,
    "to_close": Order.STAGE_DUE,
    "red": Order.STAGE_DUE,
    "overdue": Order.EXCESS,
    "due_soon": Order.STAGE_DUE,
    "approvals": Order.WORK_DUE,
    "review_due": Order.REVIEW,
    "supervise_open": Order.REPLY_DUE,
    "hard": Order.AGE,
    "no_rule": Order.STAGE_DUE,
    "cross_border": Order.AGE,
    "grid_handling": Order.STAGE_DUE,
    "grid_open": Order.STAGE_DUE,
    "called_street": Order.STAGE_DUE,
    "co_tasks": Order.STAGE_DUE,
    "my_requests": Order.WORK_DUE,
    "to_claim": Order.STAGE_DUE,
    "pledged": Order.STAGE_DUE,
    "to_approve": Order.WORK_DUE,
    "supervised": Order.REPLY_DUE,
    "to_mediate": Order.STAGE_DUE,
    "whistles": Order.STAGE_DUE,
}
"""Every list and its order."""

PERSONAL: Final = frozenset({"my_requests", "to_approve", "to_mediate"})
"""Lists that are about one person: a case's row cannot say for whom it stands in them."""

OF_FEW: Final = PERSONAL | {"co_tasks", "to_claim", "pledged", "supervised"}
"""Lists without an index: what a person or unit has in them is found by its tasks and requests."""

ENDED: Final = frozenset({"approvals", "visits"})
"""Lists that an ended case can still stand in: somebody has to decide, or to answer who was not satisfied."""


def holds(queue: str) -> str:
    """The stored standing of a case in a list as SQL, written as its index has it."""
    return f"queues @> '{{{queue}}}'::text[]"
