"""What happened to a case and what was asked for, as its page tells it."""

from __future__ import annotations

from datetime import datetime, timedelta

from schemas.api.dispatch import AskedForOut, CasePhotoOut, RequestOut, TimelineOut
from services.dispatch.store.detail import FactRow
from services.dispatch.usecases.joined import others_in
from services.dispatch.usecases.page import CasePage, by_machine
from services.governance.acts import Inputs
from services.governance.case import asked_with
from services.governance.cycle import Intent

_JOINT = "、"


def requests_of(page: CasePage) -> tuple[RequestOut, ...]:
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


def _asked(inputs: Inputs, page: CasePage) -> tuple[AskedForOut, ...]:
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


def timeline_of(page: CasePage) -> tuple[TimelineOut, ...]:
    shown: dict[str, list[CasePhotoOut]] = {}
    for piece in page.evidence:
        if piece.fact_id is not None:
            shown.setdefault(piece.fact_id, []).append(CasePhotoOut(id=piece.id, url=page.photo_url(piece.id)))
    return tuple(
        TimelineOut(
            sequence=fact.sequence,
            at=fact.at,
            kind=fact.kind,
            label=page.words.fact(fact.kind, fact.intent, fact.stage, machine=by_machine(fact)),
            actor_name=page.words.person(fact.account),
            actor_post=page.words.post(fact.role, fact.unit),
            machine=by_machine(fact),
            rule=fact.rule,
            note=fact.note,
            reason=page.words.reason(fact.reason, page.rulebook) if fact.reason else None,
            intent=Intent(fact.intent) if fact.intent else None,
            evidence=tuple(shown.get(fact.fact_id, ())),
            recall_until=_recall_until(fact, page),
            cases=others_in(whole),
            instead=tuple(page.words.instead(told.post, told.instead_of) for told in whole.tell if told.instead_of),
        )
        for fact, whole in zip(page.facts, page.history, strict=False)  # read after, so it may be longer
    )


def _recall_until(fact: FactRow, page: CasePage) -> datetime | None:
    """Only the machine's last act can be taken back, for as long as the rulebook says."""
    undo = page.case.undo
    if undo is None or (fact.rule, fact.at) != (undo.rule, undo.at):
        return None
    until = undo.at + timedelta(seconds=page.rulebook.settings.recall_s)
    return until if until > page.now else None
