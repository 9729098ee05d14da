"""What the comparisons of the timers with the clocks of the cases have found; for the auditor, who may ask for one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from schemas.api.overdue import AskedCheckOut, TimerCheckOut, TimerChecksOut, TimerRepairOut
from services.chassis.asgi import Answer, answer_once
from services.chassis.auth import Person, RequestKeyOf, Right, require_right
from services.escalation.api.desk import DeskOf
from services.escalation.store import checks
from services.escalation.store.checks import Check, Difference

Auditor = Annotated[Person, Depends(require_right(Right.AUDIT))]


def checks_router() -> APIRouter:
    """/api/v1/timers"""
    router = APIRouter(prefix="/api/v1/timers", tags=["timers"])

    @router.get("/checks", summary="Comparisons of the timers with the cases' clocks", response_model=TimerChecksOut)
    async def newest(desk: DeskOf, _: Auditor, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> TimerChecksOut:
        async with desk.db.reading() as tx:
            found = await checks.newest(tx, limit)
            mended = await checks.repairs_of(tx, [one.id for one in found])
        return TimerChecksOut(items=tuple(_out(one, mended.get(one.id, [])) for one in found))

    @router.post("/checks", summary="Compare now", response_model=AskedCheckOut, status_code=202)
    async def ask(desk: DeskOf, person: Auditor, key: RequestKeyOf) -> Response:
        async with desk.db.transaction() as tx:

            async def work() -> Answer:
                return Answer.of(AskedCheckOut(id=await checks.ask(tx, person.account_id)), 202)

            answer = await answer_once(tx, desk.keys, key, work)
        return answer.response()

    return router


def _out(check: Check, mended: list[Difference]) -> TimerCheckOut:
    return TimerCheckOut(
        id=check.id,
        asked_at=check.asked_at,
        asked_by=check.asked_by,
        started_at=check.started_at,
        ended_at=check.ended_at,
        **asdict(check.found),
        repairs=tuple(
            TimerRepairOut(
                what=one.what,
                case_id=one.case_id,
                clock_id=one.point[0],
                rev=one.point[1],
                rung=one.point[2],
                due_at=one.due_at,
            )
            for one in mended
        ),
    )
