"""What reporters and the public page ask: my reports, one report, its photos, its steps, what is open near by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import cos, radians
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from services.governance.cycle import LIVE
from services.intake.store import Tx
from services.intake.tables import case_reports, case_steps, case_views, commands, photos, reports, track_tokens
from services.intake.tables.rows import PhotoRow, StepRow

_DEGREE_M: Final = 111_000.0  # metres per degree of latitude, a little too few on purpose
_NEAR_MOST: Final = 50  # more than anybody looks through
_NARROWEST: Final = 0.5  # a degree of longitude is at least half as long anywhere in the country


@dataclass(frozen=True, slots=True)
class CaseSeen:
    """The case that a report became, or the one that was merged into, as the reporter may know it. `own` is the first
    of the two."""

    own: str
    case_id: str
    case_no: str
    state: str
    stage: str
    due_at: datetime | None
    skipped: list[dict[str, str]]
    flags: list[str]
    restricted: bool
    closed_at: datetime | None
    closed_as: str | None


@dataclass(frozen=True, slots=True)
class ReportSeen:
    """One report with its case, if it has become one already. Texts are masked."""

    report_id: UUID
    receipt_no: str
    reporter_account: str | None
    nature: str
    scheme: str | None
    edition: str | None
    category: str | None
    danger: bool
    street: str
    community: str | None
    text: str
    place: str
    submitted_at: datetime
    rulebook: str
    case: CaseSeen | None


@dataclass(frozen=True, slots=True)
class Near:
    """An open case near a point; the exact distance is for the caller to measure."""

    case_no: str
    state: str
    stage: str
    category: str | None
    lng: float
    lat: float
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class AnswerSeen:
    """Dispatch's answer to a wish: done or refused, and the error id where it was refused."""

    action: str
    state: str
    code: str | None
    at: datetime


_REPORT: Final = (
    reports.c.report_id,
    reports.c.receipt_no,
    reports.c.reporter_account,
    reports.c.nature,
    reports.c.scheme,
    reports.c.edition,
    reports.c.category,
    reports.c.danger,
    reports.c.street,
    reports.c.community,
    reports.c.masked_text,
    reports.c.masked_place,
    reports.c.submitted_at,
    reports.c.rulebook,
)
_own: Final = case_views.alias("own")
_master: Final = case_views.alias("master")
_CASE: Final = (
    _own.c.case_id,
    case_views.c.case_id,
    case_views.c.case_no,
    case_views.c.state,
    case_views.c.stage,
    case_views.c.due_at,
    case_views.c.skipped,
    case_views.c.flags,
    case_views.c.restricted,
    case_views.c.closed_at,
    case_views.c.closed_as,
)
_WITH_CASE: Final = (
    sa.select(*_REPORT, *_CASE)
    .select_from(reports)
    .outerjoin(case_reports, case_reports.c.report_id == reports.c.report_id)
    .outerjoin(_own, _own.c.case_id == case_reports.c.case_id)
    .outerjoin(_master, _master.c.case_id == _own.c.master)
    # a master that has not been heard of yet is waited for under the case's own number
    .outerjoin(case_views, case_views.c.case_id == sa.func.coalesce(_master.c.case_id, _own.c.case_id))
)


async def one(tx: Tx, report_id: UUID) -> ReportSeen | None:
    """A report by its id."""
    row = (await tx.execute(_WITH_CASE.where(reports.c.report_id == report_id))).one_or_none()
    return _seen(row) if row else None


async def by_token(tx: Tx, token: str) -> ReportSeen | None:
    """The report behind a tracking token."""
    query = _WITH_CASE.join(track_tokens, track_tokens.c.report_id == reports.c.report_id)
    row = (await tx.execute(query.where(track_tokens.c.token == token))).one_or_none()
    return _seen(row) if row else None


