"""What imports leave behind: units nobody knows, and how often the rulebook would have chosen the same unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, and_, case, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from services.chassis.directory.tables import streets
from services.dispatch import tables
from services.dispatch.store import Tx
from services.dispatch.store.bulk import insert_rows

_ADD = "ON CONFLICT (unit) DO UPDATE SET rows = dispatch.import_units.rows + excluded.rows, last_at = excluded.last_at"


@dataclass(frozen=True, slots=True)
class UnknownUnit:
    """A unit that files name and the directory does not know."""

    unit: str
    rows: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Agreement:
    """Imported cases of one category: how many name a unit, and for how many the rulebook chose the same."""

    category: str | None
    rows: int
    named: int
    same: int


_COUNTED = {"street": "street", "category": "category", "unit": "imported_unit"}
COUNT_BY = tuple(_COUNTED)


async def count_unknown_units(tx: Tx, units: Sequence[str], now: datetime) -> None:
    """Add rows to the visible list of unknown units; sorted, so that two batches never wait for each other."""
    rows = [
        {"unit": unit, "rows": rows, "first_at": now, "last_at": now} for unit, rows in sorted(Counter(units).items())
    ]
    await insert_rows(tx, tables.import_units, rows, on_conflict=_ADD)


async def unknown_units(tx: Tx) -> list[UnknownUnit]:
    """The list, most frequent first."""
    t = tables.import_units
    found = await tx.execute(select(t.c.unit, t.c.rows, t.c.first_at, t.c.last_at).order_by(t.c.rows.desc(), t.c.unit))
    return [UnknownUnit(**row) for row in found.mappings()]


@dataclass(frozen=True, slots=True)
class Counts:
    """Cases by codes and names: `header` ends in 'cases', each row in its count."""

    header: tuple[str, ...]
    rows: list[tuple[str | int | None, ...]]


async def count_cases(tx: Tx, by: Sequence[str], source: str | None = None) -> Counts:
    """Cases by some of `COUNT_BY`, each code with its name. Raises KeyError for another name.

    An imported case counts under the codes and names of its file, whatever the rulebook calls them: so the figures can
    be held against the file. One code under two names makes two rows, as it does there. Other cases take the street's
    own name.
    """
    c, imported = tables.cases, _first_imported()
    columns: list[ColumnElement[str | None]] = []
    for name in by:
        own = case((imported.c.imported.is_(None), c.c[_COUNTED[name]]), else_=imported.c.imported[name].astext)
        word = imported.c.imported[f"{name}_name"].astext
        if name == "street":
            known = select(streets.c.name).where(streets.c.code == c.c.street).scalar_subquery()
            word = case((imported.c.imported.is_(None), known), else_=word)
        columns += [own.label(name), word.label(f"{name}_name")]
    query = select(*columns, func.count()).select_from(c.outerjoin(imported, imported.c.case_id == c.c.id))
    if source is not None:
        query = query.where(c.c.source == source)
    found = await tx.execute(query.group_by(*columns).order_by(*columns))
    header = tuple(label for name in by for label in (name, f"{name}_name"))
    return Counts((*header, "cases"), [tuple(row) for row in found])


def _first_imported() -> Subquery:
    """The imported report that each case began with; later ones that joined it do not count again."""
    r = tables.case_reports
    return (
        select(r.c.case_id, r.c.imported)
        .where(r.c.imported.is_not(None))
        .ext(distinct_on(r.c.case_id))
        .order_by(r.c.case_id, r.c.at, r.c.report_id)
        .subquery()
    )


async def agreement(tx: Tx) -> list[Agreement]:
    """Per category: imported unit against the rulebook's own choice. A figure to look at, not a goal."""
    c = tables.cases
    imported: ColumnElement[bool] = c.c.imported_unit.is_not(None)
    same = and_(imported, c.c.imported_unit == c.c.rulebook_lead)
    found = await tx.execute(
        select(c.c.category, func.count(), func.count().filter(imported), func.count().filter(same))
        .where(or_(imported, c.c.history))
        .group_by(c.c.category)
        .order_by(c.c.category)
    )
    return [Agreement(*row) for row in found]
