"""Reading lists: a page of a queue, the rows of some cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.elements import ColumnElement

from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope, handled_cases, readable_cases, visible_cases
from services.dispatch.store.bulk import as_json
from services.dispatch.store.filters import Filter
from services.dispatch.store.queues import Queue, Sort, queues_of_case
from services.dispatch.store.whose import Whose
from services.dispatch.tables import case_reports, cases, report_photos, requests


@dataclass(frozen=True, slots=True)
class ListRow:
    """What a list may show of a case; where it is not `readable`, class and community alone. Read in this order."""

    id: str
    case_no: str
    version: int
    sequence: int
    state: str
    stage: str
    tier: str
    urgency: str
    street: str
    community: str | None
    owner_code: str | None
    lead_unit: str | None
    category: str | None
    summary: str
    address: str
    due: dict[str, Any] | None
    reports: int
    hand_overs: int
    opened_at: datetime
    flags: Sequence[str]
    restricted: bool
    rulebook: str
    twice_at: datetime | None
    work_due_at: datetime | None
    reply_at: datetime | None
    review_at: datetime | None
    grade: str | None
    asked: list[dict[str, Any]] | None  # its requests, the newest first; None where they are not told
    photo: str | None  # of its first photo: report and name
    readable: bool
    handled: bool  # the reader has a share in it, so house numbers are for him
    key: str  # the row's place in its list, as text
    queues: Sequence[str]


_COLUMNS = (
    *("case_no", "version", "sequence", "state", "stage", "tier", "urgency", "street", "community", "owner_code"),
    *("lead_unit", "category", "summary", "address", "due", "reports", "hand_overs", "opened_at", "flags"),
    *("restricted", "rulebook", "twice_at", "reply_at", "review_at", "grade"),
)
_ABOUT_REQUESTS: Final = frozenset({"approvals", "to_approve", "my_requests"})
_TOLD: Final = ("kind", "status", "reason", "until", "account", "unit", "at")
_ASKED = (
    select(
        func.json_agg(
            aggregate_order_by(
                func.json_build_object(*(part for name in _TOLD for part in (name, requests.c[name]))),
                requests.c.at.desc(),
            )
        )
    )
    .where(requests.c.case_id == cases.c.id)
    .scalar_subquery()
)
_PHOTO = (
    select(func.concat(report_photos.c.report_id, "/", report_photos.c.photo_id))
    .join_from(case_reports, report_photos, report_photos.c.report_id == case_reports.c.report_id)
    .where(case_reports.c.case_id == cases.c.id, report_photos.c.arrived)
    .order_by(case_reports.c.at, report_photos.c.photo_id)
    .limit(1)
    .scalar_subquery()
)


async def queue_page(
    tx: Tx,
    queue: Queue,
    scope: Scope,
    *,
    limit: int,
    after: tuple[str, str] | None,
    narrow: Filter | None = None,
    whose: Whose = Whose.ALL,
) -> list[ListRow]:
    """Up to `limit` rows after the cursor (`key`, `id`) in the queue's order; of those that pass the filter."""
    query = _of_queue(queue, scope, narrow, whose, further=after is not None)
    placed = {"key": after[0], "case_id": after[1]} if after is not None else {}
    return await _fetch(tx, query, most=limit, **placed)


@lru_cache(maxsize=256)
def _of_queue(queue: Queue, scope: Scope, narrow: Filter | None, whose: Whose, *, further: bool) -> Select[Any]:
    """Putting it together takes longer than carrying it out, and people look at the same few lists all day."""
    only: list[ColumnElement[bool]] = []
    if whose is not Whose.ALL:
        only += [cases.c.live, whose.holds(scope)]
    if narrow is not None:
        only.append(narrow.holds(scope))
    standing = select(cases.c.id).where(visible_cases(scope), queue.holds(scope), *only)
    # Found first, told afterwards: of all that stands in the list only ids and keys are sorted, not whole rows.
    few = _paged(standing, queue.sort, further=further)
    rows = _rows(queue.sort, scope, with_requests=queue.id in _ABOUT_REQUESTS).where(cases.c.id.in_(few))
    return rows.order_by(queue.sort.key, cases.c.id)


async def rows_in_order(tx: Tx, ids: Sequence[str], scope: Scope) -> list[ListRow]:
    """The rows of those cases among `ids` that the scope sees, in this order."""
    found = await rows_of(tx, ids, scope, with_queues=False)
    return [found[case_id] for case_id in ids if case_id in found]


async def rows_of(tx: Tx, ids: Iterable[str], scope: Scope, *, with_queues: bool = True) -> dict[str, ListRow]:
    """The rows of some cases that the scope sees, each with the queues it stands in now."""
    found = await _fetch(tx, _of_ids(scope, with_queues=with_queues), ids=as_json(sorted(set(ids))))
    return {row.id: row for row in found}


@lru_cache(maxsize=32)
def _of_ids(scope: Scope, *, with_queues: bool) -> Select[Any]:
    """Putting it together costs as much as carrying it out, and the live feed asks it for the same few scopes."""
    listed = queues_of_case(scope) if with_queues else None
    return _rows(None, scope, listed, with_requests=with_queues).where(
        visible_cases(scope),
        cases.c.id.in_(text("SELECT value::uuid FROM json_array_elements_text(CAST(:ids AS json))")),
    )


def _rows(
    sort: Sort | None, scope: Scope, queues: ColumnElement[Any] | None = None, *, with_requests: bool
) -> Select[Any]:
    """The columns of a `ListRow`, in its order."""
    found: dict[str, ColumnElement[Any]] = {
        **{name: cases.c[name] for name in _COLUMNS},
        "id": cast(cases.c.id, Text),
        "work_due_at": cases.c.due_at,
        "asked": _ASKED if with_requests else null(),
        "photo": _PHOTO,
        "readable": readable_cases(scope),
        "handled": handled_cases(scope),
        "key": cast(sort.key, Text) if sort is not None else literal(""),
        "queues": queues if queues is not None else literal_column("ARRAY[]::text[]"),
    }
    return select(*(found[field.name].label(field.name) for field in fields(ListRow)))


def _paged(query: Select[Any], sort: Sort, *, further: bool) -> Select[Any]:
    if further:
        placed = tuple_(cast(bindparam("key", type_=Text), sort.type), cast(bindparam("case_id", type_=Text), Uuid))
        query = query.where(tuple_(sort.key, cases.c.id) > placed)
    return query.order_by(sort.key, cases.c.id).limit(bindparam("most", type_=Integer))


async def _fetch(tx: Tx, query: Select[Any], **values: object) -> list[ListRow]:
    return [ListRow(*row) for row in await tx.execute(query, values)]