async def mine(tx: Tx, account: str, after: tuple[datetime, UUID] | None, limit: int) -> list[ReportSeen]:
    """A person's own reports, newest first, behind `after`."""
    query = _WITH_CASE.where(reports.c.reporter_account == account)
    if after is not None:
        query = query.where(sa.tuple_(reports.c.submitted_at, reports.c.report_id) < sa.tuple_(*after))
    query = query.order_by(reports.c.submitted_at.desc(), reports.c.report_id.desc()).limit(limit)
    return [_seen(row) for row in await tx.execute(query)]


async def photos_of(tx: Tx, report_id: UUID) -> list[PhotoRow]:
    """The photos a report named, in the order of their ids."""
    query = sa.select(photos).where(photos.c.report_id == report_id).order_by(photos.c.photo_id)
    return [PhotoRow(**row) for row in (await tx.execute(query)).mappings()]


async def token_of(tx: Tx, report_id: UUID) -> str | None:
    """The tracking token of a report."""
    query = sa.select(track_tokens.c.token).where(track_tokens.c.report_id == report_id)
    token: str | None = (await tx.execute(query)).scalar_one_or_none()
    return token


async def pending_action(tx: Tx, report_id: UUID) -> str | None:
    """The newest wish of the reporter that nobody has answered yet."""
    query = (
        sa.select(commands.c.action)
        .where(commands.c.report_id == report_id, commands.c.state == "asked")
        .order_by(commands.c.asked_at.desc())
        .limit(1)
    )
    action: str | None = (await tx.execute(query)).scalar_one_or_none()
    return action


async def last_answer(tx: Tx, report_id: UUID) -> AnswerSeen | None:
    """What became of the reporter's newest wish that has been answered."""
    query = (
        sa.select(commands.c.action, commands.c.state, commands.c.code, commands.c.answered_at)
        .where(commands.c.report_id == report_id, commands.c.state != "asked")
        .order_by(commands.c.asked_at.desc())
        .limit(1)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else AnswerSeen(*row)


async def steps_of(tx: Tx, case_id: str) -> list[StepRow]:
    """The public steps of a case in order."""
    query = sa.select(case_steps).where(case_steps.c.case_id == case_id).order_by(case_steps.c.sequence)
    return [StepRow(**row) for row in (await tx.execute(query)).mappings()]


async def case_exists(tx: Tx, case_no: str) -> bool:
    """Whether a case number is known here."""
    query = sa.select(sa.exists().where(case_views.c.case_no == case_no))
    return bool((await tx.execute(query)).scalar_one())


async def near(tx: Tx, lng: float, lat: float, category: str | None, metres: float, within: timedelta) -> list[Near]:
    """Open, unrestricted cases in the square around a WGS-84 point, opened within the last `within`: the nearest of
    them, so that a crowded square does not hide what lies beside the point."""
    high = metres / _DEGREE_M
    wide = high / _NARROWEST
    east, north = (case_views.c.lng - lng) * cos(radians(lat)), case_views.c.lat - lat
    opened = sa.func.directory.grid_now(type_=sa.TIMESTAMP(timezone=True)) - within
    query = sa.select(
        case_views.c.case_no,
        case_views.c.state,
        case_views.c.stage,
        case_views.c.category,
        case_views.c.lng,
        case_views.c.lat,
        case_views.c.opened_at,
    ).where(
        case_views.c.closed_at.is_(None),
        case_views.c.state.in_(sorted(LIVE)),
        ~case_views.c.history,
        ~case_views.c.restricted,
        case_views.c.lat.between(lat - high, lat + high),
        case_views.c.lng.between(lng - wide, lng + wide),
        case_views.c.opened_at >= opened,
    )
    if category is not None:
        query = query.where(case_views.c.category == category)
    return [Near(*row) for row in await tx.execute(query.order_by(east * east + north * north).limit(_NEAR_MOST))]


def _seen(row: Any) -> ReportSeen:
    values: list[Any] = list(row)
    split = len(_REPORT)
    case = CaseSeen(*values[split:]) if values[split] is not None else None
    fields: list[Any] = [*values[:split], case]
    return ReportSeen(*fields)
