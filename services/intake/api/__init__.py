"""JSON routes of intake: body → use case → body."""

from services.intake.api.deeds import deed_router
from services.intake.api.errors import install_refusals
from services.intake.api.form import form_router
from services.intake.api.photos import photo_router
from services.intake.api.push import push_router
from services.intake.api.reporter import reporter_router
from services.intake.api.reports import report_router
from services.intake.api.room import Room
from services.intake.api.submitting import open_report_lane

__all__ = [
    "Room",
    "deed_router",
    "form_router",
    "install_refusals",
    "open_report_lane",
    "photo_router",
    "push_router",
    "report_router",
    "reporter_router",
]
