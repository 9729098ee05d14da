"""Writing the directory; only dispatch's role may. Every change raises `directory_rev`, which all caches watch.

All writes are upserts that touch only rows that differ, so loading the same thing twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.directory import tables as t
from services.governance.acts import Post

_NOW = sa.func.directory.grid_now(type_=sa.TIMESTAMP(timezone=True))
ROWS_AT_ONCE = 500


async def upsert(tx: AsyncConnection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows or bring them up to date by primary key; returns how many were new or different."""
    changed = 0
    for start in range(0, len(rows), ROWS_AT_ONCE):
        statement = insert(table).values([dict(row) for row in rows[start : start + ROWS_AT_ONCE]])
        others = {c.name: statement.excluded[c.name] for c in table.columns if c.name in rows[0] and not c.primary_key}
        if others:
            differs = sa.or_(*(table.c[name].is_distinct_from(value) for name, value in others.items()))
            statement = statement.on_conflict_do_update(index_elements=table.primary_key, set_=others, where=differs)
        else:
            statement = statement.on_conflict_do_nothing()
        written = await tx.execute(statement.returning(sa.literal(1)))  # an INSERT's rowcount is not reliable
        changed += len(written.all())
    return changed


async def raise_revision(tx: AsyncConnection, *, cells: bool = False) -> int:
    """Tell every cache to read again once this transaction commits, the cells too if they changed; returns the new
    revision."""
    new = {"rev": t.directory_rev.c.rev + 1, **({"cells": t.directory_rev.c.rev + 1} if cells else {})}
    raised = await tx.execute(sa.update(t.directory_rev).values(new).returning(t.directory_rev.c.rev))
    return int(raised.scalar_one())


async def cells_redrawn(tx: AsyncConnection, street: str) -> bool:
    """Whether a street's cells came from a day on, by a file of their own."""
    v = t.cell_versions
    query = sa.exists().where(v.c.code.startswith(street), v.c.loaded)
    return bool((await tx.execute(sa.select(query))).scalar_one())


async def places_loaded(tx: AsyncConnection, street: str) -> bool:
    """Whether a street's named places came by a file of their own."""
    query = sa.exists().where(t.places.c.loaded, t.places.c.cell.startswith(street))
    return bool((await tx.execute(sa.select(query))).scalar_one())


async def store_rulebook(
    tx: AsyncConnection, *, version: str, street: str, body: str, effective_at: datetime | None = None
) -> bool:
    """Keep a rulebook version, in force from `effective_at` (default: now). False if it was there already."""
    made = await tx.execute(
        insert(t.rulebooks)
        .values(version=version, street=street, body=body, effective_at=effective_at or _NOW, stored_at=_NOW)
        .on_conflict_do_nothing()
        .returning(t.rulebooks.c.version)
    )
    return made.scalar_one_or_none() is not None


async def store_calendar(tx: AsyncConnection, name: str, body: str) -> bool:
    """Keep a calendar as its next revision. False if the newest one says the same."""
    newest = (
        sa.select(t.calendars.c.rev, t.calendars.c.body)
        .where(t.calendars.c.name == name)
        .order_by(t.calendars.c.rev.desc())
        .limit(1)
    )
    row = (await tx.execute(newest)).one_or_none()
    if row is not None and row.body == body:
        return False
    await tx.execute(
        sa.insert(t.calendars).values(name=name, rev=(row.rev if row else 0) + 1, body=body, stored_at=_NOW)
    )
    return True


async def give_post(
    tx: AsyncConnection,
    account_id: str,
    post: Post,
    since: datetime,
    until: datetime | None = None,
    label: str | None = None,
) -> None:
    """Appoint a person, for good or for a while (节假日值班)."""
    row = _post_key(account_id, post) | {"since": since, "until": until, "label": label}
    if await upsert(tx, t.posts, [row]):
        await raise_revision(tx)


async def end_post(tx: AsyncConnection, account_id: str, post: Post) -> bool:
    """End a post now; sessions notice within about a second. False if the person does not hold it."""
    key = _post_key(account_id, post)
    ended = await tx.execute(
        sa.update(t.posts)
        .where(
            *(t.posts.c[name] == value for name, value in key.items()),
            sa.or_(t.posts.c.until.is_(None), t.posts.c.until > _NOW),
        )
        .values(until=_NOW)
    )
    if ended.rowcount:
        await raise_revision(tx)
    return ended.rowcount > 0


def _post_key(account_id: str, post: Post) -> dict[str, str]:
    return {"account_id": account_id, "role": post.role.value, "area": post.area, "unit": post.unit or ""}
