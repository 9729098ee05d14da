"""The life of one case: `decide` says what happens, `evolve` applies it. No clock, no I/O, standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.governance.acts import (
    CategoryRef,
    Clock,
    Owner,
    Request,
    Routed,
    Spot,
    Task,
)
from services.governance.cycle import ClosedKind, Flag, Nature, State, Tier, Urgency


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands after `sequence` facts. `version` rises only with facts that change what an actor decides on."""

    case_id: str
    case_no: str
    opened_at: datetime
    last_at: datetime
    sequence: int
    version: int
    rulebook: str
    source: str
    nature: Nature
    staff: bool  # an employee reported
    history: bool  # imported outcome: no clocks, outside live queues
    state: State
    state_before: State | None  # of a suspended, fed-back or reopened case
    tier: Tier
    owner: Owner | None
    urgency: Urgency
    danger: bool
    restricted: bool
    category: CategoryRef | None
    condition: str | None
    class_proposed: bool
    spot: Spot
    routed: Routed | None
    lead: str | None
    tasks: tuple[Task, ...]
    clocks: tuple[Clock, ...]
    requests: tuple[Request, ...]
    flags: frozenset[Flag]
    reports: tuple[str, ...]
    reporter: str | None  # account of a staff reporter
    handlers: frozenset[str]
    counters: tuple[tuple[str, int], ...]
    closed_as: ClosedKind | None
    closed_at: datetime | None
    recorded_unit: str | None
    imported_unit: str | None
    operations: tuple[str, ...]  # op_ids already applied: repeating an act changes nothing
    skipped: tuple[tuple[str, str], ...]  # (stage, why): 'grid' | 'community' | 'direct'
