"""The platform's call-backs as they came."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.tables import platform_receipts as receipts


async def keep(tx: AsyncConnection, webhook_id: str, kind: str, body: dict[str, Any], state: str) -> bool:
    """Keep a call-back; False when this webhook-id was here before."""
    statement = (
        insert(receipts)
        .values(webhook_id=webhook_id, type=kind, body=body, state=state)
        .on_conflict_do_nothing()
        .returning(receipts.c.webhook_id)
    )
    return (await tx.execute(statement)).scalar_one_or_none() is not None
