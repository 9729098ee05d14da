"""Fire what is due: firing, event and the next rung in one transaction. What a firing means is decided in dispatch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.envelope import Envelope
from schemas.events.sla import SlaFiredV1
from schemas.topics import SLA
from services.chassis.db import Tx
from services.chassis.ids import IdSource
from services.chassis.outbox import OutboxTables, Outgoing, next_sequences, publish
from services.escalation.store import timers
from services.escalation.store.timers import DueTimer
from services.governance.cycle import ClockKind

SOURCE = "grid/escalation"


@dataclass(frozen=True, slots=True)
class Fired:
    """How many timers fired, and how late each was, in seconds. `more`: there may be others due at once; `standby`:
    another process has the turn."""

    count: int
    lateness_s: tuple[float, ...]
    more: bool = False
    standby: bool = False


async def fire_due(tx: Tx, outbox: OutboxTables, ids: IdSource, limit: int) -> Fired:
    """Fire about `limit` due timers, oldest first. Crash before COMMIT: still armed, so none is missed."""
    claim = await timers.claim_due(tx, limit)
    now = claim.now
    if now is None or not claim.due:
        return Fired(0, (), standby=claim.standby)
    events = await _events(tx, outbox, ids, claim.due, now)
    pairs = [(timer, str(event.id)) for timer, event in zip(claim.due, events, strict=True)]
    await timers.mark_fired(tx, pairs, now)
    await publish(tx, outbox, [Outgoing(SLA.name, event) for event in events])
    return Fired(len(pairs), tuple((now - timer.due_at).total_seconds() for timer, _ in pairs), more=claim.full)


async def _events(
    tx: Tx, outbox: OutboxTables, ids: IdSource, due: Sequence[DueTimer], now: datetime
) -> list[Envelope[SlaFiredV1]]:
    numbers = await next_sequences(tx, outbox, SLA.name, [timer.case_id for timer in due])
    used: Counter[str] = Counter()
    events = []
    for timer in due:
        number = numbers[timer.case_id] + used[timer.case_id]
        used[timer.case_id] += 1
        events.append(_event(ids, timer, number, now))
    return events


def _event(ids: IdSource, timer: DueTimer, number: int, now: datetime) -> Envelope[SlaFiredV1]:
    body = SlaFiredV1(
        case_id=timer.case_id,
        clock_id=timer.clock_id,
        kind=ClockKind(timer.kind),
        rev=timer.rev,
        rung=timer.rung,
        due_at=timer.due_at,
        fired_at=now,
    )
    return Envelope(
        id=ids.uuid7(),
        type="sla.fired",
        version=1,
        source=SOURCE,
        time=now,
        subject=timer.case_id,
        sequence=number,
        data=body,
    )
