"""The answers for many cases added up. Orders are fixed, so the same answers always give the same figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low

from services.dispatch.whatif.model import Compared, Verdict

HOUR, DAY = 3600, 86400
# Edges of the histogram of shifts, in seconds; a shift of 0 is none and not counted.
EDGES = (-7 * DAY, -3 * DAY, -DAY, -8 * HOUR, -4 * HOUR, -HOUR, 0, HOUR, 4 * HOUR, 8 * HOUR, DAY, 3 * DAY, 7 * DAY)


@dataclass(frozen=True, slots=True)
class Load:
    """Cases that a unit leads, or would by the rulebook; and shares it has as a co-unit. '' is no unit at all."""

    unit: str
    before: int
    after: int
    helping_before: int
    helping_after: int


@dataclass(frozen=True, slots=True)
class Breaches:
    """Limits passed in the cases of a class; `key` '' where no class is known."""

    key: str
    cases: int
    before: int
    after: int
    gone: int
    come: int


@dataclass(frozen=True, slots=True)
class ClockShift:
    """One kind of clock: how many limits are earlier or later, by how much in the middle, how many appear or vanish."""

    kind: str
    earlier: int
    later: int
    middle_s: int
    only_before: int
    only_after: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Limits that move by more than `low` and at most `high` seconds; None is without end."""

    low: int | None
    high: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What the first screen says, and what the plots are drawn from."""

    cases: int
    compared: int  # to the end
    diverged: int  # up to where they part
    not_reproducible: int  # left out
    history: int  # among those compared: routes only
    differ: int
    unit: int
    route: int
    tier: int
    due: int
    breaches_before: int
    breaches_after: int
    breaches_gone: int
    breaches_come: int
    loads: tuple[Load, ...]
    by_category: tuple[Breaches, ...]
    by_clock: tuple[ClockShift, ...]
    shifts: tuple[Bin, ...]
    parted: tuple[tuple[str, int], ...]
    faults: tuple[tuple[str, int], ...]
    versions: tuple[tuple[str, int], ...]
    listed: tuple[Compared, ...]
    unlisted: int  # restricted matters that differ: counted, never shown


def figures_of(answers: Sequence[Compared], most_listed: int) -> Figures:
    """Add up."""
    usable = [one for one in answers if one.verdict is not Verdict.NOT_REPRODUCIBLE]
    left_out = [one for one in answers if one.verdict is Verdict.NOT_REPRODUCIBLE]
    parted = [one for one in usable if one.verdict is Verdict.DIVERGED]
    differing = [one for one in usable if one.differs]
    shown = sorted((one for one in differing if not one.restricted), key=_largest_first)
    return Figures(
        cases=len(answers),
        compared=len(usable) - len(parted),
        diverged=len(parted),
        not_reproducible=len(left_out),
        history=sum(one.history for one in usable),
        differ=len(differing),
        unit=sum(one.unit_changes for one in usable),
        route=sum(one.route_changes for one in usable),
        tier=sum(one.tier_changes for one in usable),
        due=sum(bool(one.shifts) for one in usable),
        breaches_before=sum(len(one.before.late) for one in usable if one.before),
        breaches_after=sum(len(one.after.late) for one in usable if one.after),
        breaches_gone=sum(one.breaches_gone for one in usable),
        breaches_come=sum(one.breaches_come for one in usable),
        loads=tuple(_loads(usable)),
        by_category=tuple(_by_category(usable)),
        by_clock=tuple(_by_clock(usable)),
        shifts=tuple(_bins(usable)),
        parted=_counted(one.why for one in parted),
        faults=_counted(one.why for one in left_out),
        versions=_counted(one.rulebook for one in answers),
        listed=tuple(shown[:most_listed]),
        unlisted=len(differing) - len(shown),
    )


def _largest_first(one: Compared) -> tuple[int, int, int, str]:
    respects, breaches, seconds = one.size
    return -respects, -breaches, -seconds, one.case_no


def _counted(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Most frequent first, then by name."""
    return tuple(sorted(Counter(words).items(), key=lambda pair: (-pair[1], pair[0])))


def _loads(answers: Sequence[Compared]) -> list[Load]:
    """Units that gain or lose most first."""
    sides = [(one.before, one.after) for one in answers if one.before is not None and one.after is not None]
    before, after = (Counter(pair[n].unit or "" for pair in sides) for n in (0, 1))
    helped, helping = (Counter(unit for pair in sides for unit in pair[n].helping) for n in (0, 1))
    units = sorted(before | after | helped | helping, key=lambda u: (-abs(after[u] - before[u]), -before[u], u))
    return [Load(unit, before[unit], after[unit], helped[unit], helping[unit]) for unit in units]


def _by_category(answers: Sequence[Compared]) -> list[Breaches]:
    """Classes with a breach on either side, those first in which most come or go."""
    of_class: dict[str, list[Compared]] = {}
    for one in answers:
        of_class.setdefault(one.category or "", []).append(one)
    rows = [
        Breaches(
            key,
            len(cases),
            sum(len(one.before.late) for one in cases if one.before),
            sum(len(one.after.late) for one in cases if one.after),
            sum(one.breaches_gone for one in cases),
            sum(one.breaches_come for one in cases),
        )
        for key, cases in of_class.items()
    ]
    some = (row for row in rows if row.before or row.after)
    return sorted(some, key=lambda row: (-row.gone - row.come, -row.before, row.key))


def _by_clock(answers: Sequence[Compared]) -> list[ClockShift]:
    of_kind: dict[str, list[int]] = {}
    gone: Counter[str] = Counter()
    come: Counter[str] = Counter()
    for shift in (shift for one in answers for shift in one.shifts):
        seconds = shift.seconds
        if seconds is not None:
            of_kind.setdefault(shift.kind, []).append(seconds)
        else:
            (gone if shift.after is None else come)[shift.kind] += 1
    kinds = sorted({*of_kind, *gone, *come}, key=lambda kind: (-len(of_kind.get(kind, ())), kind))
    return [_clock_shift(kind, of_kind.get(kind, []), gone[kind], come[kind]) for kind in kinds]


def _clock_shift(kind: str, moved: list[int], gone: int, come: int) -> ClockShift:
    earlier = sum(1 for seconds in moved if seconds < 0)
    return ClockShift(kind, earlier, len(moved) - earlier, median_low(moved) if moved else 0, gone, come)


def _bins(answers: Sequence[Compared]) -> list[Bin]:
    moved = [shift.seconds for one in answers for shift in one.shifts if shift.seconds is not None]
    limits: list[int | None] = [None, *EDGES, None]
    return [
        Bin(low, high, sum(1 for seconds in moved if _inside(seconds, low, high))) for low, high in pairwise(limits)
    ]


def _inside(seconds: int, low: int | None, high: int | None) -> bool:
    """Bins are closed at the end away from 0, so that a shift of exactly one day counts as up to a day."""
    if seconds < 0:
        return (low is None or seconds >= low) and high is not None and high <= 0 and seconds < high
    return low is not None and low >= 0 and seconds > low and (high is None or seconds <= high)
