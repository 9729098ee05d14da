"""What Open311 clients ask: requests by number, by filters, by the token of their receipt, and the steps of many."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from services.governance.cycle import LIVE, State
from services.intake.store import Tx
from services.intake.tables import case_reports, case_steps, case_views, ledger, reports, track_tokens
from services.intake.tables.rows import StepRow


@dataclass(frozen=True, slots=True)
class Range:
    """From `begin` to `end`, both included; None: open."""

    begin: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Sought:
    """A list to look for. `caller` sees his own requests whole; `after` is time and number of the last one seen."""

    street: str
    ids: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    statuses: frozenset[str] = frozenset()
    caller: str | None = None
    mine: bool = False
    external: tuple[str, ...] = ()
    requested: Range | None = None
    updated: Range | None = None
    limit: int = 1000
    skip: int = 0
    after: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class Classes:
    """What the rulebook adds: the classes and sources that are restricted before there is a case to say so, and the
    other names of a class."""

    restricted: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestSeen:
    """One request. Texts are masked; what of it may be shown is for the caller to decide."""

    receipt_no: str
    reporter_account: str | None
    scheme: str | None
    edition: str | None
    category: str | None
    street: str
    community: str | None
    place_id: str | None
    lng: float | None
    lat: float | None
    text: str
    place: str
    external_id: str | None
    submitted_at: datetime
    rulebook: str
    restricted: bool
    case_id: str | None
    case_no: str | None
    state: str | None
    stage: str | None
    due_at: datetime | None
    closed_at: datetime | None
    closed_as: str | None
    changed_at: datetime | None


UNSURE: Final = "unsure"
"""The service of whoever does not know the class."""
_own: Final = case_views.alias("own")
_master: Final = case_views.alias("master")
_case: Final = case_views
_ENDED: Final = sorted(set(State) - LIVE - {State.MERGED})  # merged: its master goes on, whether heard of yet or not
_closed: Final = sa.func.coalesce(_case.c.state.in_(_ENDED), sa.false())
_updated: Final = sa.func.coalesce(_case.c.changed_at, reports.c.submitted_at)


def _query(classes: Classes) -> sa.Select[Any]:
    return (
        sa.select(
            reports.c.receipt_no,
            reports.c.reporter_account,
            reports.c.scheme,
            reports.c.edition,
            reports.c.category,
            reports.c.street,
            reports.c.community,
            reports.c.place_id,
            reports.c.lng,
            reports.c.lat,
            reports.c.masked_text,
            reports.c.masked_place,
            reports.c.source_event_id,
            reports.c.submitted_at,
            reports.c.rulebook,
            _restricted(classes),
            _case.c.case_id,
            _case.c.case_no,
            _case.c.state,
            _case.c.stage,
            _case.c.due_at,
            _case.c.closed_at,
            _case.c.closed_as,
            _case.c.changed_at,
        )
        .select_from(reports)
        .outerjoin(case_reports, case_reports.c.report_id == reports.c.report_id)
        .outerjoin(_own, _own.c.case_id == case_reports.c.case_id)
        .outerjoin(_master, _master.c.case_id == _own.c.master)
        .outerjoin(_case, _case.c.case_id == sa.func.coalesce(_master.c.case_id, _own.c.case_id))
    )


def _restricted(classes: Classes) -> sa.ColumnElement[bool]:
    """As the case says it; before there is one, as class and source let expect."""
    expected = sa.or_(
        sa.func.coalesce(reports.c.category.in_(sorted(classes.restricted)), sa.false()),
        reports.c.source.in_(sorted(classes.sources)),
    )
    return sa.func.coalesce(sa.or_(_own.c.restricted, _case.c.restricted), expected)


async def listed(tx: Tx, asked: Sought, classes: Classes) -> list[RequestSeen]:
    """Newest first, one more than asked for where there are more.

    Restricted requests are in no list but their own client's; asked for by number they are found.
    """
    query = _query(classes).where(reports.c.street == asked.street)
    if asked.ids:
        query = query.where(reports.c.receipt_no.in_(asked.ids))
    else:
        query = query.where(*_filters(asked, classes))
    query = query.order_by(reports.c.submitted_at.desc(), reports.c.receipt_no.desc())
    found = await tx.execute(query.limit(asked.limit + 1).offset(asked.skip))
    return [RequestSeen(*row) for row in found]


def _filters(asked: Sought, classes: Classes) -> list[sa.ColumnElement[bool]]:
    own = reports.c.reporter_account == asked.caller if asked.caller is not None else sa.false()
    wanted = [own] if asked.mine else [reports.c.recorded.is_(None), sa.or_(own, ~_restricted(classes))]
    if asked.requested is not None:
        wanted += _between(reports.c.submitted_at, asked.requested)
    if asked.updated is not None:
        wanted += [reports.c.report_id.in_(_touched(asked.updated)), *_between(_updated, asked.updated)]
    if asked.codes:
        codes = {name for code in asked.codes for name in (code, *classes.names.get(code, ()))}
        by_code: sa.ColumnElement[bool] = reports.c.category.in_(sorted(codes))
        wanted.append(sa.or_(by_code, reports.c.category.is_(None)) if UNSURE in asked.codes else by_code)
    if len(asked.statuses) == 1:
        wanted.append(_closed if "closed" in asked.statuses else ~_closed)
    if asked.external:
        wanted.append(reports.c.source_event_id.in_([f"{asked.caller}/{number}" for number in asked.external]))
    if asked.after is not None:
        key = sa.tuple_(reports.c.submitted_at, reports.c.receipt_no)
        wanted.append(key < sa.tuple_(*asked.after))
    return wanted


def _between(column: sa.ColumnElement[datetime], within: Range) -> list[sa.ColumnElement[bool]]:
    bounds = [column >= within.begin] if within.begin is not None else []
    return [*bounds, column <= within.end] if within.end is not None else bounds


def _touched(within: Range) -> sa.CompoundSelect[Any]:
    """Reports that came, or whose case or whose case's master moved, within a time: three short walks of an index."""
    moved = sa.select(case_views.c.case_id).where(*_between(case_views.c.changed_at, within))
    under = sa.select(case_views.c.case_id).where(case_views.c.master.in_(moved))
    of = sa.select(case_reports.c.report_id)
    return sa.union_all(
        sa.select(reports.c.report_id).where(*_between(reports.c.submitted_at, within)),
        of.where(case_reports.c.case_id.in_(moved)),
        of.where(case_reports.c.case_id.in_(under)),
    )


