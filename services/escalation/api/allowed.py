"""Addresses that may be called although they are not public. Only the administrator changes them, always with a
reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from schemas.api.pushes import AllowedIn, AllowedOut, AllowedPageOut
from services.chassis.asgi import Answer, FieldProblem, Problem, answer_once, not_found
from services.chassis.audit import Audited, Entry, record
from services.chassis.auth import Person, RequestKeyOf, Right, require_right
from services.escalation.api.desk import DeskOf, LogReader
from services.escalation.store import allowed
from services.escalation.store.allowed import Allowed, place
from services.escalation.webhooks.addresses import RefusedAddressError, target_of

Voucher = Annotated[Person, Depends(require_right(Right.ALLOW_ADDRESSES))]


def allowed_router(name_of: Callable[[str], str]) -> APIRouter:
    """/api/v1/webhooks/allowed. `name_of` answers the name of an account."""
    router = APIRouter(prefix="/api/v1/webhooks/allowed", tags=["webhooks"])

    @router.get("", summary="Addresses that may be called though they are not public", response_model=AllowedPageOut)
    async def every(desk: DeskOf, _: LogReader) -> AllowedPageOut:
        async with desk.db.reading() as tx:
            kept = await allowed.every(tx)
        fixed = [_fixed(one) for one in sorted(desk.endpoints.fixed)]
        return AllowedPageOut(items=(*fixed, *(_out(one, name_of) for one in kept)))

    @router.post("", summary="Allow an address, with a reason", status_code=201, response_model=AllowedOut)
    async def add(body: AllowedIn, desk: DeskOf, person: Voucher, key: RequestKeyOf) -> Response:
        _callable(body)
        async with desk.db.transaction() as tx:

            async def work() -> Answer:
                target = (body.scheme, body.host, body.port)
                made = await allowed.add(tx, desk.ids.uuid7(), target, body.reason, person.account_id)
                if made is None:
                    wrong = FieldProblem(field="host", code="allowed_already")
                    raise Problem(422, "invalid_input", errors=[wrong])
                told = {"target": place(*target)}
                await record(tx, Entry(Audited.ADDRESS_ALLOWED, person.account_id, str(made.id), details=told))
                return Answer.of(_out(made, name_of), 201)

            answer = await answer_once(tx, desk.keys, key, work)
        return answer.response()

    @router.delete("/{entry_id}", summary="Allow an address no longer", status_code=204)
    async def take_back(entry_id: UUID, desk: DeskOf, person: Voucher, key: RequestKeyOf) -> Response:
        async with desk.db.transaction() as tx:

            async def work() -> Answer:
                target = await allowed.take_back(tx, entry_id, person.account_id)
                if target is None:
                    raise not_found()
                told = {"target": target}
                await record(tx, Entry(Audited.ADDRESS_FORBIDDEN, person.account_id, str(entry_id), details=told))
                return Answer(204)

            answer = await answer_once(tx, desk.keys, key, work)
        return answer.response()

    return router


def _callable(body: AllowedIn) -> None:
    """Refuses a host that could never be called anyway, such as an IP address in disguise."""
    try:
        target_of(place(body.scheme, body.host, body.port))
    except RefusedAddressError as error:
        raise Problem(422, "invalid_input", errors=[FieldProblem(field="host", code="host_format")]) from error


def _out(one: Allowed, name_of: Callable[[str], str]) -> AllowedOut:
    return AllowedOut(
        id=str(one.id),
        scheme=one.scheme,
        host=one.host,
        port=one.port,
        reason=one.reason,
        added_by=name_of(one.added_by),
        added_at=one.added_at,
        removed_by=None if one.removed_by is None else name_of(one.removed_by),
        removed_at=one.removed_at,
    )


def _fixed(target: str) -> AllowedOut:
    """An entry of the settings; it holds for both schemes."""
    host, _, port = target.rpartition(":")
    return AllowedOut(scheme="http", host=host.strip("[]"), port=int(port), reason="GRID_WEBHOOK_ALLOW_HOSTS")
