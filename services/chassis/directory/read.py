"""Reading the schema `directory` into its model. Plain selects; a street is a few thousand rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.auth.tables import accounts
from services.chassis.directory import tables as t
from services.chassis.directory.areas import Cell, CellHistory, CellVersion
from services.chassis.directory.model import (
    Account,
    Appointment,
    Community,
    Directory,
    Grid,
    Place,
    RosterLine,
    RulebookVersion,
    Street,
    Unit,
)
from services.chassis.directory.placing import placed
from services.governance.acts import Post
from services.governance.cycle import Role

Rows = list[Mapping[str, Any]]
_NOW = sa.func.directory.grid_now(type_=sa.TIMESTAMP(timezone=True))
_ONE = sa.select(sa.literal(1).label("n")).subquery("one")


@dataclass(frozen=True, slots=True)
class Head:
    """What tells whether a picture is still the newest. `cells`: the revision that last changed them."""

    rev: int
    cells: int
    day: date


async def read_head(tx: AsyncConnection) -> Head:
    """One row: the revisions, and the day that people here have now."""
    today = sa.cast(sa.func.timezone("Asia/Shanghai", _NOW), sa.Date).label("day")
    rev = t.directory_rev.alias("head")
    row = (await tx.execute(sa.select(today, rev.c.rev, rev.c.cells).select_from(_ONE.outerjoin(rev, sa.true())))).one()
    return Head(int(row.rev or 0), int(row.cells or 0), row.day)


async def read_cells(tx: AsyncConnection) -> CellHistory:
    """Every version of every cell: some ten thousand rows, so they are read only when they changed."""
    v = t.cell_versions
    query = sa.select(
        v.c.code,
        v.c.name,
        v.c.grid,
        t.grids.c.community,
        sa.cast(v.c.geometry, sa.Text).label("geometry"),
        v.c.since,
        v.c.until,
    ).join(t.grids, t.grids.c.code == v.c.grid)
    return CellHistory(
        [
            CellVersion(Cell(r.code, r.name, r.grid, r.community, r.geometry), r.since, r.until)
            for r in await tx.execute(query)
        ]
    )


async def read_directory(tx: AsyncConnection, head: Head, history: CellHistory) -> Directory:
    """Everything but rulebook texts and calendars, with the cells of the head's day."""
    grids = {r["code"]: Grid(**r) for r in await _rows(tx, sa.select(t.grids))}
    today = history.on(head.day)
    return Directory(
        rev=head.rev,
        day=head.day,
        history=history,
        streets={r["code"]: Street(**r) for r in await _rows(tx, sa.select(t.streets))},
        communities={r["code"]: Community(**r) for r in await _rows(tx, sa.select(t.communities))},
        grids=grids,
        cells=today.cells,
        places={place.place_id: place for place in placed(await _places(tx), today)},
        units={r["code"]: Unit(**r) for r in await _rows(tx, sa.select(t.units))},
        accounts=await _accounts(tx),
        appointments=[appointment_of(r) for r in await _rows(tx, sa.select(t.posts).order_by(*t.posts.primary_key))],
        roster=[RosterLine(**r) for r in await _rows(tx, sa.select(t.roster).order_by(*t.roster.primary_key))],
        rulebooks=await _rulebook_versions(tx),
    )


async def read_rulebook_text(tx: AsyncConnection, version: str) -> str | None:
    found = await tx.execute(sa.select(t.rulebooks.c.body).where(t.rulebooks.c.version == version))
    body: str | None = found.scalar_one_or_none()
    return body


async def read_calendars(tx: AsyncConnection) -> tuple[str, dict[str, str]]:
    """(revision name, calendar name → TOML): the newest revision of each calendar."""
    newest = (
        sa.select(t.calendars.c.name, t.calendars.c.body)
        .ext(distinct_on(t.calendars.c.name))
        .order_by(t.calendars.c.name, t.calendars.c.rev.desc())
    )
    texts = {row["name"]: row["body"] for row in await _rows(tx, newest)}
    digest = hashlib.sha256(json.dumps(texts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    return digest[:16], texts


async def _rows(tx: AsyncConnection, query: sa.Select[Any]) -> Rows:
    return [dict(row) for row in (await tx.execute(query)).mappings()]


async def _accounts(tx: AsyncConnection) -> dict[str, Account]:
    query = sa.select(accounts.c.account_id, accounts.c.login, accounts.c.name, accounts.c.lang, accounts.c.sample)
    return {r["account_id"]: Account(**r) for r in await _rows(tx, query)}


async def _rulebook_versions(tx: AsyncConnection) -> list[RulebookVersion]:
    query = sa.select(t.rulebooks.c.version, t.rulebooks.c.street, t.rulebooks.c.effective_at)
    return [RulebookVersion(**r) for r in await _rows(tx, query.order_by(t.rulebooks.c.effective_at))]


async def _places(tx: AsyncConnection) -> list[Place]:
    names = [column for column in t.places.columns if column.name != "loaded"]
    return [Place(**row) for row in await _rows(tx, sa.select(*names))]


def appointment_of(row: Mapping[str, Any]) -> Appointment:
    return Appointment(
        account_id=row["account_id"],
        post=Post(role=Role(row["role"]), area=row["area"], unit=row["unit"] or None),
        since=row["since"],
        until=row["until"],
        label=row["label"],
        grant_id=row["grant_id"],
        granted_by=row["granted_by"],
    )
