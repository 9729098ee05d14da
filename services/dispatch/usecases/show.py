"""The case page: everything one caller may know about a case, in his language."""

from __future__ import annotations

import orjson

from schemas.api.dispatch import (
    CaseCategoryOut,
    CaseOut,
    CasePhotoOut,
    CaseReportOut,
    ClockOut,
    OwnerOut,
    PlaceOut,
)
from schemas.cases import co_units
from schemas.labels import Labels
from services.chassis.db import grid_now
from services.chassis.directory import DirectoryCache, day_of
from services.chassis.houses import without_house_numbers
from services.dispatch.store import Tx
from services.dispatch.store.audience import scope_of
from services.dispatch.store.candidates import candidates
from services.dispatch.store.detail import Found, evidence_of, facts_of, whole_facts
from services.dispatch.store.reports import ReportWords, reports_of
from services.dispatch.usecases.forms import Forms
from services.dispatch.usecases.happened import requests_of, timeline_of
from services.dispatch.usecases.joined import absorbed_of
from services.dispatch.usecases.page import CasePage
from services.dispatch.usecases.routing import routing_of
from services.dispatch.usecases.shares import shares_of
from services.dispatch.usecases.steps import steps_of
from services.dispatch.usecases.undoing import undo_of
from services.dispatch.usecases.words import Words
from services.governance.acts import Actor, Clock
from services.governance.case import Case, Sight, permit, stage_of
from services.governance.case.mediation import may_read, mediators
from services.governance.cycle import Action
from services.governance.moves import BY_STEP
from services.governance.rulebook import Rulebook
from services.governance.sla import over_ratio

LIAISON = "liaison_leader"


async def show(tx: Tx, found: Found, actor: Actor, cache: DirectoryCache, lang: str) -> CaseOut:
    """The page for `actor`, for whom the case was found. Raises UnknownRulebook."""
    case = found.case
    words = Words(Labels(lang), cache.current())
    book = await cache.rulebook(case.rulebook)
    page = CasePage(
        case=case,
        facts=await facts_of(tx, case.case_id),
        history=await whole_facts(tx, case.case_id),
        reports=await reports_of(tx, case.case_id),
        evidence=await evidence_of(tx, case.case_id),
        rulebook=book,
        words=words,
        now=await grid_now(tx),
        beside=await candidates(tx, case, scope_of(actor), book.settings.reopen_days) if _merges(case, actor) else [],
    )
    if found.sight is not Sight.FULL and case.restricted:
        return _class_only(page)
    undo = {"undo": undo_of(page, actor)}
    if found.sight is not Sight.FULL:
        return _outline(page).model_copy(update=undo)
    whole = _case_out(page, found.address, actor).model_copy(update=undo)
    return whole if found.handled else _without_houses(whole)


def _merges(case: Case, actor: Actor) -> bool:
    """Whether a form of his may ask for another case."""
    move = BY_STEP.get((Action.MERGE, case.state))
    return move is not None and permit(case, actor, move.who) is not None


def _without_houses(whole: CaseOut) -> CaseOut:
    """As whoever has no share in the case reads it: every word typed about it, and no door."""
    hide = without_house_numbers
    place = whole.place and whole.place.model_copy(update={"words": hide(whole.place.words)})
    reports = [r.model_copy(update={"text": hide(r.text), "place_words": hide(r.place_words)}) for r in whole.reports]
    timeline = [line.model_copy(update={"note": line.note and hide(line.note)}) for line in whole.timeline]
    requests = [
        asked.model_copy(
            update={
                "note": asked.note and hide(asked.note),
                "asked": tuple(one.model_copy(update={"text": hide(one.text)}) for one in asked.asked),
            }
        )
        for asked in whole.requests
    ]
    tasks = [task.model_copy(update={"ask": task.ask and hide(task.ask)}) for task in whole.tasks]
    told = {"reports": tuple(reports), "timeline": tuple(timeline), "requests": tuple(requests), "tasks": tuple(tasks)}
    return whole.model_copy(update={"place": place, **told})


def _case_out(page: CasePage, address: str, actor: Actor) -> CaseOut:
    case, words, book = page.case, page.words, page.rulebook
    condition = book.conditions.get(case.condition) if case.condition else None
    owner = case.owner
    return _outline(page).model_copy(
        update={
            "condition": case.condition,
            "condition_text": condition and condition.text,
            "close_condition": condition and condition.close_condition,
            "cell": case.spot.cell,
            "place": _place(case, words, address),
            "owner": owner
            and OwnerOut(tier=owner.tier, code=owner.code, role=owner.role, name=words.place(owner.code)),
            "lead_unit": case.lead,
            "lead_unit_name": words.place(case.lead) or None,
            "co_units": co_units(case),
            "flags": tuple(sorted(case.flags)),
            "liaison_leader": _liaison(case, page),
            "clocks": tuple(_clock(clock, page) for clock in case.clocks),
            "reports": tuple(_report(report, case.case_no) for report in page.reports),
            "stages": steps_of(page, named=True),
            "tasks": shares_of(page),
            "requests": requests_of(page),
            "timeline": timeline_of(page),
            "routing": routing_of(case, book, words),
            "master": case.master and case.master.case_no,
            "absorbed": absorbed_of(case),
            "earlier": case.earlier and case.earlier.case_no,
            "actions": Forms(case, book, words, page.now, page.beside).actions(actor),
            "mediation": case.restricted and may_read(case, actor),
            "mediator": words.person(mediators(case)[-1]) if mediators(case) else None,
        }
    )


