"""Routes for webhook endpoints. Only the administrator and the duty chief."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from schemas.api.escalation import (
    ReplayOut,
    SecretOut,
    StreetOut,
    WebhookChangedOut,
    WebhookCreatedOut,
    WebhookIn,
    WebhookOut,
    WebhookPageOut,
    WebhookPatchIn,
)
from services.chassis.asgi import Answer, FieldProblem, Problem, not_found
from services.chassis.audit import Audited, Entry, record
from services.chassis.auth import RequestKeyOf
from services.chassis.db import Tx, grid_now
from services.escalation.api.desk import Administrator, Desk, DeskOf, LogReader, answered, found, once
from services.escalation.store import dead, endpoints, partners
from services.escalation.store.dead import Chosen
from services.escalation.store.endpoints import Endpoint
from services.governance.cycle import Tier


def webhooks_router(streets: Callable[[], Mapping[str, str]]) -> APIRouter:
    """/api/v1/webhooks. `streets` answers the names of the streets by code."""
    router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])

    @router.get("", summary="Webhook endpoints", response_model=WebhookPageOut)
    async def every(desk: DeskOf, _: LogReader) -> WebhookPageOut:
        async with desk.db.reading() as tx:
            now = await grid_now(tx)
            shown = tuple(_out(one, now) for one in await endpoints.every(tx))
            known = await partners.names(tx)
        choices = tuple(StreetOut(id=code, label=name) for code, name in sorted(streets().items()))
        return WebhookPageOut(items=shown, streets=choices, partners=known)

    _add_keeping(router)
    _add_secrets(router)
    _add_sending(router)
    return router


def _add_keeping(router: APIRouter) -> None:
    @router.post(
        "", summary="Add an endpoint; its secret is shown once", status_code=201, response_model=WebhookCreatedOut
    )
    async def add(body: WebhookIn, desk: DeskOf, person: Administrator, key: RequestKeyOf) -> Response:
        async def work(tx: Tx) -> Answer:
            made = await desk.endpoints.add(tx, body, person.account_id)
            shown = _out(made.endpoint, await grid_now(tx))
            told = {"events": list(made.endpoint.events)}
            await record(tx, Entry(Audited.WEBHOOK_ADDED, person.account_id, shown.id, details=told))
            return Answer.of(WebhookCreatedOut(**shown.model_dump(), secret=made.secret or None), 201)

        return await _once_sealed(desk, key, work)

    @router.patch("/{endpoint_id}", summary="Change an endpoint", response_model=WebhookChangedOut)
    async def change(
        endpoint_id: UUID, body: WebhookPatchIn, desk: DeskOf, person: Administrator, key: RequestKeyOf
    ) -> Response:
        async def work(tx: Tx) -> Answer:
            changed = found(await desk.endpoints.change(tx, endpoint_id, body))
            told = {"fields": sorted(body.model_fields_set)}
            await record(tx, Entry(Audited.WEBHOOK_CHANGED, person.account_id, str(endpoint_id), details=told))
            shown = _out(changed.endpoint, await grid_now(tx))
            return Answer.of(WebhookChangedOut(**shown.model_dump(), secret=changed.secret or None))

        return await _once_sealed(desk, key, work)

    @router.delete("/{endpoint_id}", summary="Remove an endpoint", status_code=204)
    async def remove(endpoint_id: UUID, desk: DeskOf, person: Administrator, key: RequestKeyOf) -> Response:
        async def work(tx: Tx) -> Answer:
            if not await desk.endpoints.remove(tx, endpoint_id):
                raise not_found()
            await record(tx, Entry(Audited.WEBHOOK_REMOVED, person.account_id, str(endpoint_id)))
            return Answer(204)

        return await once(desk, key, work)


def _add_secrets(router: APIRouter) -> None:
    @router.post(
        "/{endpoint_id}/rotate-secret",
        summary="A new secret; the old one signs beside it for a day",
        response_model=SecretOut,
    )
    async def rotate(endpoint_id: UUID, desk: DeskOf, person: Administrator, key: RequestKeyOf) -> Response:
        async def work(tx: Tx) -> Answer:
            made = found(await desk.endpoints.rotate(tx, endpoint_id))
            await record(tx, Entry(Audited.WEBHOOK_SECRET_ROTATED, person.account_id, str(endpoint_id)))
            one = made.endpoint
            return Answer.of(
                SecretOut(secret=made.secret, previous_until=one.previous_until, public_key=one.public_key)
            )

        return await _once_sealed(desk, key, work)


def _add_sending(router: APIRouter) -> None:
    @router.post("/{endpoint_id}/test", summary="Send test.ping", status_code=202)
    async def test(endpoint_id: UUID, desk: DeskOf, person: Administrator, key: RequestKeyOf) -> Response:
        async def work(tx: Tx) -> Answer:
            delivery_id = found(await desk.endpoints.ping(tx, endpoint_id))
            await record(tx, Entry(Audited.WEBHOOK_TESTED, person.account_id, str(endpoint_id)))
            return Answer(202, b'{"delivery_id":"' + delivery_id.encode() + b'"}')

        return await once(desk, key, work)

    @router.post("/{endpoint_id}/replay", summary="Send again what was due since a moment", response_model=ReplayOut)
    async def replay(
        endpoint_id: UUID, since: Annotated[datetime, Query()], desk: DeskOf, person: Administrator, key: RequestKeyOf
    ) -> Response:
        if since.tzinfo is None:
            wrong = FieldProblem(field="since", code="timezone", message="a time needs an offset")
            raise Problem(422, "invalid_input", errors=[wrong])

        async def work(tx: Tx) -> Answer:
            found(await endpoints.by_id(tx, endpoint_id))
            replayed = await dead.send_again(tx, Chosen(endpoint_id=endpoint_id, since=since))
            told = {"since": since.isoformat(), "replayed": replayed}
            await record(tx, Entry(Audited.WEBHOOK_REPLAYED, person.account_id, str(endpoint_id), details=told))
            return Answer.of(ReplayOut(replayed=replayed))

        return await once(desk, key, work)


async def _once_sealed(desk: Desk, key: RequestKeyOf, work: Callable[[Tx], Awaitable[Answer]]) -> Response:
    """Once per key; the answer is kept for a repeat without its secret lying open in the table."""
    box = desk.endpoints.box

    async def sealed(tx: Tx) -> Answer:
        answer = await work(tx)
        return replace(answer, body=box.seal(answer.body))

    answer = await answered(desk, key, sealed)
    return replace(answer, body=box.open(answer.body)).response()


def _out(one: Endpoint, now: datetime) -> WebhookOut:
    return WebhookOut(
        id=str(one.id),
        url=one.url,
        name=one.name,
        events=one.events,
        active=one.active,
        breaker=one.breaker_state(now),
        failures=one.breaker.failures,
        created_at=one.created_at,
        last_success_at=one.last_success_at,
        secret_hint=one.secret_hint,
        previous_until=one.previous_until if one.previous_until is not None and one.previous_until > now else None,
        public_key=one.public_key,
        streets=one.interest.streets,
        tiers=tuple(Tier(tier) for tier in one.interest.tiers),
        off_because=one.off_because,
        dialect=one.manner.dialect,
        auth=one.manner.auth,
        app_key=one.manner.app_key,
        crs=one.manner.crs,
        partner=one.manner.partner,
    )
