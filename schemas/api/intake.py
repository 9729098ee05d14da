"""Bodies of intake: reports, photos, the phone form and what it searches."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from schemas.api.base import (
    CategoryIn,
    ClientId,
    Code,
    Degrees,
    Flagged,
    In,
    Line,
    Moment,
    Out,
    Sha256,
    Text,
)
from schemas.api.reporter import IdentityIn
from services.governance.cycle import Action, Nature, Stage, State

PHOTO_MAX_BYTES = 12 * 1024 * 1024
PHOTOS_MAX = 9


def _crs(value: Any) -> Any:
    return value.lower().replace("-", "").replace("_", "") if isinstance(value, str) else value


class PointIn(In):
    """A pin. `crs` says whose coordinates: phones in China often give GCJ-02 or BD-09."""

    lng: Degrees
    lat: Degrees
    crs: Annotated[Literal["wgs84", "gcj02", "bd09", "cgcs2000"], BeforeValidator(_crs)] = "wgs84"
    accuracy_m: Annotated[float, Field(ge=0, le=100_000)] | None = None
    at: Moment | None = None


class CellIn(In):
    """A place chosen in words stands in a known cell."""

    cell: Code


def _kind_of_position(value: Any) -> str:
    """Which of the two is meant, so that mistakes are told of that one alone. In brackets, as no field is."""
    named = "cell" in value if isinstance(value, dict) else isinstance(value, CellIn)
    return "(cell)" if named else "(pin)"


PositionIn = Annotated[
    Annotated[PointIn, Tag("(pin)")] | Annotated[CellIn, Tag("(cell)")], Discriminator(_kind_of_position)
]


class PhotoFixIn(In):
    """Where the camera says it was, WGS-84. It stays in intake."""

    lng: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]


class PhotoIn(In):
    """A photo that will follow. `taken_at` and `fix`: what its camera wrote into it, read before that is taken out."""

    id: ClientId
    sha256: Sha256
    bytes: Annotated[int, Field(ge=1, le=PHOTO_MAX_BYTES)]
    mime: Literal["image/jpeg", "image/png", "image/webp"]
    taken_at: Moment | None = None
    fix: PhotoFixIn | None = None


class OnTheSpotIn(In):
    """Dealt with on the spot: 管 扫 劝 帮 and one line."""

    act: Literal["guan", "sao", "quan", "bang"]
    note: Line


class ReportIn(In):
    """One report. `category` null means "unsure"; `position` may be missing where the place is told in words."""

    category: CategoryIn | None = None
    nature: Nature = Nature.COMPLAINT
    text: Text = ""
    position: PositionIn | None = None
    place_words: Line = ""
    landmark: Line = ""
    danger: Flagged = False
    life: Flagged = False
    direct: Flagged = False
    call_now: Flagged = False  # a branch secretary: 呼叫社区
    in_grid: Flagged = False  # a branch secretary: 网格自办
    occurred_at: Moment | None = None
    client_at: Moment | None = None
    on_the_spot: OnTheSpotIn | None = None
    joins: Code | None = None
    photos: Annotated[tuple[PhotoIn, ...], Field(max_length=PHOTOS_MAX)] = ()
    anonymous: Flagged = False
    source: Code | None = None  # only who registers for somebody else (登记) may set it
    reporter: IdentityIn | None = None  # who called, of the same: kept in the vault, hidden in the words

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.position is None and not self.place_words:
            raise PydanticCustomError(
                "place_missing", "a position or the place in words is needed", {"field": "position"}
            )
        if self.category is None and not self.text and not self.danger and not self.life and not self.photos:
            raise PydanticCustomError(
                "matter_missing", "a category, a text, a photo or danger is needed", {"field": "text"}
            )
        if self.direct and not (self.danger or self.life):
            raise PydanticCustomError(
                "direct_without_danger", "only danger calls the street directly", {"field": "direct"}
            )
        if len({photo.id for photo in self.photos}) != len(self.photos):
            raise PydanticCustomError("photo_twice", "two photos have the same id", {"field": "photos"})
        return self


class PhotoSlotOut(Out):
    """Where a named photo goes and whether it is there."""

    id: str
    url: str
    stored: bool


class SamePictureOut(Out):
    """An earlier or later report with the same picture; `case_no` null: it has no case yet, or not one to be told."""

    case_no: str | None = None
    at: Moment


class PhotoFactsOut(Out):
    """What a photo tells beside what it shows. `metres_from_pin`: from where it was taken to the report's pin."""

    id: str
    taken_at: Moment | None = None
    metres_from_pin: int | None = None
    same: tuple[SamePictureOut, ...] = ()


