"""Pictures for whoever was sent a link to them. No sign-in: the link itself is the permission, for a short while."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from services.chassis.asgi import not_found
from services.chassis.db import grid_now
from services.chassis.pictures.store import PictureMissing, PictureStore
from services.escalation.api.desk import DeskOf
from services.escalation.usecases.links import Links


def attachments_router(links: Links, pictures: PictureStore) -> APIRouter:
    """/api/v1/attachments/{token}"""
    router = APIRouter(prefix="/api/v1/attachments", tags=["platform"])

    @router.get("/{token}", summary="A picture behind a link of a message", response_class=Response)
    async def picture(
        token: Annotated[str, Path(max_length=1000, pattern=r"^[A-Za-z0-9_-]+$")], desk: DeskOf
    ) -> Response:
        async with desk.db.reading() as tx:
            path = links.opened(token, await grid_now(tx))
        if path is None:
            raise not_found()
        try:
            content = await pictures.get(path)
        except PictureMissing:
            raise not_found() from None
        headers = {"cache-control": "private, no-store", "content-disposition": "inline"}
        return Response(content, headers=headers, media_type="image/jpeg")

    return router
