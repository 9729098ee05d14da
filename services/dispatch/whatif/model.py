"""The answer for one case: what a rulebook made of it, what another would have made of it, and what differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

UNIT = "unit"
"""Why most part: the case would be another unit's."""


class Verdict(StrEnum):
    """How far a case could be compared."""

    COMPARED = "compared"  # to the end
    DIVERGED = "diverged"  # up to `at`
    NOT_REPRODUCIBLE = "not_reproducible"  # not at all: its own rulebook does not give what was recorded


@dataclass(frozen=True, slots=True)
class Due:
    """A clock's limit. `late`: passed by the moment of comparing."""

    clock_id: str
    kind: str
    due_at: datetime
    late: bool


@dataclass(frozen=True, slots=True)
class Side:
    """What a rulebook made of a case. `choice`: the rulebook's own choice of unit; `lead`: who leads."""

    choice: str | None
    co_units: tuple[str, ...]
    line: str | None
    lead: str | None
    helping: tuple[str, ...]
    tiers: tuple[str, ...]  # in the order walked
    dues: tuple[Due, ...]

    @property
    def unit(self) -> str | None:
        """Who leads, or would by the rulebook."""
        return self.lead or self.choice

    @property
    def late(self) -> frozenset[str]:
        """Clocks that passed their limit."""
        return frozenset(due.clock_id for due in self.dues if due.late)


@dataclass(frozen=True, slots=True)
class Shift:
    """One limit that differs; None on a side: there the clock did not run."""

    clock_id: str
    kind: str
    before: datetime | None
    after: datetime | None

    @property
    def seconds(self) -> int | None:
        """How much later it is due; None where only one side has the clock."""
        if self.before is None or self.after is None:
            return None
        return int((self.after - self.before).total_seconds())


@dataclass(frozen=True, slots=True)
class Compared:
    """The answer for one case. `why`: what ended the comparison early, or kept it from beginning."""

    case_id: str
    case_no: str
    category: str | None
    rulebook: str
    opened_at: datetime
    history: bool
    restricted: bool
    verdict: Verdict
    why: str = ""
    at: datetime | None = None
    before: Side | None = None
    after: Side | None = None
    shifts: tuple[Shift, ...] = ()

    @property
    def unit_changes(self) -> bool:
        """Another unit: the rulebook chooses it, or it leads."""
        one, other = self.before, self.after
        return one is not None and other is not None and (one.choice, one.lead) != (other.choice, other.lead)

    @property
    def route_changes(self) -> bool:
        """The line or the co-units that the rulebook chooses."""
        one, other = self.before, self.after
        if one is None or other is None:
            return False
        return (one.line, one.co_units, one.helping) != (other.line, other.co_units, other.helping)

    @property
    def tier_changes(self) -> bool:
        """Another way through the tiers."""
        return self.before is not None and self.after is not None and self.before.tiers != self.after.tiers

    @property
    def breaches_gone(self) -> int:
        """Limits that were passed and would not be."""
        return len(self.before.late - self.after.late) if self.before and self.after else 0

    @property
    def breaches_come(self) -> int:
        """Limits that would be passed and were not."""
        return len(self.after.late - self.before.late) if self.before and self.after else 0

    @property
    def differs(self) -> bool:
        changes = self.unit_changes or self.route_changes or self.tier_changes or bool(self.shifts)
        return changes or self.breaches_come > 0 or self.breaches_gone > 0 or self.verdict is Verdict.DIVERGED

    @property
    def size(self) -> tuple[int, int, int]:
        """How large the difference is: in how many respects, breaches, seconds of the largest shift."""
        breaches = self.breaches_come + self.breaches_gone
        respects = self.unit_changes + self.tier_changes + bool(self.shifts) + (breaches > 0)
        return respects, breaches, max((abs(s.seconds) for s in self.shifts if s.seconds is not None), default=0)
