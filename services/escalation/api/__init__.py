"""The JSON routes of escalation, one module a subject."""

from services.escalation.api.allowed import allowed_router
from services.escalation.api.attachments import attachments_router
from services.escalation.api.checks import checks_router
from services.escalation.api.dead import dead_router
from services.escalation.api.deliveries import deliveries_router
from services.escalation.api.desk import Desk
from services.escalation.api.notices import choices_router, notices_router
from services.escalation.api.platform import platform_router
from services.escalation.api.preview import preview_router
from services.escalation.api.receipts import receipts_router
from services.escalation.api.robots import robots_router, sent_router
from services.escalation.api.webhooks import webhooks_router

__all__ = [
    "Desk",
    "allowed_router",
    "attachments_router",
    "checks_router",
    "choices_router",
    "dead_router",
    "deliveries_router",
    "notices_router",
    "platform_router",
    "preview_router",
    "receipts_router",
    "robots_router",
    "sent_router",
    "webhooks_router",
]
