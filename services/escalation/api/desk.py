"""What the routes work with; the composition root puts one on `app.state.desk`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Request, Response

from services.chassis.asgi import Answer, FieldProblem, Problem, answer_once, not_found
from services.chassis.asgi.idempotency import KeyTable
from services.chassis.auth import Person, RequestKeyOf, Right, require_right
from services.chassis.db import Database, Tx
from services.chassis.ids import IdSource
from services.chassis.outbox import OutboxTables
from services.escalation.usecases.manage import EndpointDesk
from services.escalation.usecases.manner import WrongMannerError
from services.escalation.usecases.robots import RobotDesk
from services.escalation.webhooks.addresses import RefusedAddressError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """Escalation's own parts as its routes need them. `platform_secret` None: call-backs are refused."""

    db: Database
    ids: IdSource
    outbox: OutboxTables
    keys: KeyTable
    endpoints: EndpointDesk
    robots: RobotDesk
    platform_secret: bytes | None


async def desk_of(request: Request) -> Desk:
    """The desk of this application."""
    found = request.app.state.desk
    assert isinstance(found, Desk), "app.state.desk must be set by the composition root"
    return found


DeskOf = Annotated[Desk, Depends(desk_of)]
Administrator = Annotated[Person, Depends(require_right(Right.MANAGE_PUSHES))]
LogReader = Annotated[Person, Depends(require_right(Right.READ_PUSHES))]


def found(value: T | None) -> T:
    """What there is. Raises Problem 404."""
    if value is None:
        raise not_found()
    return value


async def once(desk: Desk, key: RequestKeyOf, work: Callable[[Tx], Awaitable[Answer]]) -> Response:
    """Do it in one transaction, once per key."""
    return (await answered(desk, key, work)).response()


async def answered(desk: Desk, key: RequestKeyOf, work: Callable[[Tx], Awaitable[Answer]]) -> Answer:
    """The answer as it is kept. What cannot be spoken or called is a Problem 422 that names the field."""
    try:
        async with desk.db.transaction() as tx:
            return await answer_once(tx, desk.keys, key, lambda: work(tx))
    except WrongMannerError as error:
        raise Problem(422, "invalid_input", errors=[FieldProblem(field=error.field, code=error.code)]) from error
    except RefusedAddressError as error:
        wrong = FieldProblem(field="url", code="refused_address")
        raise Problem(422, "invalid_input", errors=[wrong], extra={"reason": str(error)}) from error
