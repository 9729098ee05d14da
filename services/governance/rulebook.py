"""A street's rules as data: categories, filing conditions, limits, catalogue, ladders, calendar. Refuses holes.

A version is immutable and named by its content hash. The calendar has a revision of its own and is never pinned by a
case: it is the one in force when a due time is computed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.governance.acts import CategoryRef
from services.governance.cycle import ClockKind, MachineRule, Tier, Urgency
from services.governance.errors import Complaint, RulebookRefused, UnknownCategory, UnknownCondition, UnknownUnit
from services.governance.routing import CatalogueLine
from services.governance.tiers import Ladder
from services.governance.worktime import Basis, Budget, Calendar, DayConvention, LimitUnit


@dataclass(frozen=True, slots=True)
class Street:
    """Whose rulebook it is; `code` is the 9-digit street code."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that can lead or help. `voluntary`: a member unit, not subordinate, may decline at no cost."""

    code: str
    name: str
    kind: str = "station"
    voluntary: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A filing condition: it alone carries the handling limit and so decides wall or working time.

    `limits` overrides the street's stage limits for this condition (by kind of clock); `urgency` is the danger that
    the condition itself means; `basis` is the source of the limit (standard, local rule).
    """

    id: str
    text: str
    limit: Budget
    close_condition: str
    evidence_required: bool = False
    basis: str = ""
    urgency: Urgency = Urgency.ORDINARY
    limits: Mapping[ClockKind, Budget] = field(default_factory=dict)

    @property
    def wall(self) -> bool:
        return self.limit.basis is Basis.WALL


@dataclass(frozen=True, slots=True)
class Category:
    """A class of matter. The first of `conditions` is the one proposed; `group_tile` is the form's big button."""

    code: str
    scheme: str
    version: str
    name: str
    group_tile: str
    conditions: tuple[str, ...]
    restricted: bool = False
    auto_dispatch: bool = False
    notice_platform: bool = False  # a late case is made known to the platform
    admitted: frozenset[Tier] = frozenset({Tier.GRID, Tier.COMMUNITY})  # tiers it may be sent down to
    also: tuple[CategoryRef, ...] = ()  # its names in other code tables (crosswalk)
    near_m: int | None = None  # duplicates are looked for so far around; None: the street's own distance

    @property
    def ref(self) -> CategoryRef:
        return CategoryRef(self.scheme, self.version, self.code)


@dataclass(frozen=True, slots=True)
class Source:
    """Where reports come from. `visit_percent`: share of its cases that get a visit before closing."""

    id: str
    name: str
    visit_percent: int = 0
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class Quiet:
    """When nobody is pushed about what is not urgent (minutes after midnight), and how many pushes a day are enough."""

    begins: int = 20 * 60
    ends: int = 8 * 60
    pushes_a_day: int = 6


class Checker(StrEnum):
    """Who may be asked to check; a rulebook names them in the order of asking."""

    FINDER = "finder"
    GRID_WORKER = "grid_worker"
    NEIGHBOUR_GRID = "neighbour_grid"
    COMMUNITY = "community"
    VERIFIER = "verifier"


@dataclass(frozen=True, slots=True)
class StageLimit:
    """A stage's limit where the condition says nothing: on a wall-clock condition, else."""

    wall: Budget
    other: Budget


_HALF_DAY = Budget(4, LimitUnit.WORK_HOUR)
_HOUR = Budget(1, LimitUnit.WORK_HOUR)
_DAY = Budget(1, LimitUnit.WORK_DAY)


