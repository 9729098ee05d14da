"""What every process and command of dispatch stands on."""

from __future__ import annotations

from dataclasses import dataclass

from services.chassis.db import Database
from services.chassis.directory import DirectoryCache
from services.chassis.ids import IdSource
from services.chassis.telemetry import Metrics


@dataclass(frozen=True, slots=True)
class Ground:
    """Made by `app.ground`, closed by whoever asked for it."""

    db: Database
    directory: DirectoryCache
    ids: IdSource
    metrics: Metrics
