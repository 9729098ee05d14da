"""Housekeeping as a part of a service's relay process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from services.chassis.clock import Clock, SystemClock
from services.chassis.db import Database
from services.chassis.housekeeping.chore import Chore
from services.chassis.housekeeping.files import Space
from services.chassis.housekeeping.keeper import LOOK_S, Housekeeper
from services.chassis.housekeeping.metrics import HouseMetrics
from services.chassis.housekeeping.partitions import OldWeeks, Partitions, Table
from services.chassis.housekeeping.settings import RetentionSettings, days
from services.chassis.housekeeping.sweeps import Sweep, Sweeps, plumbing_sweeps
from services.chassis.outbox.parts import consumers_of
from services.chassis.serve import Part
from services.chassis.telemetry import Metrics


def housekeeper(
    service: str,
    db: Database,
    metrics: Metrics,
    kept: RetentionSettings,
    *,
    sweeps: Sequence[Sweep] = (),
    others: Sequence[Chore] = (),
    folder: Path | None = None,
    clock: Clock | None = None,
    look_s: float = LOOK_S,
) -> Housekeeper:
    """Of one service: what all have, its own `sweeps` and `others`; `folder` is where its files lie."""
    every = timedelta(seconds=kept.every_s)
    keep: dict[Table, timedelta] = {"outbox": days(kept.outbox), "inbox": days(kept.inbox)}
    chores: tuple[Chore, ...] = (
        Partitions(keep, every),
        Space(folder, every),
        OldWeeks(consumers_of(service), keep, every),
        Sweeps((*plumbing_sweeps(kept), *sweeps), every),
        *others,
    )
    told = HouseMetrics(metrics, service)
    return Housekeeper(db, service, chores, told, clock or SystemClock(), batch=kept.batch, look_s=look_s)


def housekeeping_part(keeper: Housekeeper) -> Part:
    """To run beside the relay."""
    return Part("housekeeping", keeper.run)
