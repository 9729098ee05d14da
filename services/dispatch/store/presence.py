"""Who has a case open just now. In the database, since several processes answer; forgotten half a minute later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Text, Uuid, and_, cast, delete, literal, literal_column, select, text
from sqlalchemy.dialects.postgresql import insert

from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope, readable_cases, visible_cases
from services.dispatch.store.bulk import as_json
from services.dispatch.tables import cases, presence

THERE_S: Final = 25
"""Who has said nothing for so long is there no more. A window says it every ten seconds."""
_FORGOTTEN_S: Final = 120

_THERE: Final = f"""
SELECT p.case_id::text AS case_id, c.case_no, p.account, bool_or(p.acting) AS acting
FROM dispatch.presence p JOIN dispatch.cases c ON c.id = p.case_id
WHERE p.at > directory.grid_now() - interval '{THERE_S} s'
GROUP BY p.case_id, c.case_no, p.account ORDER BY p.case_id, p.account"""  # noqa: S608 - our own number
_FORGET: Final = f"DELETE FROM dispatch.presence WHERE at < directory.grid_now() - interval '{_FORGOTTEN_S} s'"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Present:
    """The people at one case: account and whether he fills in a form of it."""

    case_no: str
    people: tuple[tuple[str, bool], ...]


async def come(tx: Tx, scope: Scope, seat: str, case_no: str, *, acting: bool) -> bool:
    """The window of this seat has the case open, and no other. False: it is none that the person may read."""
    now: ColumnElement[datetime] = literal_column("directory.grid_now()")
    one = select(literal(scope.account), literal(seat), cases.c.id, literal(acting), now).where(
        cases.c.case_no == case_no, visible_cases(scope), readable_cases(scope)
    )
    written = insert(presence).from_select(["account", "seat", "case_id", "acting", "at"], one)
    fresh = {name: written.excluded[name] for name in ("case_id", "acting", "at")}
    kept = written.on_conflict_do_update(index_elements=["account", "seat"], set_=fresh).returning(presence.c.seat)
    return (await tx.execute(kept)).scalar_one_or_none() is not None


async def leave(tx: Tx, account: str, seat: str) -> None:
    """The window shows no case any more. Nothing happens where it did not."""
    await tx.execute(delete(presence).where(and_(presence.c.account == account, presence.c.seat == seat)))


async def there(tx: Tx) -> dict[str, Present]:
    """By case: who has it open."""
    people: dict[str, tuple[str, list[tuple[str, bool]]]] = {}
    for row in await tx.execute(text(_THERE)):
        people.setdefault(row.case_id, (row.case_no, []))[1].append((row.account, row.acting))
    return {case_id: Present(case_no, tuple(who)) for case_id, (case_no, who) in people.items()}


async def forget_old(tx: Tx) -> None:
    """Windows that went without a word."""
    await tx.execute(text(_FORGET))


async def readable(tx: Tx, ids: Iterable[str], scope: Scope) -> frozenset[str]:
    """Those of the cases that the scope may read."""
    wanted = text("SELECT value::uuid FROM json_array_elements_text(CAST(:ids AS json))").columns(value=Uuid)
    query = select(cast(cases.c.id, Text)).where(cases.c.id.in_(wanted), visible_cases(scope), readable_cases(scope))
    return frozenset((await tx.execute(query, {"ids": as_json(sorted(ids))})).scalars())


async def personal_to(tx: Tx, ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """By case: the accounts that it concerns in person, whatever their posts."""
    query = text(
        "SELECT id::text AS id, audience FROM dispatch.cases"
        " WHERE id IN (SELECT value::uuid FROM json_array_elements_text(CAST(:ids AS json)))"
    )
    rows = await tx.execute(query, {"ids": as_json(sorted(ids))})
    return {row.id: frozenset(token[2:] for token in row.audience if token.startswith("p:")) for row in rows}
