"""The environment each part and each command gets: addresses, its own database role, generated secrets, caches.

What the caller set stays; a part only adds what is missing, except for its own DATABASE_URL in embedded mode.
"""

from __future__ import annotations

import secrets

from services.chassis.engines import Say, footing, quiet
from services.chassis.engines.kafka import EmbeddedKafka
from services.chassis.engines.postgres import OWNER, EmbeddedPostgres
from services.chassis.supervisor.settings import ROLE_URLS, SupervisorSettings

ROLES = {"intake": "grid_intake", "dispatch": "grid_dispatch", "escalation": "grid_escalation", "owner": OWNER}


class Surroundings:
    """Engines and environments of one GRID_HOME, embedded or external."""

    def __init__(self, settings: SupervisorSettings, say: Say = quiet) -> None:
        self.settings = settings
        self.home = footing.make_home(settings.home)
        self.postgres = None if settings.own_database else EmbeddedPostgres(self.home, say)
        self.kafka = (
            None
            if settings.kafka_url is not None
            else EmbeddedKafka(self.home, settings.ports.kafka, say, settings.cache / "maven")
        )

    @property
    def kafka_url(self) -> str:
        """KAFKA_URL of every part."""
        return self.settings.kafka_url or (self.kafka.url if self.kafka else "")

    def database_url(self, role: str) -> str:
        """DATABASE_URL for a role: intake, dispatch, escalation or owner."""
        if self.postgres is not None:
            return self.postgres.url_for(ROLES[role])
        return self.settings.url_for(role)

    def environment(self, role: str) -> dict[str, str]:
        """The environment of a part or command that works as `role`."""
        ports = self.settings.ports
        env = {name: value for name, value in self.settings.inherited.items() if name not in ROLE_URLS.values()}
        env |= {
            "GRID_HOME": str(self.home),
            "DATABASE_URL": self.database_url(role),
            "KAFKA_URL": self.kafka_url,
            "GRID_INTAKE_PORT": str(ports.intake),
            "GRID_DISPATCH_PORT": str(ports.dispatch),
            "GRID_ESCALATION_PORT": str(ports.escalation),
            "GRID_INTAKE_URL": f"http://127.0.0.1:{ports.intake}",
            "GRID_DISPATCH_URL": f"http://127.0.0.1:{ports.dispatch}",
            "GRID_ESCALATION_URL": f"http://127.0.0.1:{ports.escalation}",
            "PYTHONUNBUFFERED": "1",
            "TZ": "UTC",
        }
        if (direct := self.settings.direct_url_for(role)) is not None:
            env["DATABASE_DIRECT_URL"] = direct
        token = footing.keep_secret(self.home / "secrets" / "service.token", lambda: secrets.token_urlsafe(32))
        env.setdefault("GRID_SERVICE_TOKEN", token)
        return env
