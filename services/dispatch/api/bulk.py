"""One act on several cases: each is judged for itself, and each has its own answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Response

from schemas.api.dispatch import BulkIn, BulkOut, BulkResultOut, ConflictOut
from schemas.labels import Labels
from services.chassis.asgi import Answer, FieldProblem, Problem, answer_once, language
from services.chassis.asgi.errors import governance_problem
from services.chassis.asgi.wording import LANGUAGES, Wording
from services.chassis.auth import CurrentPerson, Person, RequestKeyOf
from services.chassis.clock import LOCAL
from services.dispatch.api.cases import act_or_refuse
from services.dispatch.api.wiring import Parts, Wiring
from services.dispatch.store import Tx
from services.dispatch.store.audience import scope_of
from services.dispatch.tables import idempotency
from services.dispatch.usecases.act import Wish, hold_seen
from services.governance.cycle import Action
from services.governance.errors import GovernanceError

router = APIRouter(prefix="/api/v1/bulk", tags=["cases"])

IN_BULK: Final = (
    *(Action.ANSWER, Action.ACCEPT, Action.CALL_UP, Action.SEND_DOWN, Action.DISPATCH, Action.REDISPATCH),
    *(Action.SIGN, Action.RESPOND, Action.CLOSE, Action.URGE, Action.SUPERVISE, Action.NOTE),
)
"""What is said of several cases with the same words. What needs a look at each (a class, a check) is not among it."""
_IDS: Final = frozenset(action.value for action in IN_BULK)
BulkAction = Annotated[str, Path(max_length=64, json_schema_extra={"enum": sorted(_IDS)})]


@router.post("/{action}", response_model=BulkOut, summary="Act on several cases")
async def act_on_cases(
    action: BulkAction,
    body: BulkIn,
    person: CurrentPerson,
    parts: Parts,
    key: RequestKeyOf,
    accept_language: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """A result for each case. What one refuses keeps none of the others from being done."""
    lang = language(accept_language or person.lang)
    if action not in _IDS:
        told = Labels(lang).text("bulk.not_this")
        wrong = FieldProblem(field="action", code="not_in_bulk", message=told)
        raise Problem(422, "invalid_input", detail=told, errors=[wrong], extra={"allowed": sorted(_IDS)})
    numbers = [each.case_no for each in body.cases]
    if len(set(numbers)) < len(numbers):
        wrong = FieldProblem(field="cases", code="twice", message=Labels(lang).text("bulk.twice"))
        raise Problem(422, "invalid_input", errors=[wrong])
    base = f"{person.account_id}:{key.key}" if key is not None else str(parts.ids.uuid7())
    wishes = [
        Wish(one.case_no, Action(action), body.inputs.to_inputs(), one.version, f"{base}:{one.case_no}")
        for one in body.cases
    ]
    async with parts.db.transaction() as tx:

        async def work() -> Answer:
            await hold_seen(tx, numbers, scope_of(person.actor))
            results = [await _one(tx, wish, person, parts, lang) for wish in wishes]
            return Answer.of(BulkOut(results=tuple(results), done=sum(each.done for each in results)))

        answer = await answer_once(tx, idempotency, key, work)
    return answer.response()


async def _one(tx: Tx, wish: Wish, person: Person, parts: Wiring, lang: str) -> BulkResultOut:
    """Within a savepoint: what is refused leaves nothing behind."""
    try:
        async with tx.begin_nested():
            version = await act_or_refuse(tx, wish, person, parts, lang)
    except GovernanceError as error:
        return _refused(wish, governance_problem(error), lang)
    except Problem as problem:
        return _refused(wish, problem, lang)
    return BulkResultOut(case_no=wish.case_no, done=True, version=version)


def _refused(wish: Wish, problem: Problem, lang: str) -> BulkResultOut:
    worded = Wording(_word_lists()).worded(problem, lang)
    field = next((each.message for each in worded.errors if each.message), None)
    detail = _quicker(problem, lang) or worded.detail or field or worded.title
    return BulkResultOut(case_no=wish.case_no, done=False, code=worded.code, detail=detail)


def _quicker(problem: Problem, lang: str) -> str | None:
    """Who changed the case meanwhile, and how: in a list of results each row says it by itself."""
    told = ConflictOut.model_validate(problem.extra) if problem.code == "version_conflict" else None
    if told is None or not told.action:
        return None
    labels = Labels(lang)
    who = " · ".join(filter(None, (told.by_name, told.by_post))) or labels.text("case.machine")
    return labels.text("conflict.told", who=who, time=f"{told.at.astimezone(LOCAL):%m-%d %H:%M}", action=told.action)


def _word_lists() -> Mapping[str, Labels]:
    return {lang: Labels(lang) for lang in LANGUAGES}
