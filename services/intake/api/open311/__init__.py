"""The routes of Open311 GeoReport v2, and its way to say what is wrong."""

from __future__ import annotations

from fastapi import FastAPI

from services.intake.api.open311.errors import Open311Errors
from services.intake.api.open311.routes import open311_router
from services.intake.api.room import Room


def add_open311(app: FastAPI, room: Room, *, reading_needs_key: bool) -> None:
    """Give an application this door, before its first request."""
    app.include_router(open311_router(room, reading_needs_key=reading_needs_key))
    app.add_middleware(Open311Errors)


__all__ = ["add_open311"]
