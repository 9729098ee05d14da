"""Lists that people keep under a name; each is its keeper's alone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from services.dispatch.store import Tx
from services.dispatch.tables import views


@dataclass(frozen=True, slots=True)
class View:
    """The id is its keeper's own; the address is one within the console."""

    id: str
    name: str
    address: str


async def views_of(tx: Tx, account: str) -> list[View]:
    """In the order in which they were kept."""
    own = select(views.c.id, views.c.name, views.c.address).where(views.c.account == account)
    rows = await tx.execute(own.order_by(views.c.at, views.c.id))
    return [View(row.id, row.name, row.address) for row in rows]


async def keep_view(tx: Tx, account: str, view: View, *, most: int) -> bool:
    """Keep it, in place of one of the same id. False: there are `most` others already."""
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"views {account}", 0))))
    others = select(func.count()).where(views.c.account == account, views.c.id != view.id)
    if (await tx.execute(others)).scalar_one() >= most:
        return False
    told = {"name": view.name, "address": view.address}
    kept = insert(views).values(account=account, id=view.id, **told)
    await tx.execute(kept.on_conflict_do_update(index_elements=["account", "id"], set_=told))
    return True


async def forget_view(tx: Tx, account: str, view_id: str) -> None:
    """Nothing happens where there is none."""
    await tx.execute(delete(views).where(views.c.account == account, views.c.id == view_id))