class PhotoFactsPageOut(Out):
    """The stored photos of one report."""

    photos: tuple[PhotoFactsOut, ...] = ()


class ReportCreatedOut(Out):
    """The receipt. `case_no` comes by event, usually within a second."""

    id: str
    receipt_no: str
    case_no: str | None = None
    state: State | None = None
    stage: Stage = Stage.DISCOVERY
    due_at: Moment | None = None
    track_url: str
    cell: str | None = None
    cross_border: bool = False
    photos: tuple[PhotoSlotOut, ...] = ()
    created_at: Moment
    sample: bool = False


class SkippedOut(Out):
    """A step of the bar that was not walked and why."""

    stage: Stage
    why: str


class ReportRowOut(Out):
    """A line of 我的上报. `awaited`: somebody waits for words of the reporter."""

    id: str
    receipt_no: str
    case_no: str | None = None
    state: State | None = None
    stage: Stage | None = None
    skipped: tuple[SkippedOut, ...] = ()
    text: str
    created_at: Moment
    due_at: Moment | None = None
    awaited: bool = False


class ReportPageOut(Out):
    """A page of reports; `next` is the cursor for `after`."""

    items: tuple[ReportRowOut, ...]
    next: str | None = None


class ReportActionOut(Out):
    """What the reporter may ask now."""

    action: str
    label: str


class WishAnswerOut(Out):
    """What became of something the reporter asked for; `code` and `text` say why it was refused."""

    action: Action | Literal["join", "confirm"]
    label: str
    result: Literal["done", "refused"]
    code: str | None = None
    text: str = ""
    at: Moment


class WordsForReporterOut(Out):
    """A question or an advice written for the reporter, or his answer; `label` says on which occasion."""

    kind: str
    label: str
    at: Moment
    text: str
    by_reporter: bool = False


class ReportOut(ReportRowOut):
    """One report as its reporter sees it. `pending`: an action was asked and is not answered yet (处理中).

    `answer`: what became of the last one, while none is pending. `words`: what the street wrote for him, oldest first;
    `words_missing`: they cannot be had just now.
    """

    words: tuple[WordsForReporterOut, ...] = ()
    words_missing: bool = False

    category: CategoryIn | None = None
    category_name: str | None = None
    nature: Nature
    place_words: str = ""
    danger: bool = False
    photos: tuple[PhotoSlotOut, ...] = ()
    track_url: str
    pending: Action | Literal["join", "confirm"] | None = None
    answer: WishAnswerOut | None = None
    actions: tuple[ReportActionOut, ...] = ()
    sample: bool = False


class ReportActionIn(In):
    """urge, withdraw, confirm, rate, ask_reopen: which fields count depends on the action."""

    reason: Code | None = None
    note: Text = ""
    grade: Literal["satisfied", "fair", "dissatisfied"] | None = None


class TileOut(Out):
    """One of the eight big buttons."""

    id: str
    name: str


class FormCategoryOut(Out):
    """A class behind a tile."""

    scheme: str
    version: str
    code: str
    name: str
    tile: str
    restricted: bool = False


class ChoiceOut(Out):
    """An id with its word."""

    id: str
    label: str


class MeOut(Out):
    """The reporter's own area, shown first."""

    grid: str | None = None
    community: str | None = None


class FormOut(Out):
    """Everything the phone keeps to work without a network. `cells` is a GeoJSON FeatureCollection, own grid first."""

    rulebook: str
    categories: tuple[FormCategoryOut, ...]
    tiles: tuple[TileOut, ...]
    cells: dict[str, Any]
    sources: tuple[ChoiceOut, ...]
    sample: bool
    me: MeOut


class PlaceOut(Out):
    """A named place. `initials` are pinyin first letters; of names that are read in several ways all of them, separated
    by spaces. `distance_m` where the question told a position."""

    id: str
    name: str
    kind: str
    cell: str
    lng: float
    lat: float
    initials: str
    distance_m: int | None = None


class PlacesOut(Out):
    """Places that match, best first."""

    places: tuple[PlaceOut, ...]


class SimilarOut(Out):
    """An open matter near by; no text, no reporter."""

    case_no: str
    category: str | None = None
    category_name: str
    stage: Stage
    state: State
    distance_m: int
    opened_at: Moment


class SimilarPageOut(Out):
    """Answer of the duplicate search."""

    items: tuple[SimilarOut, ...]
