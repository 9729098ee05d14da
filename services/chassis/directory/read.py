"""Reading the schema `directory` into its model. Plain selects; a street is a few thousand rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.auth.tables import accounts
from services.chassis.directory import tables as t
from services.chassis.directory.model import (
    Account,
    Appointment,
    Cell,
    Community,
    Directory,
    Grid,
    Place,
    RosterLine,
    RulebookVersion,
    Street,
    Unit,
)
from services.governance.acts import Post
from services.governance.cycle import Role

Rows = list[Mapping[str, Any]]


async def read_revision(tx: AsyncConnection) -> int:
    """The directory's revision; 0 while nothing was ever written."""
    return int((await tx.execute(sa.select(t.directory_rev.c.rev))).scalar_one_or_none() or 0)


async def read_directory(tx: AsyncConnection, rev: int) -> Directory:
    """Everything but rulebook texts and calendars."""
    grids = {r["code"]: Grid(**r) for r in await _rows(tx, sa.select(t.grids))}
    return Directory(
        rev=rev,
        streets={r["code"]: Street(**r) for r in await _rows(tx, sa.select(t.streets))},
        communities={r["code"]: Community(**r) for r in await _rows(tx, sa.select(t.communities))},
        grids=grids,
        cells={r["code"]: _cell(r, grids) for r in await _rows(tx, sa.select(t.cells))},
        places={r["place_id"]: Place(**r) for r in await _rows(tx, sa.select(t.places))},
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


def _cell(row: Mapping[str, Any], grids: Mapping[str, Grid]) -> Cell:
    return Cell(
        code=row["code"],
        name=row["name"],
        grid=row["grid"],
        community=grids[row["grid"]].community,
        geometry=json.dumps(row["geometry"], separators=(",", ":")),
    )


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
