"""How soon what has come is carried on: less often means more at a time, which spares everybody on the machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Pace:
    """Of a relay and of a stream worker, in seconds."""

    look_s: float
    """How often a relay looks into its outbox while rows come."""
    gather_s: float
    """How long Faust gathers messages before it hands them over; more gather by themselves while the database works."""


PROMPT: Final = Pace(look_s=0.005, gather_s=0.003)
"""On the way from a report to the screen on which somebody waits for it."""
CALM: Final = Pace(look_s=0.025, gather_s=0.1)
