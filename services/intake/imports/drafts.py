"""From a checked row to a draft: own codes are kept, and beside them what the mapping says they are here.

As history a row keeps its time and outcome; with the clock at now it is a new report whose clocks start at import.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import orjson

from services.chassis.coordinates import to_wgs84
from services.chassis.directory.areas import day_of
from services.chassis.directory.model import Directory
from services.chassis.ids import IdSource
from services.governance.acts import CategoryRef, Spot
from services.governance.rulebook import Rulebook
from services.intake.imports.mapping import ImportMapping, first_rule
from services.intake.imports.rows import GoodRow
from services.intake.usecases.draft import Draft, FromFile, Recorded, Sender, Words
from services.intake.usecases.place import Fix, Located

SOURCE = "import"
CALLER = "import"


class Clocks(StrEnum):
    """Whose time counts."""

    HISTORY = "history"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Translation:
    """What turns rows into drafts."""

    job_id: UUID
    mapping: ImportMapping
    clocks: Clocks
    rulebook: Rulebook
    directory: Directory
    ids: IdSource

    def draft(self, row: GoodRow) -> Draft:
        """The draft of one row."""
        return Draft(
            report_id=self.ids.uuid7(),
            key=f"{self.mapping.system}:{row.id}",
            body_sha256=digest(row),
            sender=Sender(CALLER, account=None, role=None, staff=False),
            source=SOURCE,
            source_event_id=f"{self.mapping.system}:{row.id}",
            nature=row.nature,
            category=self.category(row),
            danger=False,
            life=False,
            place=self._place(row),
            words=Words(text=row.text, place=row.place),
            on_the_spot=None,
            direct=False,
            call_now=False,
            joins=None,
            photos=(),
            occurred_at=row.occurred_at,
            client_at=None,
            rulebook=self.rulebook,
            sample=False,
            imported=FromFile(self.job_id, self._words(row), self.unit(row), self._recorded(row)),
        )

    def category(self, row: GoodRow) -> CategoryRef:
        """The rulebook's category by the mapping's rules, else the file's own under its own scheme."""
        own = row.category if self.mapping.own_codes else None
        rule = first_rule(self.mapping.categories, row.category_path or row.category)
        known = self.rulebook.categories.get(rule.code if rule else own or "")
        if known is not None:
            return known.ref
        return CategoryRef(self.mapping.scheme, self.mapping.edition, row.category)

    def unit(self, row: GoodRow) -> str | None:
        """The unit of the directory by the mapping's rules, else the file's own code."""
        if row.unit is None:
            return None
        rule = first_rule(self.mapping.units, row.unit_name or row.unit)
        return rule.code if rule else row.unit

    def _recorded(self, row: GoodRow) -> Recorded | None:
        if self.clocks is Clocks.NOW:
            return None
        outcome = row.outcome
        return Recorded(
            unit=self.unit(row),
            closed=outcome.closed if outcome else False,
            overdue=outcome.overdue if outcome else False,
            closed_at=outcome.closed_at if outcome else None,
        )

    def _place(self, row: GoodRow) -> Located:
        """The area comes from the row; a position only says where in it. As history it lies in the cells of its own
        day, as a new report in those of today, whose people it is for."""
        if row.point is None:
            return Located(Spot(row.street, row.community))
        raw_lng, raw_lat = row.point
        fix = Fix(raw_lng, raw_lat, self.mapping.crs, None, None)
        lng, lat = (round(angle, 7) for angle in to_wgs84(raw_lng, raw_lat, self.mapping.crs))
        day = day_of(row.occurred_at) if self.clocks is Clocks.HISTORY else None
        cell = self.directory.cell_at(lng, lat, day)
        if cell is not None and cell.community == row.community:
            return Located(Spot(row.street, row.community, cell.grid, cell.code, lng, lat), fix)
        return Located(Spot(row.street, row.community, lng=lng, lat=lat), fix)

    def _words(self, row: GoodRow) -> dict[str, str | None]:
        return {
            "system": self.mapping.system,
            "street": row.street,
            "street_name": row.street_name,
            "community": row.community,
            "community_name": row.community_name,
            "category": row.category,
            "category_name": row.category_name,
            "unit": row.unit,
            "unit_name": row.unit_name,
        }


def digest(row: GoodRow) -> str:
    """Tells whether a row is the one taken before; its line does not count. PostgreSQL's hex form."""
    fields = [getattr(row, name) for name in GoodRow.__slots__ if name not in ("line", "cells")]
    return "\\x" + hashlib.sha256(orjson.dumps(fields)).hexdigest()
