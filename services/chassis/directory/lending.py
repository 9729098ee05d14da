"""Posts that are lent for a while (值班): written down, read, taken back. Only dispatch's role may write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.auth.tables import accounts
from services.chassis.directory import tables as t
from services.chassis.directory.model import Appointment
from services.chassis.directory.read import appointment_of
from services.chassis.directory.write import raise_revision

_NOW = sa.func.directory.grid_now(type_=sa.TIMESTAMP(timezone=True))


async def lend_post(tx: AsyncConnection, lent: Appointment) -> None:
    """Write a lent post down; `grant_id`, `granted_by` and `until` must be set. Sessions notice within about a second.

    `raise_revision` comes first: whoever lends at the same moment waits here, and then sees this one.
    """
    post = lent.post
    await tx.execute(
        sa.insert(t.posts).values(
            account_id=lent.account_id,
            role=post.role.value,
            area=post.area,
            unit=post.unit or "",
            since=lent.since,
            until=lent.until,
            grant_id=lent.grant_id,
            granted_by=lent.granted_by,
        )
    )


async def take_back(tx: AsyncConnection, grant_id: str) -> bool:
    """End a lent post now; one that has not begun is gone, as nobody ever held it. False where it was over already."""
    await raise_revision(tx)
    this = t.posts.c.grant_id == grant_id
    never = await tx.execute(sa.delete(t.posts).where(this, t.posts.c.since >= _NOW))
    ended = await tx.execute(sa.update(t.posts).where(this, t.posts.c.until > _NOW).values(until=_NOW))
    return never.rowcount + ended.rowcount > 0


async def lent_posts_from(tx: AsyncConnection, now: datetime) -> Sequence[Appointment]:
    """What is lent at `now` or will be, the next to end first."""
    running = (t.posts.c.grant_id.is_not(None), t.posts.c.until > now)
    query = sa.select(t.posts).where(*running).order_by(t.posts.c.until, t.posts.c.grant_id)
    return [appointment_of(dict(row)) for row in (await tx.execute(query)).mappings()]


async def lent_post(tx: AsyncConnection, grant_id: str) -> Appointment | None:
    """One lent post, over or not."""
    row = (await tx.execute(sa.select(t.posts).where(t.posts.c.grant_id == grant_id))).mappings().one_or_none()
    return appointment_of(dict(row)) if row is not None else None


async def posts_held_from(tx: AsyncConnection, account_id: str, now: datetime) -> Sequence[Appointment]:
    """What a person holds at `now` or will hold."""
    there = sa.or_(t.posts.c.until.is_(None), t.posts.c.until > now)
    rows = await tx.execute(sa.select(t.posts).where(t.posts.c.account_id == account_id, there))
    return [appointment_of(dict(row)) for row in rows.mappings()]


async def active_account(tx: AsyncConnection, login: str) -> str | None:
    """The id of the account with this login; None where there is none, or it is disabled."""
    query = sa.select(accounts.c.account_id).where(accounts.c.login == login, accounts.c.disabled_at.is_(None))
    found: str | None = (await tx.execute(query)).scalar_one_or_none()
    return found


async def disabled_accounts(tx: AsyncConnection) -> frozenset[str]:
    """Ids of accounts that nobody signs in with any more."""
    return frozenset(
        (await tx.execute(sa.select(accounts.c.account_id).where(accounts.c.disabled_at.is_not(None)))).scalars()
    )
