"""What an endpoint would be sent, for whoever sets up the receiving side."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from schemas.api.pushes import PreviewOut, shown
from services.chassis.asgi import not_found
from services.escalation.api.desk import DeskOf, LogReader
from services.escalation.store import endpoints
from services.escalation.usecases.preview import preview


def preview_router() -> APIRouter:
    """/api/v1/webhooks/{endpoint_id}/preview"""
    router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])

    @router.get("/{endpoint_id}/preview", summary="What a message of a kind looks like", response_model=PreviewOut)
    async def look(
        endpoint_id: UUID, desk: DeskOf, _: LogReader, kind: Annotated[str, Query(alias="type", max_length=64)]
    ) -> PreviewOut:
        async with desk.db.reading() as tx:
            endpoint = await endpoints.read(tx, endpoint_id)
            found = None if endpoint is None else await preview(tx, endpoint, kind)
        if endpoint is None or found is None:
            raise not_found()
        body = found.body.decode("utf-8", "replace")
        return PreviewOut(url=endpoint.url, headers=shown(found.headers), body=body, type=kind, of=found.of)

    return router
