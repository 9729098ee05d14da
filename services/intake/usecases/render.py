"""From a draft to everything it writes: rows, receipt, event. Pure; the time and number come from the database."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from schemas.api.intake import PhotoIn, PhotoSlotOut, ReportCreatedOut
from schemas.envelope import Envelope
from schemas.events.parts import CategoryV1, ExternalV1, SpotV1
from schemas.events.report import ImportedV1, OnTheSpotV1, PhotoV1, RecordedV1, ReportSubmittedV1
from schemas.topics import REPORT
from services.chassis.ids import IdSource
from services.chassis.outbox import Outgoing
from services.governance.cycle import ClockKind
from services.governance.rulebook import Rulebook
from services.governance.sla import allow, due_of
from services.intake.store.submissions import NewReport
from services.intake.tables.rows import IdentityRow, LedgerRow, PhotoRow, ReportRow, TokenRow, VaultRow
from services.intake.usecases.draft import Draft, Recorded
from services.intake.usecases.identity import Sealer
from services.intake.usecases.masking import mask

PRODUCER = "grid/intake"
SUBMITTED = "report.submitted"
_RECEIPT_ZONE = timedelta(hours=8)  # a receipt carries the date that people here read on their clocks
_REF_BYTES = 12
_TRACK_BYTES = 18


def render(draft: Draft, now: datetime, number: int, ids: IdSource, sealer: Sealer) -> NewReport:
    """All rows of one report. `number` becomes the receipt's last digits; `now` is UTC."""
    day, words = now + _RECEIPT_ZONE, draft.words
    receipt_no = f"R{day.year:04}{day.month:02}{day.day:02}-{number:06}"
    token = ids.token(_TRACK_BYTES)
    report = _report_row(draft, now, receipt_no, ids.token(_REF_BYTES))
    return NewReport(
        ledger=LedgerRow(
            report_id=draft.report_id,
            caller=draft.sender.caller,
            key=draft.key,
            body_sha256=draft.body_sha256,
            source=draft.source,
            source_event_id=draft.source_event_id,
            answer=_answer(draft, now, receipt_no, token),
            at=now,
        ),
        report=report,
        vault=VaultRow(draft.report_id, _hex(sealer.words(words.text, words.place, words.note, draft.report_id))),
        photos=tuple(_photo(draft, photo) for photo in draft.photos),
        token=TokenRow(token, draft.report_id),
        event=_outgoing(draft, report, now, ids.uuid7()),
        identity=_identity_row(draft, now, sealer),
    )


def _identity_row(draft: Draft, now: datetime, sealer: Sealer) -> IdentityRow | None:
    if not draft.identity:
        return None
    return IdentityRow(draft.report_id, _hex(sealer.identity(draft.identity, draft.report_id)), now)


def _photo(draft: Draft, photo: PhotoIn) -> PhotoRow:
    fix = photo.fix
    return PhotoRow(
        draft.report_id,
        photo.id,
        photo.sha256,
        photo.bytes,
        photo.mime,
        taken_at=photo.taken_at,
        fix_lng=fix.lng if fix else None,
        fix_lat=fix.lat if fix else None,
    )


def _hex(sealed: bytes) -> str:
    return "\\x" + sealed.hex()


def photo_url(report_id: UUID, photo_id: str) -> str:
    """Where the bytes of a named photo are put."""
    return f"/api/v1/reports/{report_id}/photos/{photo_id}"


def track_url(token: str) -> str:
    """The public progress page behind a token."""
    return f"/t/{token}"


def branch_due(draft: Draft, rulebook: Rulebook, submitted: datetime) -> datetime | None:
    """By when the branch is to assess it; None where it does not wait for the branch at all."""
    assessed = draft.call_now or draft.in_grid
    if draft.danger or draft.on_the_spot or assessed or (draft.imported and draft.imported.recorded):
        return None
    category = rulebook.category_of(draft.category)
    condition = rulebook.condition_of(category.conditions[0] if category else None, draft.danger)
    limit = rulebook.limit_of(condition, ClockKind.GRID_RESPONSE)
    return due_of(allow(limit, submitted, rulebook), submitted, rulebook)


