"""What escalation publishes: a rung of a clock's ladder was due. Its consequence is decided in dispatch."""

from __future__ import annotations

from schemas.wire import Body, Moment
from services.governance.cycle import ClockKind


class SlaFiredV1(Body):
    """Fired once per (clock_id, rev, rung). A consumer that knows a newer `rev` drops it."""

    case_id: str
    clock_id: str
    kind: ClockKind
    rev: int
    rung: int
    due_at: Moment
    fired_at: Moment


SLA_KINDS: dict[str, tuple[type[Body], ...]] = {"sla.fired": (SlaFiredV1,)}