@dataclass(frozen=True, slots=True)
class Settings:
    """Figures a street may change. Seconds are named so; the rest are budgets."""

    convention: DayConvention = DayConvention.ROLL
    return_percent: int = 25  # return window: share of the handling limit …
    return_most: Budget = _HALF_DAY  # … at most so much of its basis
    return_least_s: int = 15 * 60  # … at least
    rework_least_s: int = 2 * 3600  # what a rework gets when less remains
    recall_s: int = 600  # a machine act may be taken back so long
    undo_s: int = 60  # by whoever did it, an act of `undo`
    undo: tuple[str, ...] = ()
    branch_silent_s: int = 30 * 60  # then any grid worker may call the community
    urge_gap: Budget = _HOUR
    outside_grid: Budget = _HALF_DAY  # T0 time outside the whole-case limit, at most
    outside_community: Budget = _DAY  # T1 time outside it, at most
    extensions_most: int = 2
    suspension_most_days: int = 365
    suspension_leader_days: int = 90  # longer: a street leader approves
    reopen_days: int = 7
    archive_days: int = 90  # after closing
    audit_percent: int = 10  # of what grid and community end by themselves
    late_s: int = 60  # a machine act done later than this counts from when it was done
    near_m: int = 50  # the same matter again: within so many metres …
    near_hours: int = 24  # … and hours
    recur_days: int = 30  # the same spot again within so many days is a recurrence
    recur_hard: int = 3  # from so many on the matter is a hard one: its root is looked for


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One version of a street's rules. Construction raises `RulebookRefused` with every hole it finds."""

    version: str
    street: Street
    units: Mapping[str, Unit]
    categories: Mapping[str, Category]
    conditions: Mapping[str, Condition]
    limits: Mapping[ClockKind, StageLimit]  # every kind but HANDLING, WHOLE and RETURN_WINDOW
    catalogue: tuple[CatalogueLine, ...]
    ladders: Mapping[ClockKind, Ladder]
    calendar: Calendar
    sources: Mapping[str, Source]
    danger_condition: str  # danger without a class
    unsure_condition: str  # neither danger nor class
    machine: frozenset[MachineRule] = frozenset(MachineRule)
    settings: Settings = field(default_factory=Settings)
    reasons: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # move's label → id → words, if its own
    verifiers: tuple[Checker, ...] = tuple(Checker)
    urgent_verifiers: tuple[Checker, ...] = (Checker.VERIFIER,)  # of danger and of restricted matters
    quiet: Quiet = field(default_factory=Quiet)
    edition: str = ""  # what people call the version, such as 2026.2

    def __post_init__(self) -> None:
        complaints = tuple(_complaints(self))
        if complaints:
            raise RulebookRefused(complaints)

    # --- questions ----------------------------------------------------------------------------------------------
    def category_of(self, ref: CategoryRef | None) -> Category | None:
        """The category meant, by its own code or by one of another table; None where this edition does not have it."""
        if ref is None:
            return None
        found = self.categories.get(ref.code)
        if found is not None and found.ref == ref:
            return found
        return next((category for category in self.categories.values() if ref in category.also), None)

    def require_category(self, code: str) -> Category:
        found = self.categories.get(code)
        if found is None:
            raise UnknownCategory(code)
        return found

    def require_condition(self, condition: str, category: Category | None) -> Condition:
        """The condition, which must be one of the category's where a category is known."""
        found = self.conditions.get(condition)
        if found is None or (category is not None and condition not in category.conditions):
            raise UnknownCondition(condition)
        return found

    def require_unit(self, code: str) -> Unit:
        found = self.units.get(code)
        if found is None:
            raise UnknownUnit(code)
        return found

    def condition_of(self, condition: str | None, danger: bool) -> Condition:
        """The condition in force for clocks: the case's own, else the one for danger or doubt."""
        found = self.conditions.get(condition) if condition else None
        return found or self.conditions[self.danger_condition if danger else self.unsure_condition]

    def limit_of(self, condition: Condition, kind: ClockKind) -> Budget:
        """What a kind of clock may take under a condition."""
        own = condition.limits.get(kind)
        if own is not None:
            return own
        stage = self.limits.get(kind)
        if stage is None:
            return condition.limit
        return stage.wall if condition.wall else stage.other

    def does(self, rule: MachineRule) -> bool:
        return rule in self.machine

    def visit_due(self, source: str, case_id: str) -> bool:
        """Whether closing waits for a visit: by the source's share, always the same answer for the same case."""
        found = self.sources.get(source)
        percent = found.visit_percent if found else 0
        return zlib.crc32(case_id.encode()) % 100 < percent

    def audit_due(self, case_id: str) -> bool:
        """Whether a case that ended in grid or community is looked at again: always the same answer for a case."""
        return zlib.crc32(f"audit:{case_id}".encode()) % 100 < self.settings.audit_percent