async def one(tx: Tx, street: str, number: str, classes: Classes) -> RequestSeen | None:
    """A request by its number."""
    query = _query(classes).where(reports.c.receipt_no == number, reports.c.street == street)
    row = (await tx.execute(query)).one_or_none()
    return RequestSeen(*row) if row else None


async def number_of(tx: Tx, street: str, token: str) -> str | None:
    """The number of the request that a tracking token stands for."""
    query = (
        sa.select(reports.c.receipt_no)
        .join(track_tokens, track_tokens.c.report_id == reports.c.report_id)
        .where(track_tokens.c.token == token, reports.c.street == street)
    )
    number: str | None = (await tx.execute(query)).scalar_one_or_none()
    return number


async def steps_of(tx: Tx, case_ids: Collection[str]) -> dict[str, Sequence[StepRow]]:
    """The public steps of several cases, each in order."""
    told: dict[str, list[StepRow]] = {}
    if case_ids:
        query = sa.select(case_steps).where(case_steps.c.case_id.in_(sorted(case_ids)))
        for row in (await tx.execute(query.order_by(case_steps.c.case_id, case_steps.c.sequence))).mappings():
            told.setdefault(row["case_id"], []).append(StepRow(**row))
    return dict(told)


async def has_key(tx: Tx, caller: str, key: str) -> bool:
    """Whether a caller has used a key before."""
    query = sa.select(sa.exists().where(ledger.c.caller == caller, ledger.c.key == key))
    return bool((await tx.execute(query)).scalar_one())
