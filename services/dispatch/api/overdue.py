"""GET /api/v1/overdue: what becomes of overdue cases by itself, for the auditor."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from schemas.api.overdue import OverdueCasesOut, TimerChecksOut
from schemas.labels import Labels
from services.chassis.asgi import FieldProblem, Page, Problem, encode_cursor, page
from services.chassis.auth import Person, Right, require_right
from services.chassis.db import grid_now
from services.dispatch.api.wiring import Parts
from services.dispatch.store import overdue as stored
from services.dispatch.usecases.overdue import tell
from services.dispatch.usecases.words import Words

router = APIRouter(prefix="/api/v1", tags=["audit"])
Auditor = Annotated[Person, Depends(require_right(Right.AUDIT))]


@router.get("/overdue", summary="Overdue cases with every step of their ladders")
async def read_overdue(
    person: Auditor,
    parts: Parts,
    asked: Annotated[Page, Depends(page)],
    stepless: Annotated[bool, Query(description="only those for which nothing will happen by itself")] = False,
) -> OverdueCasesOut:
    """Which steps were taken, which come, which were skipped and why. Cases without a step that comes are those that
    the last comparison of the timers has found."""
    words = Words(Labels(person.lang), parts.directory.current())
    numbers = await _stepless(person, parts) if stepless else ()
    async with parts.db.reading() as tx:
        now = await grid_now(tx)
        if stepless:
            cases = await stored.of_numbers(tx, numbers[: asked.limit]) if numbers else []
            return OverdueCasesOut(items=await tell(tx, cases, now, parts.directory, words))
        found = await stored.longest_overdue(tx, _after(asked), asked.limit + 1)
        shown = found[: asked.limit]
        items = await tell(tx, [case for case, _ in shown], now, parts.directory, words)
    last = shown[-1] if len(found) > asked.limit else None
    return OverdueCasesOut(items=items, next=encode_cursor(last[1].isoformat(), last[0].case_id) if last else None)


async def _stepless(person: Person, parts: Parts) -> tuple[str, ...]:
    """As the last whole comparison has found them. Raises Problem 503 when escalation does not answer."""
    checks = TimerChecksOut.model_validate(await parts.forwarder.timer_checks(person))
    last = next((check for check in checks.items if check.ended_at is not None), None)
    return last.stepless_cases if last is not None else ()


def _after(asked: Page) -> tuple[datetime, UUID] | None:
    if asked.after is None:
        return None
    try:
        key, case_id = asked.after
        return datetime.fromisoformat(key), UUID(case_id)
    except (ValueError, TypeError, AttributeError) as error:
        wrong = FieldProblem(field="after", code="cursor")
        raise Problem(422, "invalid_input", errors=[wrong]) from error
