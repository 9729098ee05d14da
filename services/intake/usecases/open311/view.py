"""Requests as a client may see them.

Whoever filed a request with his key sees it whole, texts masked. Everybody else sees what kind of matter it is, how
it stands and roughly where: no words, no address below the community, the pin rounded to about a hundred metres. A
restricted matter shows class and community; only its own client learns how it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from schemas.api.intake import ReportCreatedOut
from schemas.api.open311 import CreatedOut, ExtendedOut, NoteOut, ReceiptOut, RequestOut
from schemas.labels import Labels
from services.chassis.clock import LOCAL
from services.chassis.directory.model import Directory
from services.governance.cycle import LIVE, ClosedKind, Stage, State
from services.governance.rulebook import Rulebook
from services.intake.store.open311 import UNSURE, RequestSeen
from services.intake.tables.rows import StepRow
from services.intake.usecases.open311.offer import named

_ROUGH = 3  # decimals of a degree: about a hundred metres
_TOLD = frozenset({ClosedKind.SELF, ClosedKind.UNFOUNDED, ClosedKind.DECLINED})


@dataclass(frozen=True, slots=True)
class Sight:
    """Who looks, with what: `caller` holds the key, `notes` are the steps of cases where they were asked for."""

    caller: str | None
    directory: Directory
    rulebooks: Mapping[str, Rulebook]  # by version; one that cannot be had is missing, and its names with it
    labels: Labels
    notes: Mapping[str, Sequence[StepRow]] | None = None


def request_of(seen: RequestSeen, sight: Sight) -> RequestOut:
    """One request as `sight` may see it."""
    own = sight.caller is not None and seen.reporter_account == sight.caller
    shut = seen.restricted and not own
    book = sight.rulebooks.get(seen.rulebook)
    category = named(book, seen.scheme, seen.edition, seen.category) if book else None
    told: dict[str, object] = {
        "service_request_id": seen.receipt_no,
        "service_code": category.code if category else seen.category or UNSURE,
        "service_name": _name(seen, category.name if category else None, sight.labels),
        "status": "open" if shut or not _ended(seen) else "closed",
        "requested_datetime": when(_day(seen.submitted_at) if shut else seen.submitted_at),
        "agency_responsible": sight.directory.name_of(seen.street),
        "address": _address(seen, sight.directory, whole=own and not seen.restricted),
    }
    if not shut:
        told |= _standing(seen, sight.labels)
    if not seen.restricted:
        told |= _open_to(seen, own=own)
    if sight.notes is not None:
        told |= _extended(seen, sight, own=own, shut=shut)
    return RequestOut.model_validate(told)


def created_of(receipt: ReportCreatedOut, base: str, labels: Labels, *, extended: bool) -> CreatedOut:
    """The answer to a new request, or to its repeat."""
    due = when(receipt.due_at) if receipt.due_at else None
    url, number = f"{base}{receipt.track_url}", receipt.receipt_no
    said = [labels.text("open311.received", number=number, url=url)]
    if receipt.due_at is not None:
        said.append(labels.text("open311.due", at=receipt.due_at.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")))
    if receipt.cross_border:
        said.append(labels.text("open311.outside"))
    notice = ("" if labels.lang == "zh-CN" else " ").join(said)
    more = ReceiptOut(token=receipt.track_url.rsplit("/", 1)[-1], track_url=url, expected_datetime=due)
    return CreatedOut(service_request_id=number, service_notice=notice, extended_attributes=more if extended else None)


def when(at: datetime) -> str:
    """A moment in the standard's form, to the second."""
    return at.astimezone(LOCAL).isoformat(timespec="seconds")


def _name(seen: RequestSeen, name: str | None, labels: Labels) -> str | None:
    return labels.text("form.unsure") if seen.category is None else name


def _ended(seen: RequestSeen) -> bool:
    return seen.state is not None and State(seen.state) not in LIVE | {State.MERGED}


def _standing(seen: RequestSeen, labels: Labels) -> dict[str, object]:
    ended = _ended(seen)
    changed = seen.closed_at if ended and seen.closed_at else seen.changed_at
    return {
        "status_notes": _state_name(seen, labels),
        "updated_datetime": when(changed or seen.submitted_at),
        "expected_datetime": when(seen.due_at) if seen.due_at and not ended and not seen.restricted else None,
    }


def _open_to(seen: RequestSeen, *, own: bool) -> dict[str, object]:
    if own:
        where: dict[str, object] = {"lat": seen.lat, "long": seen.lng, "address_id": seen.place_id}
        return where | {"description": seen.text or None}
    rough = [round(angle, _ROUGH) if angle is not None else None for angle in (seen.lat, seen.lng)]
    return {"lat": rough[0], "long": rough[1]}


def _address(seen: RequestSeen, directory: Directory, *, whole: bool) -> str | None:
    """From the narrow to the wide: the words of whoever reported, the community, the street."""
    names = [directory.name_of(code) for code in (seen.community, seen.street) if code]
    return "，".join(filter(None, [seen.place if whole else None, *names])) or None


def _extended(seen: RequestSeen, sight: Sight, *, own: bool, shut: bool) -> dict[str, object]:
    community = sight.directory.name_of(seen.community) if seen.community else None
    number = seen.external_id.partition("/")[2] if own and seen.external_id else None
    if shut or (seen.restricted and own):
        state = None if shut else _state_name(seen, sight.labels)
        return {"extended_attributes": ExtendedOut(community=community, state_name=state, external_id=number)}
    stage = seen.stage or Stage.DISCOVERY.value
    steps = (sight.notes or {}).get(seen.case_id or "", ())
    return {
        "extended_attributes": ExtendedOut(
            state=seen.state or State.REPORTED.value,
            state_name=_state_name(seen, sight.labels),
            stage=stage,
            stage_name=sight.labels.word("stage", stage),
            community=community,
            case_no=seen.case_no if own else None,
            external_id=number,
        ),
        "notes": tuple(_note(step, sight.labels) for step in steps),
    }


def _note(step: StepRow, labels: Labels) -> NoteOut:
    return NoteOut(
        datetime=when(step.at),
        type=step.kind,
        description=labels.text(f"fact.{step.kind}"),
        state=step.state,
        stage=step.stage,
    )


def _state_name(seen: RequestSeen, labels: Labels) -> str:
    if seen.state is None:
        return labels.word("state", State.REPORTED.value)
    special = seen.closed_as if seen.closed_as in _TOLD else None
    return labels.word("state", seen.state, special)


def _day(at: datetime) -> datetime:
    """The beginning of its day: a number tells the day anyhow."""
    return datetime.combine(at.astimezone(LOCAL).date(), time(), LOCAL)
