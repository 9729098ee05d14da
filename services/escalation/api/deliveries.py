"""The delivery log and its replay."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from schemas.api.escalation import AttemptOut, DeliveryOut, DeliveryPageOut, ReplayOut
from schemas.api.pushes import Failure
from services.chassis.asgi import Answer, FieldProblem, Page, Problem, answer_once, encode_cursor, not_found, page
from services.chassis.audit import Audited, Entry, record
from services.chassis.auth import RequestKeyOf
from services.escalation.api.desk import Administrator, DeskOf, LogReader
from services.escalation.store import dead, deliveries
from services.escalation.store.dead import Chosen
from services.escalation.store.deliveries import Attempt

States = Annotated[str | None, Query(pattern="^(waiting|sending|delivered|dead|skipped)$")]


def deliveries_router() -> APIRouter:
    """/api/v1/deliveries"""
    router = APIRouter(prefix="/api/v1/deliveries", tags=["deliveries"])

    @router.get("", summary="Deliveries, newest first", response_model=DeliveryPageOut)
    async def newest(
        desk: DeskOf,
        _: LogReader,
        at: Annotated[Page, Depends(page)],
        webhook_id: UUID | None = None,
        state: States = None,
        case_no: Annotated[str | None, Query(max_length=40)] = None,
        failure: Failure | None = None,
    ) -> DeliveryPageOut:
        async with desk.db.reading() as tx:
            rows = await deliveries.newest(
                tx, at.limit + 1, _after(at), endpoint_id=webhook_id, state=state, case_no=case_no, failure=failure
            )
            shown = rows[: at.limit]
            tries = await deliveries.attempts_of(tx, [row["id"] for row in shown])
        more = len(rows) > at.limit
        cursor = encode_cursor(shown[-1]["created_at"].isoformat(), shown[-1]["id"]) if more else None
        return DeliveryPageOut(items=tuple(_out(row, tries.get(row["id"], [])) for row in shown), next=cursor)

    @router.post("/{delivery_id}/replay", summary="Send a delivery again", response_model=ReplayOut)
    async def replay(delivery_id: str, desk: DeskOf, person: Administrator, key: RequestKeyOf) -> Response:
        async with desk.db.transaction() as tx:

            async def work() -> Answer:
                if not await deliveries.exists(tx, delivery_id):
                    raise not_found()
                replayed = await dead.send_again(tx, Chosen(delivery_id=delivery_id))
                await record(tx, Entry(Audited.DELIVERY_REPLAYED, person.account_id, delivery_id))
                return Answer.of(ReplayOut(replayed=replayed))

            answer = await answer_once(tx, desk.keys, key, work)
        return answer.response()

    return router


def _after(at: Page) -> tuple[datetime, str] | None:
    if at.after is None:
        return None
    try:
        moment, delivery_id = at.after
        return datetime.fromisoformat(moment), str(delivery_id)
    except (ValueError, TypeError) as error:
        wrong = FieldProblem(field="after", code="cursor", message="not a cursor of this list")
        raise Problem(422, "invalid_input", errors=[wrong]) from error


def _out(row: dict[str, Any], tries: list[Attempt]) -> DeliveryOut:
    return DeliveryOut(
        id=row["id"],
        webhook_id=str(row["endpoint_id"]),
        webhook_name=row["endpoint_name"],
        type=row["type"],
        case_no=row["case_no"],
        sequence=row["seq"],
        case_sequence=row["case_sequence"],
        intent=row["intent"],
        state=row["state"],
        attempts=row["attempts"],
        next_at=row["next_at"],
        created_at=row["created_at"],
        delivered_at=row["delivered_at"],
        last_status=row["last_status"],
        last_error=row["last_error"],
        failure=row["failure"],
        died_at=row["died_at"],
        note=row["note"],
        event_id=str(row["event_id"]),
        history=tuple(
            AttemptOut(
                n=one.n,
                at=one.at,
                status=one.status,
                latency_ms=one.latency_ms,
                error=one.error,
                reply=one.reply,
                address=one.address,
            )
            for one in tries
        ),
    )
