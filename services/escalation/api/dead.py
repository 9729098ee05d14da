"""Dead letters, sending a choice of deliveries again, and what a message looks like."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Response

from schemas.api.escalation import ReplayOut
from schemas.api.pushes import Choice, DeadOut, DeadPageOut, MessageOut, ReplayIn, SetAsideIn, SetAsideOut, shown
from services.chassis.asgi import Answer, not_found
from services.chassis.audit import Audited, Entry, record
from services.chassis.auth import RequestKeyOf
from services.chassis.db import Tx
from services.escalation.api.desk import Administrator, DeskOf, LogReader, once
from services.escalation.store import dead, deliveries
from services.escalation.store.dead import Chosen, Dead

ANY: Final = "any"


def dead_router() -> APIRouter:
    """/api/v1/deliveries/dead, …/replay, …/set-aside, …/{id}/message"""
    router = APIRouter(prefix="/api/v1/deliveries", tags=["deliveries"])

    @router.get("/dead", summary="Dead letters by endpoint and kind of failure", response_model=DeadPageOut)
    async def summary(desk: DeskOf, _: LogReader) -> DeadPageOut:
        async with desk.db.reading() as tx:
            found = await dead.summary(tx)
        return DeadPageOut(items=tuple(_out(one) for one in found), total=sum(one.count for one in found))

    @router.post("/replay", summary="Send a choice of deliveries again", response_model=ReplayOut)
    async def replay(body: ReplayIn, desk: DeskOf, person: Administrator, key: RequestKeyOf) -> Response:
        async def work(tx: Tx) -> Answer:
            sent = await dead.send_again(tx, _chosen(body, None if body.state == ANY else body.state))
            told = {**_told(body), "state": body.state, "replayed": sent}
            await record(tx, Entry(Audited.WEBHOOK_REPLAYED, person.account_id, _subject(body), details=told))
            return Answer.of(ReplayOut(replayed=sent))

        return await once(desk, key, work)

    @router.post("/set-aside", summary="Dead letters that nobody needs any more", response_model=SetAsideOut)
    async def set_aside(body: SetAsideIn, desk: DeskOf, person: Administrator, key: RequestKeyOf) -> Response:
        async def work(tx: Tx) -> Answer:
            count = await dead.set_aside(tx, _chosen(body, "dead"), body.reason)
            told = {**_told(body), "set_aside": count}
            await record(tx, Entry(Audited.DELIVERY_SET_ASIDE, person.account_id, _subject(body), details=told))
            return Answer.of(SetAsideOut(set_aside=count))

        return await once(desk, key, work)

    @router.get("/{delivery_id}/message", summary="What is posted, without its signature", response_model=MessageOut)
    async def message(delivery_id: str, desk: DeskOf, _: LogReader) -> MessageOut:
        async with desk.db.reading() as tx:
            found = await deliveries.message_of(tx, delivery_id)
        if found is None:
            raise not_found()
        url, headers, body = found
        return MessageOut(url=url, headers=shown(headers), body=body.decode("utf-8", "replace"))

    return router


def _chosen(body: Choice, state: str | None) -> Chosen:
    return Chosen(None, body.webhook_id, body.event_id, body.since, body.until, body.failure, state)


def _subject(body: Choice) -> str:
    return str(body.webhook_id or body.event_id)


def _told(body: Choice) -> dict[str, Any]:
    """Ids, moments and codes for the record."""
    told = {
        "event": str(body.event_id) if body.event_id else None,
        "since": body.since.isoformat() if body.since else None,
        "until": body.until.isoformat() if body.until else None,
        "failure": body.failure,
    }
    return {name: value for name, value in told.items() if value is not None}


def _out(one: Dead) -> DeadOut:
    return DeadOut(
        webhook_id=str(one.endpoint_id),
        webhook_name=one.endpoint_name,
        failure=one.failure,
        count=one.count,
        oldest_at=one.oldest_at,
        newest_at=one.newest_at,
    )
