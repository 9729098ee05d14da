"""The case page: everything one caller may know about a case, in his language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from schemas.api.dispatch import (
    AskedForOut,
    CaseCategoryOut,
    CaseOut,
    CasePhotoOut,
    CaseReportOut,
    ClockOut,
    OwnerOut,
    PlaceOut,
    RequestOut,
    StageOut,
    TaskOut,
    TimelineOut,
)
from schemas.cases import co_units
from schemas.labels import Labels
from services.chassis.db import grid_now
from services.chassis.directory import DirectoryCache, day_of
from services.chassis.houses import without_house_numbers
from services.dispatch.store import Tx
from services.dispatch.store.audience import scope_of
from services.dispatch.store.candidates import Candidate, candidates
from services.dispatch.store.detail import EvidenceRow, FactRow, Found, evidence_of, facts_of, whole_facts
from services.dispatch.store.reports import ReportWords, reports_of
from services.dispatch.usecases.forms import Forms
from services.dispatch.usecases.joined import absorbed_of, others_in
from services.dispatch.usecases.routing import routing_of
from services.dispatch.usecases.words import Words
from services.governance.acts import Actor, Clock, Fact, Inputs
from services.governance.case import Case, Sight, asked_with, permit, stage_of
from services.governance.case.mediation import may_read, mediators
from services.governance.cycle import Action, ClockKind, Intent, Stage
from services.governance.moves import BY_STEP
from services.governance.rulebook import Rulebook
from services.governance.sla import over_ratio

_JOINT = "、"
LIAISON = "liaison_leader"

# Which clock says how long a stage may take; the last one started counts.
_STAGE_CLOCKS: dict[ClockKind, Stage] = {
    ClockKind.GRID_RESPONSE: Stage.DISCOVERY,
    ClockKind.GRID_DISPOSAL: Stage.DISCOVERY,
    ClockKind.COMMUNITY_RESPONSE: Stage.COMMUNITY_CALL,
    ClockKind.COMMUNITY_DISPOSAL: Stage.COMMUNITY_CALL,
    ClockKind.STREET_ANSWER: Stage.COORDINATION,
    ClockKind.FILE: Stage.COORDINATION,
    ClockKind.DISPATCH: Stage.COORDINATION,
    ClockKind.RULING: Stage.COORDINATION,
    ClockKind.RESPONSE: Stage.RESPONSE,
    ClockKind.DISTRICT_RESPONSE: Stage.RESPONSE,
    ClockKind.HANDLING: Stage.DISPOSAL,
    ClockKind.DISTRICT_HANDLING: Stage.DISPOSAL,
    ClockKind.VERIFY: Stage.CLOSING,
    ClockKind.VISIT: Stage.CLOSING,
    ClockKind.CLOSE: Stage.CLOSING,
}


@dataclass(frozen=True, slots=True)
class _Page:
    """What the page is made from."""

    case: Case
    facts: list[FactRow]
    history: list[Fact]
    reports: list[ReportWords]
    evidence: list[EvidenceRow]
    rulebook: Rulebook
    words: Words
    now: datetime
    beside: list[Candidate]


async def show(tx: Tx, found: Found, actor: Actor, cache: DirectoryCache, lang: str) -> CaseOut:
    """The page for `actor`, for whom the case was found. Raises UnknownRulebook."""
    case = found.case
    words = Words(Labels(lang), cache.current())
    book = await cache.rulebook(case.rulebook)
    page = _Page(
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
    if found.sight is Sight.FULL:
        whole = _case_out(page, found.address, actor)
        return whole if found.handled else _without_houses(whole)
    return _class_only(page) if case.restricted else _outline(page)


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
    told = {"place": place, "reports": tuple(reports), "timeline": tuple(timeline), "requests": tuple(requests)}
    return whole.model_copy(update=told)


def _case_out(page: _Page, address: str, actor: Actor) -> CaseOut:
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
            "tasks": _tasks(page),
            "requests": _requests(page),
            "timeline": _timeline(page),
            "routing": routing_of(case, book, words),
            "master": case.master and case.master.case_no,
            "absorbed": absorbed_of(case),
            "earlier": case.earlier and case.earlier.case_no,
            "actions": Forms(case, book, words, page.now, page.beside).actions(actor),
            "mediation": case.restricted and may_read(case, actor),
            "mediator": words.person(mediators(case)[-1]) if mediators(case) else None,
        }
    )


def _outline(page: _Page) -> CaseOut:
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
            "stages": _stages(page),
            "rulebook": case.rulebook,
            "source": case.source,
        }
    )


def _class_only(page: _Page) -> CaseOut:
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


def _liaison(case: Case, page: _Page) -> str | None:
    if case.spot.community is None:
        return None
    found = page.words.directory.on_roster(case.spot.community, LIAISON, page.now)
    return found[0].name if found else None


def _stages(page: _Page) -> tuple[StageOut, ...]:
    """The six steps: when each was first entered and last left, how long it took in all, how long it may take."""
    skipped = dict(page.case.skipped)
    visits = _visits(page)
    return tuple(
        StageOut(
            stage=stage,
            label=page.words.word("stage", stage),
            entered_at=visits[stage][0][0] if stage in visits else None,
            left_at=visits[stage][-1][1] if stage in visits else None,
            used_s=sum(int(((end or page.now) - begin).total_seconds()) for begin, end in visits.get(stage, [])),
            allowed_s=_allowed(page.case, stage),
            skipped=skipped.get(stage) if stage not in visits else None,
        )
        for stage in Stage
    )


def _visits(page: _Page) -> dict[Stage, list[tuple[datetime, datetime | None]]]:
    """Stage → stretches [from, to) in it; the present one is open until the case ends."""
    visits: dict[Stage, list[tuple[datetime, datetime | None]]] = {}
    current: tuple[Stage, datetime] | None = None
    for fact in page.facts:
        stage = Stage(fact.stage)
        if current is not None and current[0] is stage:
            continue
        if current is not None:
            visits.setdefault(current[0], []).append((current[1], fact.at))
        current = (stage, fact.at)
    if current is not None:
        visits.setdefault(current[0], []).append((current[1], page.case.closed_at))
    return visits


def _allowed(case: Case, stage: Stage) -> int | None:
    own = [clock for clock in case.clocks if _STAGE_CLOCKS.get(clock.kind) is stage and clock.task_id is None]
    return max(own, key=lambda clock: clock.started_at).budget_s if own else None


def _clock(clock: Clock, page: _Page) -> ClockOut:
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


def _over(clock: Clock, page: _Page) -> float | None:
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


def _tasks(page: _Page) -> tuple[TaskOut, ...]:
    return tuple(
        TaskOut(
            id=task.task_id,
            kind=task.kind,
            unit=task.unit,
            unit_name=page.words.place(task.unit) or None,
            person_name=page.words.person(task.person),
            state=task.state,
            given_at=task.given_at,
            done_at=task.done_at,
        )
        for task in page.case.tasks
    )


def _requests(page: _Page) -> tuple[RequestOut, ...]:
    noted = {(fact.account, fact.at): fact.note for fact in page.facts if fact.note}
    return tuple(
        RequestOut(
            id=request.request_id,
            kind=request.kind,
            label=page.words.word("action", request.kind),
            status=request.status,
            by_name=page.words.person(request.by.account),
            at=request.at,
            until=request.until,
            reason=page.words.word("reason", request.reason) if request.reason else None,
            note=noted.get((request.by.account, request.at)),
            asked=_asked(asked_with(request), page),
            deciders=tuple(page.words.word("role", role) for role in request.deciders),
        )
        for request in page.case.requests
    )


def _asked(inputs: Inputs, page: _Page) -> tuple[AskedForOut, ...]:
    """What a request was filled in with, in words; reason and date have their own fields."""
    words, book = page.words, page.rulebook
    category, condition = book.categories.get(inputs.category or ""), book.conditions.get(inputs.condition or "")
    shown = {
        "category": category.name if category else None,
        "condition": condition.text if condition else None,
        "urgency": words.word("urgency", inputs.urgency) if inputs.urgency else None,
        "cell": words.place(inputs.cell),
        "lead_unit": words.place(inputs.lead_unit),
        "co_units": _JOINT.join(words.place(unit) for unit in inputs.co_units),
        "master": inputs.master,
    }
    return tuple(AskedForOut(name=n, label=words.word("input", n), text=text) for n, text in shown.items() if text)


def _timeline(page: _Page) -> tuple[TimelineOut, ...]:
    shown: dict[str, list[CasePhotoOut]] = {}
    for piece in page.evidence:
        if piece.fact_id is not None:
            url = f"/api/v1/cases/{page.case.case_no}/evidence/{piece.id}"
            shown.setdefault(piece.fact_id, []).append(CasePhotoOut(id=piece.id, url=url))
    return tuple(
        TimelineOut(
            sequence=fact.sequence,
            at=fact.at,
            kind=fact.kind,
            label=page.words.fact(fact.kind, fact.intent, fact.stage, machine=_machine(fact)),
            actor_name=page.words.person(fact.account),
            actor_post=page.words.post(fact.role, fact.unit),
            machine=_machine(fact),
            rule=fact.rule,
            note=fact.note,
            reason=page.words.reason(fact.reason, page.rulebook) if fact.reason else None,
            intent=Intent(fact.intent) if fact.intent else None,
            evidence=tuple(shown.get(fact.fact_id, ())),
            recall_until=_recall_until(fact, page),
            cases=others_in(whole),
        )
        for fact, whole in zip(page.facts, page.history, strict=False)  # read after, so it may be longer
    )


def _machine(fact: FactRow) -> bool:
    return fact.account is None and fact.role is None


def _recall_until(fact: FactRow, page: _Page) -> datetime | None:
    """Only the machine's last act can be taken back, for as long as the rulebook says."""
    undo = page.case.undo
    if undo is None or (fact.rule, fact.at) != (undo.rule, undo.at):
        return None
    until = undo.at + timedelta(seconds=page.rulebook.settings.recall_s)
    return until if until > page.now else None
