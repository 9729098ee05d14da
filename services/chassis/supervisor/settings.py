"""The supervisor's configuration, read from the environment with the standard library alone: it must start at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
KAFKA_PORT = 19092


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
    kafka_url: str | None = None
    dispatch_workers: int = 2
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
            kafka_url=env.get("KAFKA_URL") or None,
            dispatch_workers=_number(env, "GRID_DISPATCH_WORKERS", 2),
            metrics_port=_number(env, "GRID_METRICS_PORT", 0) or None,
            sample_history=env.get("GRID_SAMPLE_HISTORY", "1") != "0",
            inherited=dict(env),
        )


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isdigit() or not 0 < int(text) < 65_536:
        raise BadSetting(f"{name}={text!r} is no number between 1 and 65535")
    return int(text)
