"""The case page and the actions on it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Response

from schemas.api.dispatch import ActionIn, CaseOut, ConflictOut, NearbyPageOut
from schemas.labels import Labels
from services.chassis.asgi import Answer, FieldProblem, Problem, answer_once, etag, if_match, language, not_found
from services.chassis.auth import CurrentPerson, Person, RequestKeyOf
from services.chassis.telemetry import bind_case
from services.dispatch.api.wiring import Parts, Wiring
from services.dispatch.store import Tx
from services.dispatch.store.audience import scope_of
from services.dispatch.store.detail import find_case
from services.dispatch.tables import idempotency
from services.dispatch.usecases.act import EvidenceUnknown, UnknownCase, VersionConflict, Wish, act
from services.dispatch.usecases.limits import OutOfBounds
from services.dispatch.usecases.nearby import nearby_of
from services.dispatch.usecases.show import show
from services.dispatch.usecases.words import Words
from services.governance.case import Sight
from services.governance.cycle import Action
from services.governance.errors import GovernanceError, IllegalTransition

router = APIRouter(prefix="/api/v1/cases", tags=["cases"])
CaseNo = Annotated[str, Path(max_length=64, pattern=r"^[^\x00-\x1f]+$")]
_ACTIONS = frozenset(action.value for action in Action)
ActionId = Annotated[str, Path(max_length=64, json_schema_extra={"enum": sorted(_ACTIONS)})]


@router.get("/{case_no}", summary="A case as the caller may see it")
async def read_case(case_no: CaseNo, person: CurrentPerson, parts: Parts, response: Response) -> CaseOut:
    """404 for a case of somebody else, just as for one that does not exist."""
    async with parts.db.reading() as tx:
        shown = await _page(tx, case_no, person, parts)
    response.headers["etag"] = etag(shown.version)
    return shown


@router.get("/{case_no}/nearby", summary="What else stands close by")
async def read_nearby(case_no: CaseNo, person: CurrentPerson, parts: Parts) -> NearbyPageOut:
    """Open cases around it that the caller may read, and those of the same class closed lately; the nearest first."""
    scope = scope_of(person.actor)
    async with parts.db.reading() as tx:
        found = await find_case(tx, case_no, scope)
        if found is None or found.sight is not Sight.FULL:
            raise not_found()
        book = await parts.directory.rulebook(found.case.rulebook)
        words = Words(Labels(person.lang), parts.directory.current())
        return await nearby_of(tx, found.case, scope, book, words)


@router.post("/{case_no}/actions/{action}", response_model=CaseOut, summary="Act on a case")
async def act_on_case(
    case_no: CaseNo,
    action: ActionId,
    body: ActionIn,
    person: CurrentPerson,
    parts: Parts,
    version: Annotated[int, Depends(if_match)],
    key: RequestKeyOf,
    accept_language: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """The case after the action. Which actions there are, and what each needs, stands in the case itself."""
    bind_case(case_no)
    language_of = language(accept_language or person.lang)
    if action not in _ACTIONS:
        raise await _unknown_action(case_no, person, parts, language_of)
    op_id = f"{person.account_id}:{key.key}" if key is not None else str(parts.ids.uuid7())
    wish = Wish(case_no, Action(action), body.to_inputs(), version, op_id)
    async with parts.db.transaction() as tx:

        async def work() -> Answer:
            case = await act_or_refuse(tx, wish, person, parts, language_of)
            shown = await _page(tx, case_no, person, parts, gone_ok=True)
            return Answer.of(shown, headers={"etag": etag(case)})

        answer = await answer_once(tx, idempotency, key, work)
    return answer.response()


async def act_or_refuse(tx: Tx, wish: Wish, person: Person, parts: Wiring, lang: str) -> int:
    """The case's version afterwards; refusals as problems, worded in `lang` throughout."""
    try:
        case = await act(tx, wish, person.actor, parts.directory, parts.ids)
    except UnknownCase:
        raise not_found() from None
    except EvidenceUnknown as error:
        raise Problem(422, "evidence_unknown", extra={"missing": error.ids}) from error
    except VersionConflict as conflict:
        raise _conflict(conflict, lang, parts) from conflict
    except OutOfBounds as bounds:
        raise _not_then(bounds, lang, parts) from bounds
    except GovernanceError as error:
        worded = _illegal(error, lang, parts) if isinstance(error, IllegalTransition) else None
        raise worded or error from error
    return case.version


async def _page(tx: Tx, case_no: str, person: Person, parts: Wiring, *, gone_ok: bool = False) -> CaseOut:
    """`gone_ok`: an act may take the case out of its actor's own sight; its answer still shows what became of it."""
    found = await find_case(tx, case_no, scope_of(person.actor), unseen=gone_ok)
    if found is None:
        raise not_found()
    return await show(tx, found, person.actor, parts.directory, person.lang)


async def _unknown_action(case_no: str, person: Person, parts: Wiring, lang: str) -> Problem:
    """What this person could do with this case instead; nothing of a case that he may not see."""
    async with parts.db.reading() as tx:
        shown = await _page(tx, case_no, person, parts)
    words = Words(Labels(lang), parts.directory.current())
    labels = [words.action(offer.action, shown.state) for offer in shown.actions if shown.state is not None]
    told = words.labels.text("act.unknown", actions=_listed(labels, lang)) if labels else words.labels.text("act.none")
    wrong = FieldProblem(field="action", code="unknown_action", message=told)
    allowed = [offer.action for offer in shown.actions]
    return Problem(422, "invalid_input", detail=told, errors=[wrong], extra={"allowed": allowed})


def _listed(labels: list[str], lang: str) -> str:
    return ("、" if lang == "zh-CN" else ", ").join(labels)


def _conflict(conflict: VersionConflict, lang: str, parts: Wiring) -> Problem:
    """Who changed what and when; the caller's form stays with the caller."""
    words = Words(Labels(lang), parts.directory.current())
    last = conflict.facts[-1] if conflict.facts else None
    told = ConflictOut(
        version=conflict.case.version,
        by_name=words.person(last.account) if last else None,
        by_post=words.post(last.role, last.unit) if last else None,
        at=last.at if last else conflict.case.last_at,
        action=words.fact(last.kind, last.intent, last.stage) if last else "",
    )
    return Problem(409, "version_conflict", extra=told.model_dump(mode="json"))


def _not_then(bounds: OutOfBounds, lang: str, parts: Wiring) -> Problem:
    """What the moment has to be instead, in words."""
    words = Words(Labels(lang), parts.directory.current())
    code, moment = ("until_late", bounds.latest) if bounds.latest else ("until_early", bounds.earliest)
    told = words.labels.text(f"problem.field.{code}", time=words.moment(moment) if moment else "")
    remedy = words.labels.text(f"problem.field.{code}.remedy")
    wrong = FieldProblem(field="until", code=code, message=told, remedy=remedy)
    return Problem(422, "invalid_input", detail=told, errors=[wrong])


def _illegal(error: IllegalTransition, lang: str, parts: Wiring) -> Problem:
    """The refusal in words: what the state is, what was asked, what would be possible."""
    words = Words(Labels(lang), parts.directory.current())
    allowed = [words.action(action, error.state) for action in error.allowed]
    detail = words.labels.text(
        "illegal",
        state=words.state(error.state, None),
        action=words.action(error.action, error.state),
        actions=_listed(allowed, lang) if allowed else words.labels.text("act.nothing"),
    )
    extra = {"state": error.state, "action": error.action, "allowed": list(error.allowed)}
    return Problem(409, error.code, detail=detail, extra=extra)
