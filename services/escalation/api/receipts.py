"""Call-backs that the machine could not act on: the list, its count, and what a person does with each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from schemas.api.receipts import ReceiptAsideIn, ReceiptCountOut, ReceiptMapIn, ReceiptOut, ReceiptPageOut
from services.chassis.asgi import Answer, FieldProblem, Page, Problem, answer_once, encode_cursor, not_found, page
from services.chassis.audit import Audited, Entry, record
from services.chassis.auth import RequestKeyOf
from services.chassis.db import Tx
from services.chassis.telemetry import redact
from services.escalation.api.desk import Administrator, Desk, DeskOf, LogReader
from services.escalation.store import platform
from services.escalation.store.platform import Receipt
from services.escalation.usecases.settle import SettledError, Taken, set_aside, take_for

Which = Annotated[str, Query(alias="state", pattern="^(open|all)$")]


def receipts_router(name_of: Callable[[str], str]) -> APIRouter:
    """/api/v1/receipts. `name_of`: a person's name by account."""
    router = APIRouter(prefix="/api/v1/receipts", tags=["receipts"])

    @router.get("", summary="Call-backs, newest first; by default those that wait for a person")
    async def newest(
        desk: DeskOf, _: LogReader, at: Annotated[Page, Depends(page)], which: Which = "open"
    ) -> ReceiptPageOut:
        async with desk.db.reading() as tx:
            rows = await platform.page(tx, at.limit + 1, only_open=which == "open", before=_before(at))
        shown = rows[: at.limit]
        cursor = encode_cursor(shown[-1].at.isoformat(), str(shown[-1].id)) if len(rows) > at.limit else None
        return ReceiptPageOut(items=tuple(_out(one, name_of) for one in shown), next=cursor)

    @router.get("/count", summary="How much waits for a person")
    async def count(desk: DeskOf, _: LogReader) -> ReceiptCountOut:
        async with desk.db.reading() as tx:
            receipts, letters, oldest = await platform.count_open(tx)
        return ReceiptCountOut(receipts=receipts, dead_letters=letters, oldest_at=oldest)

    @router.post("/{receipt_id}/map", summary="Take a call-back for something, once", response_model=ReceiptOut)
    async def take(
        receipt_id: UUID, body: ReceiptMapIn, desk: DeskOf, person: Administrator, key: RequestKeyOf
    ) -> Response:
        async def work(tx: Tx) -> Receipt | None:
            taken = Taken(body.outcome, body.case_no, body.note, body.unit, body.eta)
            told = {"outcome": body.outcome, "case_no": body.case_no}
            done = await take_for(tx, desk.outbox, desk.ids, receipt_id, taken, person.account_id)
            await record(tx, Entry(Audited.RECEIPT_MAPPED, person.account_id, str(receipt_id), details=told))
            return done

        return await _once(desk, key, work, name_of)

    @router.post("/{receipt_id}/set-aside", summary="Nothing follows from a call-back", response_model=ReceiptOut)
    async def aside(
        receipt_id: UUID, body: ReceiptAsideIn, desk: DeskOf, person: Administrator, key: RequestKeyOf
    ) -> Response:
        async def work(tx: Tx) -> Receipt | None:
            done = await set_aside(tx, receipt_id, body.reason, person.account_id)
            told = {"reason": redact(body.reason)}
            await record(tx, Entry(Audited.RECEIPT_SET_ASIDE, person.account_id, str(receipt_id), details=told))
            return done

        return await _once(desk, key, work, name_of)

    return router


async def _once(
    desk: Desk, key: RequestKeyOf, work: Callable[[Tx], Awaitable[Receipt | None]], name_of: Callable[[str], str]
) -> Response:
    try:
        async with desk.db.transaction() as tx:

            async def answer() -> Answer:
                settled = await work(tx)
                if settled is None:
                    raise not_found()
                return Answer.of(_out(settled, name_of))

            return (await answer_once(tx, desk.keys, key, answer)).response()
    except SettledError as error:
        raise Problem(409, "receipt_settled") from error


def _before(at: Page) -> tuple[datetime, UUID] | None:
    if at.after is None:
        return None
    try:
        moment, receipt_id = at.after
        return datetime.fromisoformat(moment), UUID(receipt_id)
    except (ValueError, TypeError, AttributeError) as error:
        wrong = FieldProblem(field="after", code="cursor", message="not a cursor of this list")
        raise Problem(422, "invalid_input", errors=[wrong]) from error


def _out(one: Receipt, name_of: Callable[[str], str]) -> ReceiptOut:
    return ReceiptOut(
        id=str(one.id),
        at=one.at,
        word=one.word,
        said={name: redact(said) if isinstance(said, str) else said for name, said in _said(one).items()},
        state=one.state,
        open=one.open,
        endpoint=one.endpoint_name,
        case_no=one.case_no,
        answer=one.answer,
        code=one.code,
        mapped_as=one.mapped_as,
        mapped_by=one.mapped_by and name_of(one.mapped_by),
        mapped_at=one.mapped_at,
        aside_by=one.aside_by and name_of(one.aside_by),
        aside_at=one.aside_at,
        aside_reason=one.aside_reason,
    )


def _said(one: Receipt) -> dict[str, object]:
    """The fields beside the word, one level deep."""
    inside = one.body.get("data")
    fields = {**one.body, **inside} if isinstance(inside, dict) else dict(one.body)
    return {name: value for name, value in fields.items() if name not in ("data", "type") and value not in (None, "")}
