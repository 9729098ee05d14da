"""Which unit: the dispatch catalogue, line by line, every choice explained.

Ordinary lines first; fallback lines (属地兜底) only where none matched. Each line that did not match says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.governance.acts import Routed, Spot
from services.governance.cycle import Nature


@dataclass(frozen=True, slots=True)
class CatalogueLine:
    """One line of the dispatch catalogue. An empty condition takes everything.

    `categories` are codes or prefixes ending in '*'; `areas` are prefixes of area codes; `basis` names the duty list
    or law it rests on. `next_units` are alerted in turn when the lead does not respond.
    """

    id: str
    lead: str
    co_units: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    natures: tuple[Nature, ...] = ()
    sources: tuple[str, ...] = ()
    danger: bool | None = None
    fallback: bool = False
    basis: str = ""
    next_units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matter:
    """What routing looks at."""

    category: str | None
    condition: str | None
    spot: Spot
    nature: Nature
    source: str
    danger: bool


@dataclass(frozen=True, slots=True)
class Match:
    """All lines that fit, in catalogue order, and 'line:reason' of each that does not."""

    lines: tuple[CatalogueLine, ...]
    fallback: bool
    unmatched: tuple[str, ...]


def match(matter: Matter, lines: Sequence[CatalogueLine]) -> Match:
    """Try every ordinary line, then the fallback lines."""
    fits: list[CatalogueLine] = []
    spare: list[CatalogueLine] = []
    unmatched: list[str] = []
    for line in lines:
        why = mismatch(matter, line)
        if why is not None:
            unmatched.append(f"{line.id}:{why}")
        else:
            (spare if line.fallback else fits).append(line)
    return Match(tuple(fits or spare), not fits and bool(spare), tuple(unmatched))


def mismatch(matter: Matter, line: CatalogueLine) -> str | None:
    """The first condition of the line that fails, as its name; None: the line fits."""
    if line.categories and not _covers_category(matter.category, line.categories):
        return "category"
    if line.conditions and matter.condition not in line.conditions:
        return "condition"
    if line.areas and not _inside(matter.spot, line.areas):
        return "area"
    if line.natures and matter.nature not in line.natures:
        return "nature"
    if line.sources and matter.source not in line.sources:
        return "source"
    if line.danger is not None and matter.danger is not line.danger:
        return "danger"
    return None


def route(matter: Matter, lines: Sequence[CatalogueLine], imported: str | None = None) -> Routed:
    """The rulebook's choice; a unit named by an imported file leads, the rulebook's own choice is kept beside it."""
    found = match(matter, lines)
    line = found.lines[0] if found.lines else None
    own = line.lead if line else None
    co_units = line.co_units if line else ()
    line_id = line.id if line else None
    if imported is not None:
        return Routed(imported, (), line_id, "import", found.unmatched, own)
    if line is None:
        return Routed(None, (), None, "none", found.unmatched, None)
    basis = "fallback" if found.fallback else "catalogue"
    return Routed(own, co_units, line_id, basis, found.unmatched, own)


def _covers_category(category: str | None, patterns: Sequence[str]) -> bool:
    if category is None:
        return False
    return any(category.startswith(p[:-1]) if p.endswith("*") else category == p for p in patterns)


def _inside(spot: Spot, areas: Sequence[str]) -> bool:
    codes = [code for code in (spot.cell, spot.grid, spot.community, spot.street) if code]
    return any(code.startswith(area) for code in codes for area in areas)
