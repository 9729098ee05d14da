"""GET /api/v1/audit: who did what, for the auditor."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from schemas.api.audit import AuditPageOut
from schemas.labels import Labels
from services.chassis.asgi import FieldProblem, Page, Problem, encode_cursor, page
from services.chassis.audit.reading import Place, Recorded, Wanted, recorded
from services.chassis.auth import Person, Right, require_right
from services.dispatch.api.wiring import Parts
from services.dispatch.usecases.audited import row_out
from services.dispatch.usecases.words import Words

router = APIRouter(prefix="/api/v1", tags=["audit"])
Auditor = Annotated[Person, Depends(require_right(Right.AUDIT))]
# what an id or a code may look like; nothing else can stand in a column
Id = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00-\x1f]+$")]
Kind = Annotated[str | None, Query(max_length=64, pattern=r"^[a-z_.]+$", description="a kind, or its first part")]


@router.get("/audit", summary="Who did what, newest first")
async def read_audit(
    person: Auditor,
    parts: Parts,
    asked: Annotated[Page, Depends(page)],
    account: Id = None,
    action: Kind = None,
    subject: Id = None,
    outcome: Annotated[Literal["done", "refused"] | None, Query()] = None,
    since: Annotated[AwareDatetime | None, Query()] = None,
    until: Annotated[AwareDatetime | None, Query()] = None,
) -> AuditPageOut:
    """Signing in and out, accounts, directory, webhooks, events put back, exports, acts on cases, refusals."""
    wanted = Wanted(account, action, subject, outcome, since, until)
    async with parts.db.reading() as tx:
        rows = await recorded(tx, wanted, _after(asked), asked.limit + 1)
    shown = rows[: asked.limit]
    words = Words(Labels(person.lang), parts.directory.current())
    return AuditPageOut(
        items=tuple(row_out(row, words) for row in shown),
        next=_cursor(shown[-1]) if len(rows) > asked.limit else None,
    )


def _cursor(row: Recorded) -> str:
    return encode_cursor(row.at.isoformat(), row.shard, row.n)


def _after(asked: Page) -> Place | None:
    if asked.after is None:
        return None
    try:
        at, shard, n = asked.after
        return datetime.fromisoformat(at), int(shard), int(n)
    except (ValueError, TypeError) as error:
        wrong = FieldProblem(field="after", code="cursor")
        raise Problem(422, "invalid_input", errors=[wrong]) from error
