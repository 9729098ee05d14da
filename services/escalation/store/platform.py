"""The platform's call-backs as they came, and what dispatch answered to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import orjson
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.tables import platform_receipts as receipts

_ANSWERED: Final = text(
    "UPDATE escalation.platform_receipts p SET answer = a.answer, code = a.code, answered_at = a.at"
    " FROM (SELECT DISTINCT ON (webhook_id) * FROM json_to_recordset(CAST(:rows AS json))"
    " AS r(n int, webhook_id text, answer text, code text, at timestamptz) ORDER BY webhook_id, n) a"
    " WHERE p.webhook_id = a.webhook_id AND p.answer IS NULL"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a call-back that was passed on; `code` is an error id where it was refused."""

    webhook_id: str
    answer: Literal["done", "refused"]
    code: str | None
    at: datetime


async def keep(tx: AsyncConnection, webhook_id: str, kind: str, body: dict[str, Any], state: str) -> bool:
    """Keep a call-back; False when this webhook-id was here before."""
    statement = (
        insert(receipts)
        .values(webhook_id=webhook_id, type=kind, body=body, state=state)
        .on_conflict_do_nothing()
        .returning(receipts.c.webhook_id)
    )
    return (await tx.execute(statement)).scalar_one_or_none() is not None


async def answered(tx: AsyncConnection, answers: Sequence[Answer]) -> None:
    """Note what dispatch answered; the first answer stands."""
    if answers:
        rows = [
            {"n": n, "webhook_id": a.webhook_id, "answer": a.answer, "code": a.code, "at": a.at}
            for n, a in enumerate(answers)
        ]
        await tx.execute(_ANSWERED, {"rows": orjson.dumps(rows).decode()})


async def answer_to(tx: AsyncConnection, webhook_id: str) -> Answer | None:
    """Dispatch's answer to a call-back; None while there is none."""
    query = select(receipts.c.answer, receipts.c.code, receipts.c.answered_at).where(
        receipts.c.webhook_id == webhook_id, receipts.c.answer.is_not(None)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else Answer(webhook_id, *row)
