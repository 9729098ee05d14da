"""Reporters' wishes: the row, its event number and its event in one transaction; a repeated key changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.chassis.db import Database, grid_now
from services.chassis.outbox import Outgoing, next_sequences, publish
from services.intake.tables import commands, outbox


@dataclass(frozen=True, slots=True)
class Wish:
    """One action a reporter asks for. `note` is masked."""

    command_id: UUID
    report_id: UUID
    caller: str
    key: str
    body_sha256: bytes
    action: str
    note: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What the table holds under the wish's key."""

    command_id: UUID
    body_sha256: bytes
    state: str


async def ask(
    db: Database, wish: Wish, topic: str, subject: str, event: Callable[[int, datetime], Outgoing]
) -> Kept | None:
    """Store and publish a wish; or what stands under its key already."""
    async with db.transaction() as tx:
        now = await grid_now(tx)
        written = await tx.execute(
            insert(commands)
            .values(
                command_id=wish.command_id,
                report_id=wish.report_id,
                caller=wish.caller,
                key=wish.key,
                body_sha256=wish.body_sha256,
                action=wish.action,
                state="asked",
                note=wish.note,
                asked_at=now,
            )
            .on_conflict_do_nothing(constraint="commands_caller_key")
            .returning(commands.c.command_id)
        )
        if written.scalar_one_or_none() is not None:
            sequence = (await next_sequences(tx, outbox, topic, [subject]))[subject]
            await publish(tx, outbox, [event(sequence, now)])
            return None
        query = sa.select(commands.c.command_id, commands.c.body_sha256, commands.c.state).where(
            commands.c.caller == wish.caller, commands.c.key == wish.key
        )
        return Kept(*(await tx.execute(query)).one())