def _report_row(draft: Draft, now: datetime, receipt_no: str, reporter_ref: str) -> ReportRow:
    sender, spot, fix, imported = draft.sender, draft.place.spot, draft.place.fix, draft.imported
    category = draft.category
    return ReportRow(
        report_id=draft.report_id,
        receipt_no=receipt_no,
        reporter_ref=reporter_ref,
        reporter_account=sender.account,
        reporter_role=sender.role.value if sender.role else None,
        anonymous=sender.anonymous,
        staff=sender.staff,
        source=draft.source,
        source_event_id=draft.source_event_id,
        nature=draft.nature.value,
        scheme=category.scheme if category else None,
        edition=category.version if category else None,
        category=category.code if category else None,
        danger=draft.danger,
        life=draft.life,
        street=spot.street,
        community=spot.community,
        grid=spot.grid,
        cell=spot.cell,
        place_id=draft.place.place_id,
        lng=spot.lng,
        lat=spot.lat,
        raw_lng=fix.lng if fix else None,
        raw_lat=fix.lat if fix else None,
        raw_crs=fix.crs.value if fix else None,
        accuracy_m=fix.accuracy_m if fix else None,
        fixed_at=fix.at if fix else None,
        masked_text=mask(draft.words.text, draft.known),
        masked_place=mask(draft.words.place, draft.known),
        on_the_spot=draft.on_the_spot,
        direct=draft.direct,
        call_now=draft.call_now,
        joins=draft.joins,
        occurred_at=draft.occurred_at or now,
        submitted_at=_submitted_at(draft, now),
        rulebook=draft.rulebook.version,
        recorded=_recorded(imported.recorded).model_dump(mode="json") if imported and imported.recorded else None,
        imported=dict(imported.words) if imported else None,
        import_job=imported.job_id if imported else None,
        event_seq=1,
    )


def _submitted_at(draft: Draft, now: datetime) -> datetime:
    """History keeps its own time; everything else is submitted when it is written."""
    past = draft.imported is not None and draft.imported.recorded is not None
    return draft.occurred_at if past and draft.occurred_at else now


def _outgoing(draft: Draft, row: ReportRow, now: datetime, event_id: UUID) -> Outgoing:
    body = _submitted(draft, row)
    envelope = Envelope(
        id=event_id,
        type=SUBMITTED,
        version=1,
        source=PRODUCER,
        time=now,
        subject=str(row.report_id),
        sequence=row.event_seq,
        data=body,
    )
    return Outgoing(REPORT.name, envelope)


def _submitted(draft: Draft, row: ReportRow) -> ReportSubmittedV1:
    sender, spot, imported, category = draft.sender, draft.place.spot, draft.imported, draft.category
    return ReportSubmittedV1(
        report_id=str(row.report_id),
        receipt_no=row.receipt_no,
        reporter_ref=row.reporter_ref,
        reporter_account=sender.account if sender.staff and not sender.anonymous else None,
        reporter_role=sender.role,
        staff=sender.staff,
        source=row.source,
        source_event_id=row.source_event_id,
        partner=draft.handed is not None,
        due_by=draft.handed.due if draft.handed else None,
        external=tuple(ExternalV1(system=s, number=n) for s, n in draft.handed.external) if draft.handed else (),
        nature=draft.nature,
        category=CategoryV1(scheme=category.scheme, version=category.version, code=category.code) if category else None,
        danger=row.danger,
        life=row.life,
        spot=SpotV1(
            street=spot.street,
            community=spot.community,
            grid=spot.grid,
            cell=spot.cell,
            lng=spot.lng,
            lat=spot.lat,
        ),
        has_place_words=bool(draft.words.place),
        masked_text=row.masked_text,
        masked_place=row.masked_place,
        on_the_spot=OnTheSpotV1(act=draft.on_the_spot) if draft.on_the_spot else None,
        direct=row.direct,
        call_now=row.call_now,
        in_grid=draft.in_grid,
        joins=row.joins,
        photos=tuple(PhotoV1(id=p.id, sha256=p.sha256, bytes=p.bytes, mime=p.mime) for p in draft.photos),
        occurred_at=row.occurred_at,
        submitted_at=row.submitted_at,
        client_at=draft.client_at,
        recorded=_recorded(imported.recorded) if imported and imported.recorded else None,
        imported_unit=imported.unit if imported else None,
        imported=ImportedV1.model_validate(imported.words) if imported else None,
        rulebook=row.rulebook,
    )


def _recorded(outcome: Recorded) -> RecordedV1:
    return RecordedV1(unit=outcome.unit, closed=outcome.closed, overdue=outcome.overdue, closed_at=outcome.closed_at)


def _answer(draft: Draft, now: datetime, receipt_no: str, token: str) -> str:
    answer = ReportCreatedOut(
        id=str(draft.report_id),
        receipt_no=receipt_no,
        due_at=branch_due(draft, draft.rulebook, now),
        track_url=track_url(token),
        cell=draft.place.spot.cell,
        cross_border=draft.place.outside,
        photos=tuple(PhotoSlotOut(id=p.id, url=photo_url(draft.report_id, p.id), stored=False) for p in draft.photos),
        created_at=now,
        sample=draft.sample,
    )
    return answer.__pydantic_serializer__.to_json(answer).decode()
