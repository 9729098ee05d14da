"""What intake publishes: a report was submitted, a photo it named has arrived.

No personal data: `reporter_ref` is random per report, texts are masked; the raw words stay in intake's vault.
"""

from __future__ import annotations

from schemas.events.parts import CategoryV1, ExternalV1, SpotV1
from schemas.wire import Body, Moment, Wire
from services.governance.cycle import Nature, Role


class PhotoV1(Wire):
    """A photo the report promises; its bytes follow by their own request."""

    id: str
    sha256: str
    bytes: int
    mime: str


class OnTheSpotV1(Wire):
    """Dealt with in the same submission: guan 管 | sao 扫 | quan 劝 | bang 帮."""

    act: str


class RecordedV1(Wire):
    """What an imported history row says happened elsewhere."""

    unit: str | None = None
    closed: bool
    overdue: bool
    closed_at: Moment | None = None


class ImportedV1(Wire):
    """What an imported row says, in its file's own codes and words; figures are compared by these."""

    system: str  # the mapping's name
    street: str | None = None
    street_name: str | None = None
    community: str | None = None
    community_name: str | None = None
    category: str | None = None
    category_name: str | None = None
    unit: str | None = None
    unit_name: str | None = None


class ReportSubmittedV1(Body):
    """One person saw one thing, once."""

    report_id: str
    receipt_no: str
    reporter_ref: str
    reporter_account: str | None = None  # staff only
    reporter_role: Role | None = None
    staff: bool
    source: str
    source_event_id: str | None = None  # the sender's own number: Open311, platform push, import
    partner: bool = False  # another authority handed it over: its class's limit and `due_by` count beside ours
    due_by: Moment | None = None  # by when that authority wants it done
    external: tuple[ExternalV1, ...] = ()  # the sender's own number first, then others that it knows; one matter
    nature: Nature
    category: CategoryV1 | None = None
    danger: bool = False
    life: bool = False
    spot: SpotV1
    has_place_words: bool = False
    masked_text: str = ""
    masked_place: str = ""
    on_the_spot: OnTheSpotV1 | None = None
    direct: bool = False  # 紧急直呼街道
    call_now: bool = False
    in_grid: bool = False  # a secretary whose own grid handles it (网格自办)
    joins: str | None = None  # case_no that the reporter recognised
    photos: tuple[PhotoV1, ...] = ()
    occurred_at: Moment
    submitted_at: Moment
    client_at: Moment | None = None
    recorded: RecordedV1 | None = None  # history: no clock, outside the live queues
    imported_unit: str | None = None
    imported: ImportedV1 | None = None
    rulebook: str


class ReportPhotoAddedV1(Body):
    """The bytes of a named photo are stored."""

    report_id: str
    photo_id: str
    sha256: str
    mime: str
    path: str  # below the media store, never a machine path


REPORT_KINDS: dict[str, tuple[type[Body], ...]] = {
    "report.submitted": (ReportSubmittedV1,),
    "report.photo_added": (ReportPhotoAddedV1,),
}

__all__ = [
    "REPORT_KINDS",
    "ImportedV1",
    "OnTheSpotV1",
    "PhotoV1",
    "RecordedV1",
    "ReportPhotoAddedV1",
    "ReportSubmittedV1",
]
