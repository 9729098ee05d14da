"""Cells that passed their survey, kept as versions from a day on. What held before stays readable for ever."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.audit import Audited, Entry, by_hand, record
from services.chassis.directory import tables as t
from services.chassis.directory.areas import EVER, Cell
from services.chassis.directory.survey.cells import COMMUNITY_DIGITS, CellSurvey
from services.chassis.directory.survey.faults import Fault, FaultKind, FaultyFile
from services.chassis.directory.write import raise_revision, upsert

Row = dict[str, Any]


class _Stored(NamedTuple):
    """A version as it is kept."""

    code: str
    since: date
    until: date | None
    name: str
    grid: str
    geometry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CellsKept:
    """What became of a file: cells `new` by code, `changed`, the `same` as before, and `ended` with the day before."""

    since: date
    new: int
    changed: int
    same: int
    ended: int


async def keep_cells(tx: AsyncConnection, survey: CellSurvey, day: date, today: date) -> CellsKept:
    """The file's cells hold from `day` on; cells of its communities that are not in it end then.

    What is planned for a later day stays planned. The first cells of a community count for all days before as well.
    Raises FaultyFile for a day that has passed: what has been reported since lies in the cells of then.
    """
    await tx.execute(sa.select(t.directory_rev.c.rev).with_for_update())  # one file after the other
    stored = await _versions(tx, survey.communities)
    first = not stored and day <= today
    if day < today and not first:
        raise FaultyFile([Fault(FaultKind.IN_THE_PAST, "", {"day": day.isoformat(), "today": today.isoformat()})])
    plan = _plan(survey.cells, stored, EVER if first else day)
    await _grids(tx, survey)
    await upsert(tx, t.cells, [_row(cell) for cell in survey.cells])
    if plan.written:
        await upsert(tx, t.cell_versions, plan.written)
    for code, since in plan.ended:
        version = sa.and_(t.cell_versions.c.code == code, t.cell_versions.c.since == since)
        await tx.execute(sa.update(t.cell_versions).where(version).values(until=max(day, since)))
    kept = CellsKept(day, plan.new, plan.changed, plan.same, plan.gone)
    if plan.written or plan.ended:
        await raise_revision(tx, cells=True)
        told = {"from": day.isoformat(), "new": kept.new, "changed": kept.changed, "ended": kept.ended}
        streets = sorted({code[:9] for code in survey.communities})
        await record(tx, Entry(Audited.DIRECTORY_LOADED, by_hand(), ",".join(streets), details=told))
    return kept


@dataclass(slots=True)
class _Plan:
    written: list[Row]
    ended: list[tuple[str, date]]
    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0

    def gives_way(self, row: _Stored, day: date, planned: date | None) -> None:
        """A version that held until now ends; where it is part of what is planned it comes back then."""
        if row.since < day:
            self.ended.append((row.code, row.since))
        if planned is not None and (row.until is None or row.until > planned):
            kept = {"code": row.code, "name": row.name, "grid": row.grid, "geometry": row.geometry}
            self.written.append({**kept, "since": planned, "until": row.until, "loaded": True})


def _plan(cells: Sequence[Cell], stored: Sequence[_Stored], day: date) -> _Plan:
    """Which versions to write and to end, so that from `day` on exactly `cells` hold until the next planned day, and
    from then on what was planned."""
    plan = _Plan([], [])
    planned = min((row.since for row in stored if row.since > day), default=None)
    holding = {row.code: row for row in stored if row.since <= day and (row.until is None or row.until > day)}
    for cell in cells:
        before = holding.pop(cell.code, None)
        if before is not None and _same(before, cell):
            plan.same += 1
            continue
        plan.changed, plan.new = plan.changed + (before is not None), plan.new + (before is None)
        plan.written.append({**_row(cell), "since": day, "until": planned, "loaded": True})
        if before is not None:
            plan.gives_way(before, day, planned)
    for row in holding.values():
        plan.gives_way(row, day, planned)
        if row.since == day:
            plan.ended.append((row.code, row.since))
        plan.gone += 1
    return plan


def _same(row: _Stored, cell: Cell) -> bool:
    return (row.name, row.grid, row.geometry) == (cell.name, cell.grid, json.loads(cell.geometry))


def _row(cell: Cell) -> Row:
    return {"code": cell.code, "name": cell.name, "grid": cell.grid, "geometry": json.loads(cell.geometry)}


async def _versions(tx: AsyncConnection, communities: set[str]) -> Sequence[_Stored]:
    v = t.cell_versions
    of_them = sa.func.left(v.c.code, COMMUNITY_DIGITS).in_(sorted(communities))
    query = sa.select(v.c.code, v.c.since, v.c.until, v.c.name, v.c.grid, v.c.geometry).where(of_them)
    return [_Stored(*row) for row in await tx.execute(query)]


async def _grids(tx: AsyncConnection, survey: CellSurvey) -> None:
    rows: list[Mapping[str, Any]] = [
        {"code": grid.code, "name": grid.name, "community": grid.code[:COMMUNITY_DIGITS], "branch": grid.branch}
        for grid in survey.grids
    ]
    if rows:
        await upsert(tx, t.grids, rows)
