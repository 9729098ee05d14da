"""Notices: written down once per fact and person, read, gathered where they came late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.notices.notice import MERGED, NewNotice, Notice
from services.escalation.tables import told as t

_KEEP: Final = text(
    "INSERT INTO escalation.notices"
    " (fact_id, account_id, kind, case_id, case_no, post, instead_of, urgent, detail, planned_at, merged_into)"
    " SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r(fact_id uuid, account_id text, kind text, case_id text,"
    " case_no text, post text, instead_of text, urgent boolean, detail jsonb, planned_at timestamptz,"
    " merged_into bigint)"
    " ON CONFLICT (fact_id, account_id) DO NOTHING"
)
# A merged notice takes in until it has been quiet for a while; who wrote first holds the row until he commits.
_GATHER: Final = text(
    "INSERT INTO escalation.notices (fact_id, account_id, kind, post, urgent, detail, gathering)"
    " SELECT r.fact_id, r.account_id, :kind, r.post, false, jsonb_build_object('count', 0), true"
    " FROM json_to_recordset(CAST(:rows AS json)) AS r(fact_id uuid, account_id text, post text)"
    " ORDER BY r.account_id"
    " ON CONFLICT (account_id) WHERE gathering DO UPDATE SET gathering = true RETURNING id, account_id"
)
_COUNT: Final = text(
    "UPDATE escalation.notices AS n SET read_at = NULL, at = directory.grid_now(), urgent = m.urgent, detail ="
    " jsonb_build_object('count', m.n, 'first', m.first, 'last', m.last)"
    " FROM (SELECT merged_into, count(*) AS n, min(planned_at) AS first, max(planned_at) AS last,"
    " bool_or(urgent) AS urgent FROM escalation.notices WHERE merged_into = ANY (:merged) GROUP BY merged_into) m"
    " WHERE n.id = m.merged_into"
)
_EMPTY: Final = text(
    "DELETE FROM escalation.notices n WHERE n.id = ANY (:merged)"
    " AND NOT EXISTS (SELECT FROM escalation.notices m WHERE m.merged_into = n.id)"
)
_QUIET: Final = text(
    "SELECT id, (detail ->> 'count')::int AS n FROM escalation.notices"
    " WHERE gathering AND at < directory.grid_now() - make_interval(secs => :quiet)"
    " ORDER BY account_id LIMIT 200 FOR UPDATE SKIP LOCKED"
)
_ALONE: Final = text("UPDATE escalation.notices SET merged_into = NULL WHERE merged_into = ANY (:merged)")
_CLOSE: Final = text("UPDATE escalation.notices SET gathering = false WHERE id = ANY (:merged)")
_TOLD_BEFORE: Final = text(
    "SELECT account_id FROM escalation.notices WHERE case_id = :case_id AND fact_id = ("
    "SELECT fact_id FROM escalation.notices WHERE case_id = :case_id AND detail ->> 'rule' = :rule"
    " ORDER BY id DESC LIMIT 1) ORDER BY account_id"
)
_LAST_ACTOR: Final = text(
    "SELECT detail ->> 'actor' FROM escalation.notices WHERE case_id = :case_id AND kind = :kind"
    " AND detail ->> 'actor' IS NOT NULL ORDER BY id DESC LIMIT 1"
)


async def keep(tx: AsyncConnection, new: Sequence[NewNotice], fact_ids: Sequence[UUID]) -> None:
    """Write down what is not yet. Late ones go into their person's merged notice, for which `fact_ids` are fresh ids,
    one a person."""
    if not new:
        return
    late = sorted({one.account_id for one in new if one.late})
    gathering = await _gathering(tx, late, fact_ids, {one.account_id: one.post for one in new})
    rows = [_row(one, gathering.get(one.account_id) if one.late else None) for one in new]
    await tx.execute(_KEEP, {"rows": _json(rows)})
    if gathering:
        merged = sorted(gathering.values())
        await tx.execute(_COUNT, {"merged": merged})
        await tx.execute(_EMPTY, {"merged": merged})  # everything in it was known already


async def _gathering(
    tx: AsyncConnection, accounts: Sequence[str], fact_ids: Sequence[UUID], posts: dict[str, str]
) -> dict[str, int]:
    if not accounts:
        return {}
    rows = [
        {"fact_id": str(fact_id), "account_id": account, "post": posts[account]}
        for account, fact_id in zip(accounts, fact_ids, strict=False)
    ]
    found = await tx.execute(_GATHER, {"rows": _json(rows), "kind": MERGED})
    return {row.account_id: row.id for row in found}


async def settle(tx: AsyncConnection, quiet_s: float) -> None:
    """Close the merged notices that nothing was added to for so long; one that holds a single thing gives it back."""
    rows = (await tx.execute(_QUIET, {"quiet": quiet_s})).all()
    if not rows:
        return
    alone = [row.id for row in rows if row.n == 1]
    await tx.execute(_ALONE, {"merged": alone})
    await tx.execute(_EMPTY, {"merged": alone})
    await tx.execute(_CLOSE, {"merged": [row.id for row in rows]})


async def told_before(tx: AsyncConnection, case_id: str, rule: str) -> list[str]:
    """Who was told of the newest act of a machine's rule on a case."""
    return list((await tx.execute(_TOLD_BEFORE, {"case_id": case_id, "rule": rule})).scalars())


