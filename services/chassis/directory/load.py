"""Bringing a street into the database: from its files to rows, accounts, rulebook and calendars, again and again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.audit import Audited, Entry, by_hand, record
from services.chassis.auth.passwords import Passwords
from services.chassis.auth.tables import accounts
from services.chassis.db import grid_now
from services.chassis.directory import tables as t
from services.chassis.directory.areas import EVER
from services.chassis.directory.files import StreetFiles, read_street
from services.chassis.directory.readings import initials
from services.chassis.directory.write import (
    cells_redrawn,
    places_loaded,
    raise_revision,
    store_calendar,
    store_rulebook,
    upsert,
)
from services.chassis.ids import IdSource

Row = dict[str, Any]
_NOW = sa.func.directory.grid_now(type_=sa.TIMESTAMP(timezone=True))


async def load_street(tx: AsyncConnection, folder: Path, ids: IdSource) -> bool:
    """Load a street's folder; False when the database already says all of it.

    Areas, places and units are brought up to date and never deleted; cells and places that came by a file of their own
    since are left alone. Posts that a person of the files no longer has end now; accounts keep their passwords.
    Raises StreetFilesError and RulebookFileError before anything is written.
    """
    from schemas.rulebook import load_rulebook  # heavy, and only loaders need it

    files = read_street(folder)
    version = load_rulebook(files.rulebook, files.calendars).version
    changed = await _load_areas(tx, files)
    cells = await _load_cells(tx, files)
    changed += cells + await _load_places(tx, files)
    changed += await _load_people(tx, files, ids)
    for name, body in files.calendars.items():
        changed += await store_calendar(tx, name, body)
    changed += await store_rulebook(tx, version=version, street=files.street.code, body=files.rulebook)
    if changed:
        await raise_revision(tx, cells=cells > 0)
        told = {"rows": changed, "rulebook": version}
        await record(tx, Entry(Audited.DIRECTORY_LOADED, by_hand(), files.street.code, details=told))
    return changed > 0


async def _load_areas(tx: AsyncConnection, files: StreetFiles) -> int:
    street = files.street
    rows: list[tuple[sa.Table, list[Row]]] = [
        (t.streets, [{"code": street.code, "name": street.name, "sample": street.sample}]),
        (t.communities, [{"code": c.code, "name": c.name, "street": c.street} for c in files.communities]),
        (
            t.grids,
            [{"code": g.code, "name": g.name, "community": g.community, "branch": g.branch} for g in files.grids],
        ),
        (
            t.units,
            [{"code": u.code, "name": u.name, "kind": u.kind, "area": u.area, "phone": u.phone} for u in files.units],
        ),
    ]
    changed = 0
    for table, table_rows in rows:
        changed += await upsert(tx, table, table_rows)
    return changed


async def _load_cells(tx: AsyncConnection, files: StreetFiles) -> int:
    """As they have always been; nothing once the street's cells were loaded from a day on."""
    if await cells_redrawn(tx, files.street.code):
        return 0
    rows: list[Row] = [
        {"code": c.code, "name": c.name, "grid": c.grid, "geometry": dict(c.geometry)} for c in files.cells
    ]
    changed = await upsert(tx, t.cells, rows)
    return changed + await upsert(tx, t.cell_versions, [{**row, "since": EVER} for row in rows])


async def _load_places(tx: AsyncConnection, files: StreetFiles) -> int:
    if await places_loaded(tx, files.street.code):
        return 0
    rows: list[Row] = [
        {
            "place_id": p.place_id,
            "name": p.name,
            "kind": p.kind,
            "cell": p.cell,
            "lng": p.lng,
            "lat": p.lat,
            "initials": initials(p.name),
        }
        for p in files.places
    ]
    return await upsert(tx, t.places, rows)


async def _load_people(tx: AsyncConnection, files: StreetFiles, ids: IdSource) -> int:
    account_of, made = await _load_accounts(tx, files, ids)
    posts: list[Row] = [
        {
            "account_id": account_of[row.login],
            "role": row.post.role.value,
            "area": row.post.area,
            "unit": row.post.unit or "",
            "since": row.since,
            "label": row.label,
        }
        for row in files.posts
    ]
    roster: list[Row] = [
        {
            "area": row.area,
            "duty": row.duty,
            "account_id": account_of[row.login],
            "since": row.since,
            "branch": row.branch,
        }
        for row in files.roster
    ]
    changed = made
    for table, rows in ((t.posts, posts), (t.roster, roster)):
        changed += await _end_others(tx, table, rows, list(account_of.values()))
        changed += await upsert(tx, table, rows)
    return changed


async def _load_accounts(tx: AsyncConnection, files: StreetFiles, ids: IdSource) -> tuple[dict[str, str], int]:
    """(login → account id, how many were made). Sample accounts share the sample's public password."""
    logins = [person.login for person in files.people]
    found = await tx.execute(sa.select(accounts.c.login, accounts.c.account_id).where(accounts.c.login.in_(logins)))
    known: dict[str, str] = {row.login: row.account_id for row in found}
    new = {person.login: person for person in files.people if person.login not in known}
    if new:
        password = Passwords().hash_now(files.password) if files.password else None
        moment = await grid_now(tx)
        rows: list[Row] = [
            {
                "account_id": str(ids.uuid7()),
                "login": person.login,
                "name": person.name,
                "password": password,
                "sample": files.street.sample,
                "created_at": moment,
                "work_no": person.work_no,
            }
            for person in new.values()
        ]
        await tx.execute(sa.insert(accounts), rows)
        known |= {row["login"]: row["account_id"] for row in rows}
    return known, len(new) + await _number(tx, files)


async def _number(tx: AsyncConnection, files: StreetFiles) -> int:
    """Give the work numbers of the files; where they tell none, one that was given stays."""
    changed = 0
    for person in files.people:
        if person.work_no is not None:
            told = sa.and_(accounts.c.login == person.login, accounts.c.work_no.is_distinct_from(person.work_no))
            changed += (await tx.execute(sa.update(accounts).where(told).values(work_no=person.work_no))).rowcount
    return changed


async def _end_others(tx: AsyncConnection, table: sa.Table, kept: Sequence[Row], account_ids: Sequence[str]) -> int:
    """What an earlier load gave these people and the files no longer have ends now; what was given by hand stays.

    A row of an earlier load is told by its `since`, which the files use and a later appointment does not.
    """
    names = [column.name for column in table.primary_key]
    keys = [tuple(row[name] for name in names) for row in kept]
    ended = await tx.execute(
        sa.update(table)
        .where(
            table.c.account_id.in_(account_ids),
            table.c.since.in_({row["since"] for row in kept}),
            table.c.until.is_(None),
            sa.tuple_(*(table.c[name] for name in names)).not_in(keys),
        )
        .values(until=_NOW)
    )
    return ended.rowcount
