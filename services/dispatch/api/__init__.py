"""Dispatch over HTTP: queues, cases, evidence, the live feed, and what is passed on to the other two services."""

from services.dispatch.api.audit import router as audit_router
from services.dispatch.api.bulk import router as bulk_router
from services.dispatch.api.calendar import router as calendar_router
from services.dispatch.api.cases import router as cases_router
from services.dispatch.api.events import router as events_router
from services.dispatch.api.evidence import router as evidence_router
from services.dispatch.api.export import router as export_router
from services.dispatch.api.filters import router as filters_router
from services.dispatch.api.forwarding import router as forwarding_router
from services.dispatch.api.inviting import router as inviting_router
from services.dispatch.api.lending import router as lending_router
from services.dispatch.api.mediation import router as mediation_router
from services.dispatch.api.overdue import router as overdue_router
from services.dispatch.api.people import router as people_router
from services.dispatch.api.presence import router as presence_router
from services.dispatch.api.queues import router as queues_router
from services.dispatch.api.today import router as today_router
from services.dispatch.api.views import router as views_router
from services.dispatch.api.wiring import Wiring
from services.dispatch.api.words import router as words_router

ROUTERS = (
    queues_router,
    filters_router,
    views_router,
    today_router,
    calendar_router,
    cases_router,
    bulk_router,
    evidence_router,
    mediation_router,
    people_router,
    events_router,
    presence_router,
    export_router,
    audit_router,
    overdue_router,
    inviting_router,
    lending_router,
    words_router,
    forwarding_router,
)

__all__ = ["ROUTERS", "Wiring"]
