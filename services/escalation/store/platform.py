"""The call-backs of platforms as they came, what dispatch answered to each, and those that a person has to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.tables import case_numbers, webhook_endpoints
from services.escalation.tables import platform_receipts as receipts

State = Literal["passed_on", "unknown", "noted"]
NO_CHANGE: Final = "no_change"
"""Dispatch's code where what was called back has been so already: nothing that anybody has to look at."""

_ANSWERED: Final = text(
    "UPDATE escalation.platform_receipts p SET answer = a.answer, code = a.code, answered_at = a.at"
    " FROM (SELECT DISTINCT ON (webhook_id) * FROM json_to_recordset(CAST(:rows AS json))"
    " AS r(n int, webhook_id text, answer text, code text, at timestamptz) ORDER BY webhook_id, n) a"
    " WHERE p.webhook_id = a.webhook_id AND p.answer IS NULL"
)
_OPEN: Final = sa.and_(
    receipts.c.aside_at.is_(None),
    sa.or_(
        receipts.c.state == sa.literal_column("'unknown'"),
        sa.and_(
            receipts.c.answer == sa.literal_column("'refused'"),
            receipts.c.code.is_distinct_from(sa.literal_column(f"'{NO_CHANGE}'")),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a call-back that was passed on; `code` is an error id where it was refused."""

    webhook_id: str
    answer: Literal["done", "refused"]
    code: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """One call-back. `open`: a person has to look at it."""

    id: UUID
    webhook_id: str
    word: str
    body: Mapping[str, Any]
    state: str
    at: datetime
    answer: str | None
    code: str | None
    endpoint_name: str | None
    case_no: str | None
    mapped_as: str | None
    mapped_by: str | None
    mapped_at: datetime | None
    aside_by: str | None
    aside_at: datetime | None
    aside_reason: str | None
    open: bool


async def keep(tx: AsyncConnection, values: Mapping[str, Any]) -> bool:
    """Keep a call-back; False when this webhook-id was here before."""
    statement = insert(receipts).values(**values).on_conflict_do_nothing().returning(receipts.c.webhook_id)
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


async def case_known_as(tx: AsyncConnection, number: str, system: str | None) -> str | None:
    """The case that another system, or that one alone, knows by this number; the one told of last where several do."""
    query = (
        select(case_numbers.c.case_id)
        .where(case_numbers.c.number == number, *([case_numbers.c.system == system] if system is not None else []))
        .order_by(case_numbers.c.sequence.desc(), case_numbers.c.case_id.desc())
        .limit(1)
    )
    return (await tx.execute(query)).scalar_one_or_none()


# --- for people -------------------------------------------------------------------------------------------------------
async def page(
    tx: AsyncConnection, limit: int, *, only_open: bool, before: tuple[datetime, UUID] | None
) -> list[Receipt]:
    """Newest first, before this one."""
    query = _every().order_by(receipts.c.at.desc(), receipts.c.id.desc()).limit(limit)
    if only_open:
        query = query.where(_OPEN)
    if before is not None:
        query = query.where(sa.tuple_(receipts.c.at, receipts.c.id) < sa.tuple_(*before))
    return [_receipt(row) for row in (await tx.execute(query)).mappings()]


async def by_id(tx: AsyncConnection, receipt_id: UUID) -> Receipt | None:
    """One, locked against somebody who settles it at the same time."""
    query = _every().where(receipts.c.id == receipt_id).with_for_update(of=receipts)
    row = (await tx.execute(query)).mappings().one_or_none()
    return None if row is None else _receipt(row)


async def change(tx: AsyncConnection, receipt_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(sa.update(receipts).where(receipts.c.id == receipt_id).values(**values))


async def count_open(tx: AsyncConnection) -> tuple[int, int, datetime | None]:
    """How many call-backs wait for a person, how many messages of ours are dead letters, and since when the oldest."""
    waiting = select(sa.func.count(), sa.func.min(receipts.c.at)).where(_OPEN)
    dead = text("SELECT count(*), min(died_at) FROM escalation.webhook_deliveries WHERE state = 'dead'")
    count, oldest = (await tx.execute(waiting)).one()
    letters, died = (await tx.execute(dead)).one()
    return count, letters, min((one for one in (oldest, died) if one is not None), default=None)


async def receipts_waiting(tx: AsyncConnection) -> tuple[int, float]:
    """How many call-backs wait for a person, and the age of the oldest in seconds."""
    query = select(sa.func.count(), sa.func.min(receipts.c.at), sa.func.directory.grid_now()).where(_OPEN)
    count, oldest, now = (await tx.execute(query)).one()
    return count, 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())


def _every() -> sa.Select[Any]:
    joined = receipts.outerjoin(webhook_endpoints, webhook_endpoints.c.id == receipts.c.endpoint_id)
    return select(
        receipts, webhook_endpoints.c.name.label("endpoint_name"), sa.func.coalesce(_OPEN, sa.false()).label("open")
    ).select_from(joined)


def _receipt(row: sa.RowMapping) -> Receipt:
    return Receipt(
        **{name: row[name] for name in Receipt.__slots__ if name not in ("word",)},
        word=row["type"],
    )
