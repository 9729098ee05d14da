"""A report's message → the command that opens its case, and the words and claim that go with it."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from pypinyin import Style, lazy_pinyin

from schemas.events.report import ReportSubmittedV1
from services.chassis.clock import LOCAL
from services.chassis.directory import Directory, day_of
from services.dispatch.store.reports import Claim
from services.dispatch.store.write import Words
from services.governance.acts import ActorRef, CaseRef, CategoryRef, OpenCase, RecordedOutcome, Spot
from services.governance.case import Case

SUMMARY_CHARS = 80
_STREET_ENDINGS = ("街道办事处", "街道", "镇", "乡")


def case_number(directory: Directory, street: str, opened_at: datetime, serial: int) -> str:
    """Short form of the street, local day, serial number: FC-20261122-00017."""
    return f"{_short(directory, street)}-{opened_at.astimezone(LOCAL):%Y%m%d}-{serial:05d}"


def _short(directory: Directory, street: str) -> str:
    known = directory.streets.get(street)
    return (_initials(known.name) if known is not None else "") or street


@cache
def _initials(name: str) -> str:
    """Pinyin initials of a street's own name, '' where they would not do in a number. A process knows few streets."""
    for ending in _STREET_ENDINGS:
        name = name.removesuffix(ending) or name
    letters = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER))
    return letters.upper() if letters.isascii() and letters.isalnum() else ""


def spot_of(report: ReportSubmittedV1) -> Spot:
    """The report's place as the rules know it."""
    spot = report.spot
    return Spot(spot.street, spot.community, spot.grid, spot.cell, spot.lng, spot.lat)


def open_case(report: ReportSubmittedV1, case_id: str, case_no: str, earlier: Case | None = None) -> OpenCase:
    """The command that a report is. `earlier` is the ended case that its reporter took it for."""
    category, recorded = report.category, report.recorded
    return OpenCase(
        case_id=case_id,
        case_no=case_no,
        report_id=report.report_id,
        reporter=ActorRef(report.reporter_account, report.reporter_role),
        reported_at=report.submitted_at,
        source=report.source,
        nature=report.nature,
        category=CategoryRef(category.scheme, category.version, category.code) if category is not None else None,
        danger=report.danger,
        life=report.life,
        spot=spot_of(report),
        staff=report.staff,
        on_the_spot=report.on_the_spot.act if report.on_the_spot is not None else None,
        direct=report.direct,
        call_now=report.call_now,
        in_grid=report.in_grid,
        imported_unit=report.imported_unit,
        recorded=RecordedOutcome(recorded.unit, recorded.closed, recorded.overdue, recorded.closed_at)
        if recorded is not None
        else None,
        photos=tuple(photo.id for photo in report.photos),
        earlier=CaseRef(earlier.case_id, earlier.case_no) if earlier is not None else None,
        partner=report.partner,
        due=report.due_by,
        external=tuple((known.system, known.number) for known in report.external),
    )


def claim_of(report: ReportSubmittedV1, case_id: str) -> Claim:
    """What dispatch keeps of a report beside its case."""
    return Claim(
        report_id=report.report_id,
        case_id=case_id,
        receipt_no=report.receipt_no,
        reporter_ref=report.reporter_ref,
        source=report.source,
        at=report.submitted_at,
        text=report.masked_text,
        place=report.masked_place,
        photos=tuple((photo.id, photo.mime) for photo in report.photos),
        imported=report.imported.model_dump() if report.imported else None,
    )


def words_of(report: ReportSubmittedV1, directory: Directory) -> Words:
    """One line for lists: what and where. Without words the place is the name of the smallest known area."""
    spot = report.spot
    codes = (spot.cell, spot.grid, spot.community, spot.street)
    day = day_of(report.occurred_at)
    area = next((name for code in codes if code and (name := directory.name_of(code, day))), "")
    summary = " ".join(report.masked_text.split())[:SUMMARY_CHARS]
    return Words(summary=summary, address=report.masked_place or area)
