"""The supervisor's configuration, read from the environment with the standard library alone: it must start at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

CHECKOUT = Path(__file__).resolve().parents[3]
KAFKA_PORT = 19092
ROLE_URLS = {
    "owner": "GRID_OWNER_DATABASE_URL",
    "intake": "GRID_INTAKE_DATABASE_URL",
    "dispatch": "GRID_DISPATCH_DATABASE_URL",
    "escalation": "GRID_ESCALATION_DATABASE_URL",
}
"""Who works in an external database under a login of its own; whoever has none uses DATABASE_URL."""


class BadSetting(ValueError):
    """A variable has a value nobody can use; the text names it."""


def cache_folder(env: Mapping[str, str] = os.environ) -> Path:
    """Where downloads are shared between clones, tests and runs: GRID_CACHE, or a folder in the user's cache."""
    if env.get("GRID_CACHE"):
        return Path(env["GRID_CACHE"])
    if env.get("XDG_CACHE_HOME"):
        return Path(env["XDG_CACHE_HOME"]) / "grid-governance"
    return Path(env.get("HOME") or "/var/cache") / ".cache" / "grid-governance"


def home_folder(env: Mapping[str, str] = os.environ) -> Path:
    """GRID_HOME, by default `.grid/` in the checkout."""
    return Path(env.get("GRID_HOME") or CHECKOUT / ".grid").absolute()


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts listen on loopback."""

    intake: int = 8001
    dispatch: int = 8002
    escalation: int = 8003
    kafka: int = KAFKA_PORT

    def of(self, service: str) -> int:
        """The port of a service."""
        port: int = getattr(self, service)
        return port


@dataclass(frozen=True, slots=True)
class SupervisorSettings:
    """What `grid up` and the commands beside it need to know."""

    home: Path
    cache: Path
    ports: Ports
    database_url: str | None = None
    database_direct_url: str | None = None
    role_urls: Mapping[str, str] = field(default_factory=dict)
    """External database with one login per role: role → URL."""
    kafka_url: str | None = None
    dispatch_workers: int = 2
    database_pool: int = 4
    metrics_port: int | None = None
    """The first of the ports on which parts without HTTP show metrics; None: whichever are free."""
    sample_history: bool = True
    inherited: Mapping[str, str] = field(default_factory=dict)
    """The caller's environment; parts get it with their own values on top."""

    @classmethod
    def read(cls, env: Mapping[str, str] = os.environ) -> SupervisorSettings:
        """From the environment; raises BadSetting."""
        usual = Ports()
        return cls(
            home=home_folder(env),
            cache=cache_folder(env),
            ports=Ports(
                intake=_number(env, "GRID_INTAKE_PORT", usual.intake),
                dispatch=_number(env, "GRID_DISPATCH_PORT", usual.dispatch),
                escalation=_number(env, "GRID_ESCALATION_PORT", usual.escalation),
                kafka=_number(env, "GRID_KAFKA_PORT", usual.kafka),
            ),
            database_url=env.get("DATABASE_URL") or None,
            database_direct_url=env.get("DATABASE_DIRECT_URL") or None,
            role_urls=_role_urls(env),
            kafka_url=env.get("KAFKA_URL") or None,
            dispatch_workers=_number(env, "GRID_DISPATCH_WORKERS", 2),
            database_pool=_number(env, "GRID_DATABASE_POOL", 4),
            metrics_port=_number(env, "GRID_METRICS_PORT", 0) or None,
            sample_history=env.get("GRID_SAMPLE_HISTORY", "1") != "0",
            inherited=dict(env),
        )

    @property
    def own_database(self) -> bool:
        """Whether the database is somebody else's server, not one that `grid up` starts."""
        return self.database_url is not None or bool(self.role_urls)

    def url_for(self, role: str) -> str:
        """DATABASE_URL of a role in an external database."""
        url = self.role_urls.get(role) or self.database_url
        assert url is not None, "there is no external database"
        return url

    def direct_url_for(self, role: str) -> str | None:
        """DATABASE_DIRECT_URL of a role: its address, with the login of the role where that has one of its own."""
        if self.database_direct_url is None or role not in self.role_urls:
            return self.database_direct_url
        direct, login = urlsplit(self.database_direct_url), urlsplit(self.role_urls[role])
        host, user = direct.netloc.rpartition("@")[2], login.netloc.rpartition("@")[0]
        return direct._replace(netloc=f"{user}@{host}" if user else host).geturl()


def _role_urls(env: Mapping[str, str]) -> dict[str, str]:
    """The logins per role; all four, or DATABASE_URL stands in for those without one."""
    found = {role: env[name] for role, name in ROLE_URLS.items() if env.get(name)}
    missing = [name for role, name in ROLE_URLS.items() if role not in found]
    if found and missing and not env.get("DATABASE_URL"):
        raise BadSetting(f"set {', '.join(missing)} too, or DATABASE_URL for whoever has no login of his own")
    return found


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isdigit() or not 0 < int(text) < 65_536:
        raise BadSetting(f"{name}={text!r} is no number between 1 and 65535")
    return int(text)
