"""The JSON routes of escalation: webhook endpoints, the delivery log, the platform's call-backs."""

from services.escalation.api.deliveries import deliveries_router
from services.escalation.api.desk import Desk
from services.escalation.api.platform import platform_router
from services.escalation.api.webhooks import webhooks_router

__all__ = ["Desk", "deliveries_router", "platform_router", "webhooks_router"]