async def last_actor(tx: AsyncConnection, case_id: str, kind: str) -> str | None:
    """Who did the newest such thing to a case, as far as somebody was told of it."""
    found: str | None = (await tx.execute(_LAST_ACTOR, {"case_id": case_id, "kind": kind})).scalar_one_or_none()
    return found


# --- reading --------------------------------------------------------------------------------------------------------
async def mine(
    tx: AsyncConnection,
    account_id: str,
    limit: int,
    after: int | None,
    *,
    unread: bool = False,
    merged: int | None = None,
) -> list[Notice]:
    """A person's notices, newest first; with `merged` those that one of them holds."""
    query = sa.select(t.notices).where(t.notices.c.account_id == account_id)
    query = query.where(t.notices.c.merged_into.is_(None) if merged is None else t.notices.c.merged_into == merged)
    if unread:
        query = query.where(t.notices.c.read_at.is_(None))
    if after is not None:
        query = query.where(t.notices.c.id < after)
    return [notice_of(row) for row in (await tx.execute(query.order_by(t.notices.c.id.desc()).limit(limit))).mappings()]


async def unread(tx: AsyncConnection, account_id: str, most: int) -> int:
    """How many of a person's notices are unread, counted up to `most`."""
    some = sa.select(sa.literal(1)).where(
        t.notices.c.account_id == account_id, t.notices.c.read_at.is_(None), t.notices.c.merged_into.is_(None)
    )
    return int((await tx.execute(sa.select(sa.func.count()).select_from(some.limit(most).subquery()))).scalar_one())


async def mark_read(tx: AsyncConnection, account_id: str, *, one: int | None = None, upto: int | None = None) -> int:
    """Mark one notice, or all up to one, as read by its person; answers how many were not."""
    query = (
        sa.update(t.notices)
        .where(t.notices.c.account_id == account_id, t.notices.c.read_at.is_(None), t.notices.c.merged_into.is_(None))
        .values(read_at=sa.func.directory.grid_now())
    )
    query = query.where(t.notices.c.id == one) if one is not None else query.where(t.notices.c.id <= upto)
    return (await tx.execute(query)).rowcount


async def is_mine(tx: AsyncConnection, account_id: str, notice_id: int) -> bool:
    """Whether the person has such a notice."""
    query = sa.select(t.notices.c.id).where(t.notices.c.id == notice_id, t.notices.c.account_id == account_id)
    return (await tx.execute(query)).scalar_one_or_none() is not None


def notice_of(row: sa.RowMapping) -> Notice:
    """From a row of the table."""
    return Notice(**{name: row[name] for name in Notice.__slots__})


def _row(one: NewNotice, merged_into: int | None) -> dict[str, object]:
    return {
        "fact_id": str(one.fact_id),
        "account_id": one.account_id,
        "kind": one.kind,
        "case_id": one.case_id,
        "case_no": one.case_no,
        "post": one.post,
        "instead_of": one.instead_of,
        "urgent": one.urgent,
        "detail": one.detail,
        "planned_at": one.planned_at.isoformat(),
        "merged_into": merged_into,
    }


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
