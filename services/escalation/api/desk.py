"""What the routes work with; the composition root puts one on `app.state.desk`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.chassis.asgi.idempotency import KeyTable
from services.chassis.auth import Person, require_role
from services.chassis.db import Database
from services.chassis.ids import IdSource
from services.chassis.outbox import OutboxTables
from services.escalation.usecases.manage import EndpointDesk
from services.governance.cycle import Role


@dataclass(frozen=True, slots=True)
class Desk:
    """Escalation's own parts as its routes need them. `platform_secret` None: call-backs are refused."""

    db: Database
    ids: IdSource
    outbox: OutboxTables
    keys: KeyTable
    endpoints: EndpointDesk
    platform_secret: bytes | None


async def desk_of(request: Request) -> Desk:
    """The desk of this application."""
    found = request.app.state.desk
    assert isinstance(found, Desk), "app.state.desk must be set by the composition root"
    return found


DeskOf = Annotated[Desk, Depends(desk_of)]
Administrator = Annotated[Person, Depends(require_role(Role.ADMINISTRATOR, Role.DUTY_CHIEF, everywhere=True))]
LOG_READERS = (
    *(Role.ADMINISTRATOR, Role.DUTY_CHIEF, Role.DISPATCHER),
    *(Role.INTAKE_CLERK, Role.STREET_LEADER, Role.AUDITOR),
)
LogReader = Annotated[Person, Depends(require_role(*LOG_READERS, everywhere=True))]
