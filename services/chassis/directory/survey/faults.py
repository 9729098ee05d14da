"""What can be wrong with a file of areas. Words: labels under `areas.fault.` and, for what to do, `areas.remedy.`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from schemas.labels import Labels


class FaultKind(StrEnum):
    """Kinds of faults, in the order in which they are looked for."""

    # the file
    NOT_JSON = "not_json"
    NOT_A_COLLECTION = "not_a_collection"
    NOTHING_IN_IT = "nothing_in_it"
    OTHER_CRS = "other_crs"
    NO_COLUMN = "no_column"
    # one geometry
    NO_GEOMETRY = "no_geometry"
    NOT_A_POLYGON = "not_a_polygon"
    NOT_A_POINT = "not_a_point"
    SEVERAL_PARTS = "several_parts"
    HOLE = "hole"
    BAD_RING = "bad_ring"
    NOT_NUMBERS = "not_numbers"
    IN_METRES = "in_metres"
    SWAPPED = "swapped"
    OUTSIDE_CHINA = "outside_china"
    CROSSES_ITSELF = "crosses_itself"
    # codes and names
    CODE_FORMAT = "code_format"
    CODE_TWICE = "code_twice"
    NO_NAME = "no_name"
    GRID_FORMAT = "grid_format"
    UNKNOWN_GRID = "unknown_grid"
    UNKNOWN_COMMUNITY = "unknown_community"
    OTHER_COMMUNITY = "other_community"
    # all of them together
    OVERLAP = "overlap"
    OVERLAP_BESIDE = "overlap_beside"
    GAP = "gap"
    DATUM = "datum"
    LOST_GROUND = "lost_ground"
    # places
    KIND = "kind"
    TOO_LONG = "too_long"
    PLACE_TWICE = "place_twice"
    NO_PLACE = "no_place"
    UNKNOWN_CELL = "unknown_cell"
    OUTSIDE_CELLS = "outside_cells"
    FAR_FROM_CELL = "far_from_cell"
    # the day
    IN_THE_PAST = "in_the_past"


LET_PASS = frozenset(
    {FaultKind.OVERLAP, FaultKind.OVERLAP_BESIDE, FaultKind.GAP, FaultKind.DATUM, FaultKind.LOST_GROUND}
)
"""Kinds that may be true of the street itself (a lake, an enclave) and that a person can let pass."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `where`: the feature or line and its code; `values` go into the words."""

    kind: FaultKind
    where: str
    values: Mapping[str, object] = field(default_factory=dict)

    def told(self, labels: Labels) -> str:
        """`#3 441802001001003: what is wrong; what to do`."""
        what = labels.text(f"areas.fault.{self.kind}", **self.values)
        return f"{self.where}: {what} {labels.text(f'areas.remedy.{self.kind}', **self.values)}".removeprefix(": ")


class FaultyFile(Exception):
    """A file that cannot be loaded as it is; holds every fault that was found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = tuple(faults)


def stopping(faults: Sequence[Fault], passing: Collection[FaultKind]) -> list[Fault]:
    """Those that are left when the kinds of `passing` are let pass."""
    return [fault for fault in faults if fault.kind not in passing or fault.kind not in LET_PASS]