# --- holes -----------------------------------------------------------------------------------------------------------
_OWN_LIMIT = frozenset({ClockKind.HANDLING, ClockKind.WHOLE, ClockKind.RETURN_WINDOW, ClockKind.CO_TASK})
_BY_DATE = frozenset({ClockKind.REVIEW, ClockKind.SUPERVISION})  # a person names the moment
NEED_LIMIT = tuple(k for k in ClockKind if k not in _OWN_LIMIT and k not in _BY_DATE)


def _complaints(book: Rulebook) -> Iterator[Complaint]:
    yield from _ladder_complaints(book)
    yield from _condition_complaints(book)
    yield from _category_complaints(book)
    yield from _catalogue_complaints(book)
    for name, condition in (("danger", book.danger_condition), ("unsure", book.unsure_condition)):
        if condition not in book.conditions:
            yield Complaint("condition_unknown", f"{name}:{condition}")
    if book.danger_condition in book.conditions and not book.conditions[book.danger_condition].wall:
        yield Complaint("danger_not_wall", book.danger_condition)
    for key, source in book.sources.items():
        if key != source.id:
            yield Complaint("key_differs", f"source:{key}")
        if not 0 <= source.visit_percent <= 100:
            yield Complaint("percent_out_of_range", f"source:{key}")


def _ladder_complaints(book: Rulebook) -> Iterator[Complaint]:
    for kind in ClockKind:
        ladder = book.ladders.get(kind)
        if ladder is None or not ladder.steps:
            yield Complaint("clock_without_ladder", kind.value)
        elif ladder.kind is not kind:
            yield Complaint("key_differs", f"ladder:{kind.value}")
        elif any(step.percent < 1 for step in ladder.steps):
            yield Complaint("percent_out_of_range", f"ladder:{kind.value}")
    for kind in NEED_LIMIT:
        if kind not in book.limits:
            yield Complaint("clock_without_limit", kind.value)


def _condition_complaints(book: Rulebook) -> Iterator[Complaint]:
    for key, condition in book.conditions.items():
        if key != condition.id:
            yield Complaint("key_differs", f"condition:{key}")
        if condition.limit.value < 1:
            yield Complaint("condition_without_limit", key)
        for kind, budget in condition.limits.items():
            if budget.value < 1:
                yield Complaint("limit_not_positive", f"{key}:{kind.value}")


def _category_complaints(book: Rulebook) -> Iterator[Complaint]:
    for key, category in book.categories.items():
        if key != category.code:
            yield Complaint("key_differs", f"category:{key}")
        if not category.scheme or not category.version:
            yield Complaint("category_without_edition", key)
        if not category.conditions:
            yield Complaint("category_without_condition", key)
        for condition in category.conditions:
            if condition not in book.conditions:
                yield Complaint("condition_unknown", f"{key}:{condition}")


def _catalogue_complaints(book: Rulebook) -> Iterator[Complaint]:
    seen: set[str] = set()
    for line in book.catalogue:
        if line.id in seen:
            yield Complaint("line_twice", line.id)
        seen.add(line.id)
        for unit in (line.lead, *line.co_units, *line.next_units):
            if unit not in book.units:
                yield Complaint("unit_unknown", f"{line.id}:{unit}")
        if line.lead in line.co_units:
            yield Complaint("lead_is_co_unit", line.id)
        for condition in line.conditions:
            if condition not in book.conditions:
                yield Complaint("condition_unknown", f"{line.id}:{condition}")
        for pattern in line.categories:
            known = book.categories
            if not (any(c.startswith(pattern[:-1]) for c in known) if pattern.endswith("*") else pattern in known):
                yield Complaint("category_unknown", f"{line.id}:{pattern}")
    for key, unit_row in book.units.items():
        if key != unit_row.code:
            yield Complaint("key_differs", f"unit:{key}")