def _outline(page: CasePage) -> CaseOut:
    """How the case stands, for whose act took it out of his own sight."""
    case, words = page.case, page.words
    return _class_only(page).model_copy(
        update={
            "id": case.case_id,
            "stage": stage_of(case),
            "state": case.state,
            "state_label": words.state(case.state, case.closed_as),
            "tier": case.tier,
            "urgency": case.urgency,
            "nature": case.nature,
            "history": case.history,
            "opened_at": case.opened_at,
            "closed_at": case.closed_at,
            "closed_as": case.closed_as,
            "stages": steps_of(page, named=False),
            "rulebook": case.rulebook,
            "source": case.source,
        }
    )


def _class_only(page: CasePage) -> CaseOut:
    """What is told of a restricted case outside its chain: no place below the community, no words, no people, not how
    it stands or since when."""
    case, words = page.case, page.words
    street = words.directory.streets.get(case.spot.street)
    return CaseOut(
        case_no=case.case_no,
        version=case.version,
        sequence=case.sequence,
        category=_category(case, page.rulebook),
        place=PlaceOut(
            street=case.spot.street,
            community=case.spot.community,
            community_name=words.place(case.spot.community) or None,
        ),
        restricted=case.restricted,
        sample=street is not None and street.sample,
    )


def _category(case: Case, book: Rulebook) -> CaseCategoryOut | None:
    ref = case.category
    if ref is None:
        return None
    known = book.category_of(ref)
    return CaseCategoryOut(
        scheme=ref.scheme,
        version=ref.version,
        code=ref.code,
        name=known.name if known is not None else ref.code,
        proposed=case.class_proposed,
    )


def _place(case: Case, words: Words, address: str) -> PlaceOut:
    """In the cell of the case's day, whatever became of it since."""
    spot, directory = case.spot, words.directory
    pin = (spot.lng, spot.lat) if spot.lng is not None and spot.lat is not None else None
    cell = directory.cell_then(spot.cell, day_of(case.opened_at), pin) if spot.cell else None
    now = directory.cells.get(cell.code) if cell else None
    redrawn = cell is not None and (now is None or now.geometry != cell.geometry)
    return PlaceOut(
        street=spot.street,
        community=spot.community,
        community_name=words.place(spot.community) or None,
        grid=spot.grid,
        grid_name=words.place(spot.grid) or None,
        cell=spot.cell,
        cell_name=cell.name if cell else None,
        cell_outline=orjson.loads(cell.geometry) if cell and redrawn else None,
        lng=spot.lng,
        lat=spot.lat,
        words=address,
    )


def _liaison(case: Case, page: CasePage) -> str | None:
    if case.spot.community is None:
        return None
    found = page.words.directory.on_roster(case.spot.community, LIAISON, page.now)
    return found[0].name if found else None


def _clock(clock: Clock, page: CasePage) -> ClockOut:
    sentence, steps = page.words.why_due(page.case, clock, page.history, page.rulebook)
    return ClockOut(
        clock_id=clock.clock_id,
        kind=clock.kind,
        label=page.words.word("clock_kind", clock.kind),
        state=clock.state,
        basis=clock.basis,
        budget_s=clock.budget_s,
        started_at=clock.started_at,
        due_at=clock.due_at,
        original_due=clock.original_due,
        provisional=clock.provisional,
        over_ratio=_over(clock, page),
        sentence=sentence,
        steps=steps,
    )


def _over(clock: Clock, page: CasePage) -> float | None:
    ratio = over_ratio(clock, page.now, page.rulebook.calendar)
    return ratio if ratio > 0 else None


def _report(report: ReportWords, case_no: str) -> CaseReportOut:
    base = f"/api/v1/cases/{case_no}/photos/{report.report_id}"
    photos = tuple(
        CasePhotoOut(id=photo.photo_id, url=f"{base}/{photo.photo_id}") for photo in report.photos if photo.arrived
    )
    return CaseReportOut(
        id=report.report_id,
        receipt_no=report.receipt_no,
        text=report.text,
        place_words=report.place,
        photos=photos,
        at=report.at,
        source=report.source,
    )
