"""Reading lists: a page of a queue, the rows of some cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    Select,
    Text,
    Uuid,
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
    """What a list may show of a case; where it is not `readable`, class and community alone."""

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
    flags: tuple[str, ...]
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
    key: str = ""  # the row's place in its list, as text
    queues: tuple[str, ...] = ()


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
    only: list[ColumnElement[bool]] = []
    if whose is not Whose.ALL:
        only += [cases.c.live, whose.holds(scope)]
    if narrow is not None:
        only.append(narrow.holds(scope))
    query = _rows(queue.sort, scope, with_requests=queue.id in _ABOUT_REQUESTS)
    in_grid = queue.by_grid(scope)
    if in_grid is None:
        query = query.where(visible_cases(scope), queue.holds(scope), *only)
    else:
        # The grid's own index has them in this order: its few come first, and only these are looked at for sight. The
        # database takes an overlap for rare and would rather read all that the person sees.
        few = _paged(select(cases.c.id).where(in_grid, *only), queue.sort, limit, after)
        query = query.where(cases.c.id.in_(few), visible_cases(scope).is_(True))
    return await _fetch(tx, _paged(query, queue.sort, limit, after))


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
    share = (readable_cases(scope).label("readable"), handled_cases(scope).label("handled"))
    key = cast(sort.key, Text).label("key") if sort is not None else literal("").label("key")
    listed = queues if queues is not None else literal_column("ARRAY[]::text[]")
    query: Select[Any] = select(cast(cases.c.id, Text).label("id"), *(cases.c[name] for name in _COLUMNS), *share, key)
    asked = _ASKED if with_requests else null()
    more = (cases.c.due_at.label("work_due_at"), asked.label("asked"), _PHOTO.label("photo"))
    return query.add_columns(*more, listed.label("queues"))


def _paged(query: Select[Any], sort: Sort, limit: int, after: tuple[str, str] | None) -> Select[Any]:
    if after is not None:
        key, case_id = after
        placed = tuple_(cast(literal(key, Text), sort.type), cast(literal(case_id, Text), Uuid))
        query = query.where(tuple_(sort.key, cases.c.id) > placed)
    return query.order_by(sort.key, cases.c.id).limit(limit)


async def _fetch(tx: Tx, query: Select[Any], **values: object) -> list[ListRow]:
    rows = await tx.execute(query, values)
    return [ListRow(**{**row, "flags": tuple(row["flags"]), "queues": tuple(row["queues"])}) for row in rows.mappings()]
