"""What escalation reads from its environment beside the shared groups."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr

from services.chassis.settings import SettingsGroup


class TimerSettings(SettingsGroup):
    """The firing loop."""

    batch: int = Field(
        default=1000, ge=1, validation_alias="GRID_TIMER_BATCH", description="Timers fired in one transaction at most."
    )
    min_tick_s: float = Field(
        default=0.05,
        gt=0,
        validation_alias="GRID_TIMER_MIN_TICK_S",
        description="Shortest pause between two looks for due timers.",
    )
    max_tick_s: float = Field(
        default=0.25,
        gt=0,
        validation_alias="GRID_TIMER_MAX_TICK_S",
        description="Longest pause between two looks for due timers.",
    )
    jump_s: float = Field(
        default=5.0,
        gt=0,
        description="A database clock running ahead of the steady clock by more than this is a step.",
        validation_alias="GRID_TIMER_JUMP_S",
    )
    jump_pause_s: float = Field(
        default=30.0,
        ge=0,
        description="Nothing fires for so long after a step.",
        validation_alias="GRID_TIMER_JUMP_PAUSE_S",
    )


class TimerCheckSettings(SettingsGroup):
    """The comparison of the timers with the clocks of the cases."""

    every_s: float = Field(
        default=600.0,
        gt=0,
        validation_alias="GRID_TIMER_CHECK_S",
        description="Seconds between two comparisons of all timers with the cases' clocks; one runs at each start.",
    )
    batch: int = Field(
        default=500, ge=1, validation_alias="GRID_TIMER_CHECK_BATCH", description="Cases compared at once."
    )
    share: float = Field(
        default=0.2,
        gt=0,
        le=1,
        validation_alias="GRID_TIMER_CHECK_SHARE",
        description="Share of its time that a comparison works; it pauses for the rest, so that firing never waits.",
    )


class WebhookSettings(SettingsGroup):
    """How deliveries leave."""

    timeout_s: float = Field(
        default=15.0,
        gt=0,
        validation_alias="GRID_WEBHOOK_TIMEOUT_S",
        description="Seconds a receiver has for its answer.",
    )
    concurrency: int = Field(
        default=200,
        ge=1,
        le=200,
        validation_alias="GRID_WEBHOOK_CONCURRENCY",
        description="Deliveries under way at once.",
    )
    per_endpoint: int = Field(
        default=32,
        ge=1,
        le=64,
        description="Of these, to one endpoint; no more than 8 while its last delivery failed.",
        validation_alias="GRID_WEBHOOK_PER_ENDPOINT",
    )
    schedule_s: tuple[float, ...] = Field(
        default=(5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400),
        description="Seconds to wait after the 1st, 2nd, … failed attempt; after the last it is a dead letter.",
        validation_alias="GRID_WEBHOOK_SCHEDULE_S",
    )
    allow_hosts: str = Field(
        default="",
        description="Pairs of host:port, comma separated, that may be called over plain http and on private addresses.",
        validation_alias="GRID_WEBHOOK_ALLOW_HOSTS",
    )
    link_s: float = Field(
        default=3600.0,
        gt=0,
        validation_alias="GRID_WEBHOOK_LINK_S",
        description="Seconds that a link to a picture is good after the message with it was sent.",
    )
    key_file: Path | None = Field(
        default=None,
        description="32 random bytes that encrypt endpoint secrets at rest; default: made once under GRID_HOME.",
        validation_alias="GRID_WEBHOOK_KEY_FILE",
    )

    ca_file: Path | None = Field(
        default=None,
        description="Certificate authorities that receivers are checked against in place of the system's.",
        validation_alias="GRID_WEBHOOK_CA_FILE",
    )
    client_cert_file: Path | None = Field(
        default=None,
        description="Our certificate with its key, in one PEM file, for receivers that ask for it (mTLS).",
        validation_alias="GRID_WEBHOOK_CLIENT_CERT_FILE",
    )

    def tls(self) -> ssl.SSLContext | None:
        """How receivers are checked and what we show them; None: as is usual. Raises OSError for a missing file."""
        if self.ca_file is None and self.client_cert_file is None:
            return None
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.client_cert_file is not None:
            context.load_cert_chain(self.client_cert_file)
        return context

    @property
    def lease_s(self) -> float:
        """Longer than an attempt and its record may take."""
        return self.timeout_s + 30.0

    @property
    def links_live(self) -> timedelta:
        return timedelta(seconds=self.link_s)

    @property
    def allowed(self) -> frozenset[str]:
        """`host:port` pairs an administrator vouches for."""
        return frozenset(part.strip() for part in self.allow_hosts.split(",") if part.strip())


class PlatformSettings(SettingsGroup):
    """The existing smart-city platform's call-backs."""

    secret: SecretStr | None = Field(
        default=None,
        description="The whsec_… secret shared with the platform; without it call-backs are refused.",
        validation_alias="GRID_PLATFORM_SECRET",
    )
