"""A choice of units in words: which line, what of the matter it asked for, and why each other line was not taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.labels import Labels
from services.governance.acts import Routed
from services.governance.routing import CatalogueLine, Matter
from services.governance.rulebook import Rulebook

Name = Callable[[str], str]
_JOINTS = {"zh-CN": "、", "en-US": ", "}
_SHOWN = 6  # names of a long list


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A line and the first thing that spoke against it."""

    line: str
    unit: str
    basis: str
    why: str


@dataclass(frozen=True, slots=True)
class RouteWords:
    """Words for the routes of one rulebook. `place` names an area code, as far as somebody knows it."""

    book: Rulebook
    labels: Labels
    place: Name = str

    def unit(self, code: str | None) -> str:
        """A unit's name, or its code where this version does not know it."""
        known = self.book.units.get(code) if code else None
        return known.name if known else code or ""

    def because(self, routed: Routed) -> tuple[str, ...]:
        """What the matter says where the line asked for something."""
        pairs = (each.partition(":") for each in routed.matched)
        told = tuple(self._text(f"routing.input.{name}", value=self._value(name, value)) for name, _, value in pairs)
        return told or ((self._text("routing.any"),) if routed.line and routed.rulebook else ())

    def not_taken(self, routed: Routed, matter: Matter) -> tuple[NotTaken, ...]:
        """Each other line with its reason in words."""
        lines = {line.id: line for line in self.book.catalogue}
        return tuple(self._not_taken(each, lines.get(each.rpartition(":")[0]), matter) for each in routed.unmatched)

    def _not_taken(self, told: str, line: CatalogueLine | None, matter: Matter) -> NotTaken:
        line_id, _, reason = told.rpartition(":")
        if line is None:
            return NotTaken(line_id, "", "", self._text("routing.not.gone"))
        return NotTaken(line_id, self.unit(line.lead), line.basis, self._why(reason, line, matter))

    def _why(self, reason: str, line: CatalogueLine, matter: Matter) -> str:
        wanted: dict[str, Sequence[str]] = {
            "category": line.categories,
            "condition": line.conditions,
            "area": line.areas,
            "nature": line.natures,
            "source": line.sources,
            "danger": ("yes" if line.danger else "no",),
        }
        if reason not in wanted:
            return self._text(f"routing.not.{reason}")
        mine = {
            "category": matter.category or "",
            "condition": matter.condition or "",
            "area": matter.spot.community or matter.spot.street,
            "nature": matter.nature.value,
            "source": matter.source,
            "danger": "yes" if matter.danger else "no",
        }[reason]
        return self._text(
            f"routing.not.{reason}", value=self._value(reason, mine), wanted=self._list(reason, wanted[reason])
        )

    def _list(self, name: str, values: Sequence[str]) -> str:
        shown = _JOINTS[self.labels.lang].join(self._value(name, value) for value in values[:_SHOWN])
        return shown + ("…" if len(values) > _SHOWN else "")

    def _value(self, name: str, value: str) -> str:
        """A code with the words that belong to it."""
        if not value:
            return self._text("routing.unsure")
        match name:
            case "category":
                known = self.book.categories.get(value)
                return f"{value} {known.name}" if known else value
            case "condition":
                condition = self.book.conditions.get(value)
                return f"{value} {condition.text}" if condition else value
            case "area":
                return self.place(value) or value
            case "source":
                source = self.book.sources.get(value)
                return source.name if source else value
            case "danger":
                return self._text(f"routing.{value}")
            case _:
                return self.labels.word(name, value)

    def _text(self, key: str, **values: object) -> str:
        return self.labels.text(key, **values)
