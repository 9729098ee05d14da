"""What the routes work with; the composition root puts one on `app.state.desk`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.chassis.asgi.idempotency import KeyTable
from services.chassis.auth import Person, Right, require_right
from services.chassis.db import Database
from services.chassis.ids import IdSource
from services.chassis.outbox import OutboxTables
from services.escalation.usecases.manage import EndpointDesk
from services.escalation.usecases.robots import RobotDesk


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
