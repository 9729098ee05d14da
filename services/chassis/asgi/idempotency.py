"""`Idempotency-Key`: a repeat of an unsafe request gets the first answer, also when both arrive at once.

The key row is inserted first, inside the very transaction that does the work: a second request with the same key
waits on that row until the first has committed, then reads its answer; if the first rolled back, it does the work
itself. Refusals roll back with everything else and are judged anew. Keys belong to the caller.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from services.chassis.asgi.problem import FieldProblem, Problem

MAX_KEY = 255
KeyTable: TypeAlias = sa.Table


@dataclass(frozen=True, slots=True)
class RequestKey:
    """An unsafe request as the key table knows it. `fingerprint` covers method, path and body."""

    caller: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer that can be kept and given again."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, model: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        return cls(status, model.model_dump_json().encode(), headers=headers or {})

    def response(self) -> Response:
        return Response(self.body, self.status, dict(self.headers), media_type=self.media_type if self.body else None)


def idempotency_tables(metadata: sa.MetaData, schema: str) -> sa.Table:
    """The key table of one service's schema."""
    return sa.Table(
        "idempotency_keys",
        metadata,
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=True, comment="null only inside the transaction that works"),
        sa.Column("media_type", sa.Text, nullable=True),
        sa.Column("headers", JSONB, nullable=True),
        sa.Column("body", sa.LargeBinary, nullable=True),
        sa.Column(
            "created_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("directory.grid_now()")
        ),
        sa.Index("ix_idempotency_keys_created_at", "created_at"),
        schema=schema,
    )


async def read_request_key(request: Request, caller: str) -> RequestKey | None:
    """The request's key, or None when it sent none. Reads the body, so not for large uploads."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not key.strip() or len(key) > MAX_KEY:
        wrong = FieldProblem(field="Idempotency-Key", code="key_format")
        raise Problem(422, "invalid_input", errors=[wrong])
    return RequestKey(caller, key, fingerprint(request.method, request.url.path, await request.body()))


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """Tells a repeat from another request under the same key."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).digest()


async def answer_once(
    tx: AsyncConnection, table: sa.Table, key: RequestKey | None, work: Callable[[], Awaitable[Answer]]
) -> Answer:
    """Do `work` in `tx` unless this key has an answer already. Raises Problem 422 `idempotency_key_reused`."""
    if key is None:
        return await work()
    claimed = await tx.execute(
        insert(table)
        .values(caller=key.caller, key=key.key, fingerprint=key.fingerprint)
        .on_conflict_do_nothing()
        .returning(table.c.key)
    )
    if claimed.scalar_one_or_none() is None:
        return await _first_answer(tx, table, key)
    answer = await work()
    await tx.execute(
        sa.update(table)
        .where(table.c.caller == key.caller, table.c.key == key.key)
        .values(status=answer.status, media_type=answer.media_type, headers=dict(answer.headers), body=answer.body)
    )
    return answer


async def _first_answer(tx: AsyncConnection, table: sa.Table, key: RequestKey) -> Answer:
    found = await tx.execute(sa.select(table).where(table.c.caller == key.caller, table.c.key == key.key))
    row = found.mappings().one()
    if row["fingerprint"] != key.fingerprint:
        raise Problem(422, "idempotency_key_reused")
    return Answer(row["status"], row["body"], row["media_type"], {**row["headers"], "idempotent-replayed": "true"})
