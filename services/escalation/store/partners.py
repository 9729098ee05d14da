"""Who hands matters over; intake keeps them, and shows their names in a view."""

from __future__ import annotations

from sqlalchemy import text

from services.chassis.db import Tx


async def names(tx: Tx) -> tuple[str, ...]:
    """Of every partner that was not removed, in order."""
    return tuple((await tx.execute(text("SELECT name FROM intake.partner_names ORDER BY name"))).scalars())
