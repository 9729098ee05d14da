"""Reports as their reporter sees them: bodies of the read routes, made from stored rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from schemas.api.base import CategoryIn
from schemas.api.intake import (
    ChoiceOut,
    FormCategoryOut,
    FormOut,
    MeOut,
    PhotoFactsOut,
    PhotoFactsPageOut,
    PhotoSlotOut,
    PlaceOut,
    PlacesOut,
    ReportActionOut,
    ReportOut,
    ReportRowOut,
    SamePictureOut,
    SimilarOut,
    SimilarPageOut,
    SkippedOut,
    TileOut,
    WishAnswerOut,
    WordsForReporterOut,
)
from schemas.labels import Labels
from services.chassis.coordinates import metres_between
from services.chassis.directory.model import Cell, Directory, Place
from services.governance.acts import CategoryRef
from services.governance.cycle import Stage, State
from services.governance.rulebook import Rulebook
from services.intake.store.reading import AnswerSeen, Near, ReportSeen
from services.intake.tables.rows import PhotoRow, StepRow
from services.intake.usecases.actions import awaited, offered
from services.intake.usecases.photos import PhotoFacts
from services.intake.usecases.place import Home
from services.intake.usecases.render import photo_url, track_url
from services.intake.usecases.words import ANSWERS, Words

_ACTION_OF = {"rate": "satisfaction", "ask_reopen": "reopen"}
"""What the rules call a wish."""
_TILES = ("litter", "road", "light", "stall", "parking", "construction", "danger", "dispute")


def row_of(report: ReportSeen) -> ReportRowOut:
    """A line of 我的上报."""
    return ReportRowOut.model_validate(_row(report))


def detail_of(
    report: ReportSeen,
    photos: Sequence[PhotoRow],
    token: str | None,
    wishes: tuple[str | None, AnswerSeen | None],
    told: tuple[Sequence[StepRow], Words],
    rulebook: Rulebook | None,
    labels: Labels,
    *,
    sample: bool,
) -> ReportOut:
    """One report whole. `wishes`: the one without an answer, and the last answer. `told`: the case's steps, and the
    words under them. `rulebook` None: its version cannot be had just now, names are left out.
    """
    (pending, answer), (steps, words) = wishes, told
    actions = () if pending else offered(report.case)
    return ReportOut.model_validate(
        {
            **_row(report),
            "category": _category(report),
            "category_name": _category_name(report, rulebook),
            "nature": report.nature,
            "place_words": report.place,
            "danger": report.danger,
            "photos": [slot_of(photo) for photo in photos],
            "track_url": track_url(token) if token else "",
            "pending": _ACTION_OF.get(pending or "", pending),
            "answer": _answer(answer, labels) if answer and not pending else None,
            "actions": [ReportActionOut(action=name, label=labels.word("action", name)) for name in actions],
            "sample": sample,
            "words": [_words(step, words.under(step), labels) for step in steps if words.under(step)],
            "words_missing": words.missing,
        }
    )


def _words(step: StepRow, text: str, labels: Labels) -> WordsForReporterOut:
    label = labels.text(f"fact.{step.kind}")
    return WordsForReporterOut(kind=step.kind, label=label, at=step.at, text=text, by_reporter=step.kind in ANSWERS)


def _answer(answer: AnswerSeen, labels: Labels) -> WishAnswerOut:
    refused = answer.state == "refused"
    return WishAnswerOut(
        action=_ACTION_OF.get(answer.action, answer.action),
        label=labels.word("action", answer.action),
        result="refused" if refused else "done",
        code=answer.code,
        text=_label(labels, f"problem.{answer.code}", labels.text("error.unknown")) if refused else "",
        at=answer.at,
    )


def slot_of(photo: PhotoRow) -> PhotoSlotOut:
    """Where a photo goes, or, once stored, where it is."""
    stored = photo.state == "stored"
    url = f"/api/v1/media/{photo.report_id}/{photo.photo_id}" if stored else photo_url(photo.report_id, photo.photo_id)
    return PhotoSlotOut(id=photo.photo_id, url=url, stored=stored)


def facts_of(facts: Sequence[PhotoFacts]) -> PhotoFactsPageOut:
    """What photos tell beside what they show; where they were taken leaves as a distance only."""
    return PhotoFactsPageOut(
        photos=tuple(
            PhotoFactsOut(
                id=fact.photo_id,
                taken_at=fact.taken_at,
                metres_from_pin=fact.metres,
                same=tuple(SamePictureOut(case_no=one.case_no, at=one.at) for one in fact.same),
            )
            for fact in facts
        )
    )


def form_of(directory: Directory, rulebook: Rulebook, home: Home, labels: Labels) -> FormOut:
    """Everything the phone form needs to work without a network."""
    street = directory.streets.get(home.street)
    tiles = dict.fromkeys((*_TILES, *(category.group_tile for category in rulebook.categories.values())))
    return FormOut(
        rulebook=rulebook.version,
        categories=tuple(
            FormCategoryOut(
                scheme=category.scheme,
                version=category.version,
                code=category.code,
                name=category.name,
                tile=category.group_tile,
                restricted=category.restricted,
            )
            for category in rulebook.categories.values()
        ),
        tiles=tuple(TileOut(id=tile, name=_label(labels, f"tile.{tile}", tile)) for tile in tiles),
        cells={"type": "FeatureCollection", "features": [_feature(cell) for cell in _own_first(directory, home)]},
        sources=tuple(
            ChoiceOut(id=source.id, label=source.name) for source in rulebook.sources.values() if not source.restricted
        ),
        sample=bool(street and street.sample),
        me=MeOut(grid=home.grid, community=home.community),
    )


def places_of(places: Sequence[Place], here: tuple[float, float] | None = None) -> PlacesOut:
    """Named places that can be shown on a map, with their distance from `here` (WGS-84)."""
    return PlacesOut(
        places=tuple(
            PlaceOut(
                id=place.place_id,
                name=place.name,
                kind=place.kind,
                cell=place.cell,
                lng=place.lng,
                lat=place.lat,
                initials=place.initials,
                distance_m=round(metres_between(*here, place.lng, place.lat)) if here else None,
            )
            for place in places
            if place.cell is not None and place.lng is not None and place.lat is not None
        )
    )


def reach_of(rulebook: Rulebook, code: str | None) -> float:
    """Metres within which another one of a class is pointed out."""
    category = rulebook.categories.get(code) if code else None
    own = category.near_m if category is not None else None
    return float(own if own is not None else rulebook.settings.near_m)


def similar_of(found: Sequence[Near], lng: float, lat: float, rulebook: Rulebook, reach: float) -> SimilarPageOut:
    """Open cases within `reach` metres of a WGS-84 point, nearest first."""
    measured = sorted(((metres_between(lng, lat, near.lng, near.lat), near) for near in found), key=lambda m: m[0])
    return SimilarPageOut(
        items=tuple(
            SimilarOut(
                case_no=near.case_no,
                category=near.category,
                category_name=_name(rulebook, near.category),
                stage=Stage(near.stage),
                state=State(near.state),
                distance_m=round(distance),
                opened_at=near.opened_at,
            )
            for distance, near in measured
            if distance <= reach
        )
    )


def _row(report: ReportSeen) -> dict[str, Any]:
    case = report.case
    return {
        "id": str(report.report_id),
        "receipt_no": report.receipt_no,
        "case_no": case.case_no if case else None,
        "state": case.state if case else None,
        "stage": case.stage if case else Stage.DISCOVERY,
        "skipped": [SkippedOut.model_validate(skipped) for skipped in case.skipped] if case else [],
        "text": report.text or report.place,
        "created_at": report.submitted_at,
        "due_at": case.due_at if case else None,
        "awaited": awaited(case),
    }


def _category(report: ReportSeen) -> CategoryIn | None:
    if report.category is None or report.scheme is None or report.edition is None:
        return None
    return CategoryIn(scheme=report.scheme, version=report.edition, code=report.category)


def _category_name(report: ReportSeen, rulebook: Rulebook | None) -> str | None:
    if rulebook is None or report.category is None or report.scheme is None or report.edition is None:
        return None
    found = rulebook.category_of(CategoryRef(report.scheme, report.edition, report.category))
    return found.name if found else None


def _name(rulebook: Rulebook, code: str | None) -> str:
    found = rulebook.categories.get(code) if code else None
    return found.name if found else (code or "")


def _label(labels: Labels, key: str, otherwise: str) -> str:
    return labels.text(key) if key in labels else otherwise


def _own_first(directory: Directory, home: Home) -> list[Cell]:
    cells = [cell for cell in directory.cells.values() if cell.code.startswith(home.street)]
    return sorted(cells, key=lambda cell: (cell.grid != home.grid, cell.community != home.community, cell.code))


def _feature(cell: Cell) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": cell.code,
        "properties": {"code": cell.code, "name": cell.name, "grid": cell.grid, "community": cell.community},
        "geometry": orjson.loads(cell.geometry),
    }
