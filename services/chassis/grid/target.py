"""Which database and broker a command speaks to: the ones in the environment, else the embedded ones of GRID_HOME."""

from __future__ import annotations

from services.chassis.supervisor.environment import Surroundings
from services.chassis.supervisor.settings import SupervisorSettings


def database_url(role: str, direct: bool = False) -> str:
    """DATABASE_URL for a role; `direct` prefers DATABASE_DIRECT_URL, for locks and migrations behind a pooler."""
    settings = SupervisorSettings.read()
    if direct and (url := settings.direct_url_for(role)) is not None:
        return url
    return Surroundings(settings).database_url(role)


def kafka_url() -> str:
    """KAFKA_URL."""
    return Surroundings(SupervisorSettings.read()).kafka_url
