"""Where pushes can go: the robots of groups, and each person's own addresses. Secrets and addresses stay sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.notices.ways import Choices, Robot
from services.escalation.tables import told as t

_NOW = sa.func.directory.grid_now()


async def robots(tx: AsyncConnection) -> tuple[Robot, ...]:
    """All that were not removed, oldest first."""
    query = sa.select(t.outlets).where(t.outlets.c.removed_at.is_(None))
    rows = await tx.execute(query.order_by(t.outlets.c.created_at, t.outlets.c.id))
    return tuple(_robot(row) for row in rows.mappings())


async def robot(tx: AsyncConnection, robot_id: UUID) -> Robot | None:
    """One of them; None when unknown or removed."""
    query = sa.select(t.outlets).where(t.outlets.c.id == robot_id, t.outlets.c.removed_at.is_(None))
    row = (await tx.execute(query)).mappings().one_or_none()
    return None if row is None else _robot(row)


async def add(tx: AsyncConnection, values: Mapping[str, Any]) -> Robot:
    """A new robot."""
    row = await tx.execute(sa.insert(t.outlets).values(**values).returning(t.outlets))
    return _robot(row.mappings().one())


async def change(tx: AsyncConnection, robot_id: UUID, values: Mapping[str, Any]) -> None:
    """Set columns of one."""
    await tx.execute(sa.update(t.outlets).where(t.outlets.c.id == robot_id).values(**values))


async def remove(tx: AsyncConnection, robot_id: UUID) -> bool:
    """Nothing goes there any more; what was sent stays to be read. False when unknown."""
    query = sa.update(t.outlets).where(t.outlets.c.id == robot_id, t.outlets.c.removed_at.is_(None))
    return (await tx.execute(query.values(removed_at=_NOW, active=False))).rowcount > 0


async def fared(tx: AsyncConnection, robot_id: UUID, error: str | None) -> None:
    """Keep how the last message to it fared."""
    values = {"last_error": error} if error is not None else {"last_error": None, "last_success_at": _NOW}
    await change(tx, robot_id, values)


async def names(tx: AsyncConnection, ids: Sequence[UUID]) -> dict[str, tuple[str, str]]:
    """(kind, name) of robots, removed ones too, by id."""
    query = sa.select(t.outlets.c.id, t.outlets.c.kind, t.outlets.c.name).where(t.outlets.c.id.in_(ids))
    return {str(row.id): (row.kind, row.name) for row in await tx.execute(query)}


async def choices_of(tx: AsyncConnection, account_ids: Sequence[str]) -> dict[str, Choices]:
    """What these people chose; who chose nothing is not in it."""
    query = sa.select(t.choices).where(t.choices.c.account_id.in_(account_ids))
    rows = (await tx.execute(query)).mappings()
    return {row["account_id"]: Choices(row["addresses"], tuple(row["off"])) for row in rows}


async def choose(tx: AsyncConnection, account_id: str, chosen: Choices) -> None:
    """Keep a person's choices."""
    values = {"addresses": chosen.addresses, "off": list(chosen.off), "changed_at": _NOW}
    statement = insert(t.choices).values(account_id=account_id, **values)
    await tx.execute(statement.on_conflict_do_update(index_elements=[t.choices.c.account_id], set_=values))


def _robot(row: sa.RowMapping) -> Robot:
    return Robot(**{name: row[name] for name in Robot.__slots__})
