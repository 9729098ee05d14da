"""Which unit: duty list → catalogue → ownership → fallback, line by line, every choice explained.

The first of the four that has a fitting line decides. Each line that was not taken says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.governance.acts import Routed, Spot
from services.governance.cycle import Nature


class RouteKind(StrEnum):
    """What a line rests on; asked in this order."""

    DUTY = "duty"  # 履职事项清单
    CATALOGUE = "catalogue"  # 派单目录
    OWNERSHIP = "ownership"  # 部件权属
    FALLBACK = "fallback"  # 属地兜底


@dataclass(frozen=True, slots=True)
class CatalogueLine:
    """One line of the routes. An empty condition takes everything.

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
    kind: RouteKind = RouteKind.CATALOGUE
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
    """The lines that fit, in order, all of one kind; and 'line:reason' of each that was not taken.

    A reason is the first input that the line does not take, or 'order': it fits, but a line before it decides.
    """

    lines: tuple[CatalogueLine, ...]
    unmatched: tuple[str, ...]

    @property
    def kind(self) -> RouteKind | None:
        return self.lines[0].kind if self.lines else None


def match(matter: Matter, lines: Sequence[CatalogueLine]) -> Match:
    """Try every line; of those that fit, keep the first kind's."""
    why = [(line, mismatch(matter, line)) for line in lines]
    fits = [line for line, reason in why if reason is None]
    first = next((kind for kind in RouteKind if any(line.kind is kind for line in fits)), None)
    taken = tuple(line for line in fits if line.kind is first)
    return Match(taken, tuple(f"{line.id}:{reason or 'order'}" for line, reason in why if line not in taken[:1]))


def mismatch(matter: Matter, line: CatalogueLine) -> str | None:
    """The first condition of the line that fails, as its name; None: the line fits."""
    return next((x.name for x in _INPUTS if not x.takes(matter, line)), None)


def matched(matter: Matter, line: CatalogueLine) -> tuple[str, ...]:
    """'input:value' for each input that the line asks for."""
    return tuple(f"{x.name}:{x.told(matter)}" for x in _INPUTS if getattr(line, x.field) not in ((), None))


def route(matter: Matter, lines: Sequence[CatalogueLine], version: str = "", imported: str | None = None) -> Routed:
    """The rulebook's choice; a unit named by an imported file leads, the rulebook's own choice is kept beside it."""
    found = match(matter, lines)
    line = found.lines[0] if found.lines else None
    if line is None:
        return Routed(imported, (), None, "import" if imported else "none", found.unmatched, None, (), version)
    because = matched(matter, line)
    if imported is not None:
        return Routed(imported, (), line.id, "import", found.unmatched, line.lead, because, version)
    return Routed(line.lead, line.co_units, line.id, line.kind.value, found.unmatched, line.lead, because, version)


def covers(patterns: Sequence[str], code: str) -> bool:
    """Whether one of the patterns is the code, or a prefix of it ending in '*'."""
    return any(code.startswith(p[:-1]) if p.endswith("*") else code == p for p in patterns)


def _covers_category(matter: Matter, line: CatalogueLine) -> bool:
    return not line.categories or (matter.category is not None and covers(line.categories, matter.category))


def _of_condition(matter: Matter, line: CatalogueLine) -> bool:
    return not line.conditions or matter.condition in line.conditions


def _codes(matter: Matter) -> tuple[str, ...]:
    spot = matter.spot
    return tuple(code for code in (spot.cell, spot.grid, spot.community, spot.street) if code)


def _inside(matter: Matter, line: CatalogueLine) -> bool:
    return not line.areas or any(code.startswith(area) for code in _codes(matter) for area in line.areas)


@dataclass(frozen=True, slots=True)
class _Input:
    """What a line may ask for: its name, the line's field, whether the line takes a matter, what the matter says."""

    name: str
    field: str
    takes: Callable[[Matter, CatalogueLine], bool]
    told: Callable[[Matter], str]


_INPUTS = (
    _Input("category", "categories", _covers_category, lambda m: m.category or ""),
    _Input("condition", "conditions", _of_condition, lambda m: m.condition or ""),
    _Input("area", "areas", _inside, lambda m: _codes(m)[0]),
    _Input("nature", "natures", lambda m, x: not x.natures or m.nature in x.natures, lambda m: m.nature.value),
    _Input("source", "sources", lambda m, x: not x.sources or m.source in x.sources, lambda m: m.source),
    _Input("danger", "danger", lambda m, x: x.danger in (None, m.danger), lambda m: "yes" if m.danger else "no"),
)
