"""值班: posts lent for a while. What a person may do follows them, on the second they begin and end."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from schemas.api.lending import DelegationIn, DelegationOut, DelegationsOut
from schemas.labels import Labels
from services.chassis.asgi import Answer, FieldProblem, Problem, answer_once, not_found
from services.chassis.audit import Audited, Entry, record
from services.chassis.auth import Person, RequestKeyOf, Right, require_right
from services.chassis.db import grid_now
from services.chassis.directory import Appointment, lending
from services.chassis.directory.write import raise_revision
from services.dispatch.api.wiring import Parts, Wiring
from services.dispatch.store import Tx
from services.dispatch.tables import idempotency
from services.dispatch.usecases.lending import Term, Wish, granted, may_end, sees
from services.dispatch.usecases.lent import Desk
from services.dispatch.usecases.words import Words

router = APIRouter(prefix="/api/v1/delegations", tags=["delegations"])
Lender = Annotated[Person, Depends(require_right(Right.LEND))]
GrantId = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9-]+$")]


@router.get("", summary="Posts that are lent now or will be (值班)")
async def read_delegations(person: Lender, parts: Parts) -> DelegationsOut:
    """Of the reader's own street; with what he may lend, over what, to whom."""
    async with parts.db.reading() as tx:
        desk = await _desk(tx, person, parts)
        lent = await lending.lent_posts_from(tx, desk.now)
        return desk.page(lent, await lending.disabled_accounts(tx))


@router.post("", status_code=201, response_model=DelegationOut, summary="Lend a post for a while")
async def lend(body: DelegationIn, person: Lender, parts: Parts, key: RequestKeyOf) -> Response:
    """At most 31 days. 422 names every field that is wrong, and what to do about it."""
    async with parts.db.transaction() as tx:

        async def work() -> Answer:
            return Answer.of(await _lend(tx, body, person, parts), 201)

        answer = await answer_once(tx, idempotency, key, work)
    await parts.directory.refresh()
    return answer.response()


@router.delete("/{delegation_id}", status_code=204, summary="Take a lent post back now")
async def end(delegation_id: GrantId, person: Lender, parts: Parts) -> None:
    """One that has not begun is forgotten; one that is over stays as it is. 404 for another street's."""
    async with parts.db.transaction() as tx:
        desk = await _desk(tx, person, parts)
        lent = await lending.lent_post(tx, delegation_id)
        if lent is None or not sees(desk.held, lent.post, desk.directory):
            raise not_found()
        if not may_end(desk.held, lent.post, desk.directory):
            raise Problem(403, "not_permitted")
        if await lending.take_back(tx, delegation_id):
            await record(tx, _entry(Audited.POST_TAKEN_BACK, person, lent))
    await parts.directory.refresh()


async def _lend(tx: Tx, body: DelegationIn, person: Person, parts: Wiring) -> DelegationOut:
    """Write it down; two who lend at the same moment do so one after the other."""
    await raise_revision(tx)
    desk = await _desk(tx, person, parts)
    account = await lending.active_account(tx, body.account)
    wish = Wish(account, body.role, body.area, body.unit, body.since, body.until)
    held = await lending.posts_held_from(tx, account, desk.now) if account is not None else ()
    term = granted(wish, person.account_id, desk.held, held, desk.directory, desk.now)
    if not isinstance(term, Term):
        raise Problem(422, "invalid_input", errors=[FieldProblem(field=f.field, code=f.code) for f in term])
    grant_id = str(parts.ids.uuid7())
    lent = Appointment(term.account, term.post, term.since, term.until, None, grant_id, person.account_id)
    await lending.lend_post(tx, lent)
    await record(tx, _entry(Audited.POST_LENT, person, lent))
    return desk.row(lent)


async def _desk(tx: Tx, person: Person, parts: Wiring) -> Desk:
    """What the person holds as the database says, not as it was when he was recognised."""
    now = await grid_now(tx)
    held = await lending.posts_held_from(tx, person.account_id, now)
    words = Words(Labels(person.lang), parts.directory.current())
    return Desk(person.account_id, tuple(own for own in held if own.in_force(now)), words, now)


def _entry(action: Audited, person: Person, lent: Appointment) -> Entry:
    told = {
        "role": lent.post.role.value,
        "area": lent.post.area,
        "unit": lent.post.unit,
        "since": lent.since.isoformat(),
        "until": lent.until and lent.until.isoformat(),
    }
    return Entry(action, person.account_id, lent.account_id, details=told)
