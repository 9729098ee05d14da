"""Setting groups every part shares; the only place of the chassis that reads the environment.

Each value comes from, in this order: the environment, the file named by `GRID_CONFIG` (lines `NAME=value`), a file of
that name under the directory `GRID_SECRETS_DIR`, the default written here. Settings are read once, in a process's
`app.py`, and handed on; nothing below asks for them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

REPOSITORY = Path(__file__).resolve().parents[2]


class SettingsGroup(BaseSettings):
    """Base of all setting groups: frozen, blind to foreign variables, reading environment, file and secrets."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        sources = [init_settings, env_settings]
        if config := os.environ.get("GRID_CONFIG"):
            if not Path(config).is_file():
                raise FileNotFoundError(f"GRID_CONFIG names {config}, which is not a file")
            sources.append(DotEnvSettingsSource(settings_cls, env_file=config, env_file_encoding="utf-8"))
        if secrets_dir := os.environ.get("GRID_SECRETS_DIR"):
            sources.append(SecretsSettingsSource(settings_cls, secrets_dir=secrets_dir))
        return tuple(sources)


class HomeSettings(SettingsGroup):
    """Where state lives: databases, logs, photos, generated secrets."""

    home: Path = Field(
        default=REPOSITORY / ".grid",
        validation_alias="GRID_HOME",
        description="Folder of all state: databases, logs, photos, generated secrets.",
    )


class DatabaseSettings(SettingsGroup):
    """How to reach PostgreSQL.

    `direct_url` is set when `url` leads to a transaction pooler: locks that live as long as a session, LISTEN and
    migrations then go around it, and nothing else is kept in a session.
    """

    url: str = Field(
        validation_alias="DATABASE_URL",
        description="PostgreSQL, with the role of this service; where it is set `grid up` starts no server of its own.",
    )
    direct_url: str | None = Field(
        default=None,
        validation_alias="DATABASE_DIRECT_URL",
        description="The same database around a transaction pooler: for session locks, LISTEN and migrations.",
    )
    pool_size: int = Field(
        default=4, ge=1, le=64, validation_alias="GRID_DATABASE_POOL", description="Connections a process keeps."
    )

    @property
    def session_url(self) -> str:
        """The address for whatever must keep one session."""
        return self.direct_url or self.url


class KafkaSettings(SettingsGroup):
    """How to reach Kafka; the URL's grammar is described in `chassis.kafka`."""

    url: str = Field(
        default="kafka://127.0.0.1:19092",
        validation_alias="KAFKA_URL",
        description="`kafka://host:port,…` or `kafkas://user:password@host:port,…?mechanism=&cafile=&certfile=&keyfile=`.",
    )
    replication: int | None = Field(
        default=None,
        ge=1,
        le=9,
        validation_alias="GRID_KAFKA_REPLICATION",
        description="Replicas of each topic; default: as many as there are brokers, three at most.",
    )


class HttpSettings(SettingsGroup):
    """Where one service listens, and what it believes about whoever calls."""

    host: str = Field(default="127.0.0.1", validation_alias="GRID_HTTP_HOST", description="Address to listen on.")
    port: int = Field(
        default=0,
        ge=0,
        le=65535,
        validation_alias="GRID_HTTP_PORT",
        description="Port of a process that is none of the three services.",
    )
    public_url: str | None = Field(
        default=None, validation_alias="GRID_PUBLIC_URL", description="Address under which people reach that process."
    )
    https_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        validation_alias="GRID_HTTPS_PORT",
        description="Port on which that process listens a second time, with TLS; 0: it does not.",
    )
    https_host: str = Field(
        default="0.0.0.0",  # noqa: S104 - only with TLS, and only where a port is set
        validation_alias="GRID_HTTPS_HOST",
        description="Address on which services listen with TLS.",
    )
    https_certificate: Path | None = Field(
        default=None, validation_alias="GRID_HTTPS_CERTIFICATE", description="The certificate they show, PEM."
    )
    https_key: Path | None = Field(default=None, validation_alias="GRID_HTTPS_KEY", description="Its key, PEM.")
    trusted_proxies: str = Field(
        default="",
        validation_alias="GRID_TRUSTED_PROXIES",
        description="Addresses, comma separated, whose X-Forwarded-* headers are believed.",
    )


class IntakeHttpSettings(HttpSettings):
    """Where intake listens."""

    port: int = Field(default=8001, ge=0, le=65535, validation_alias="GRID_INTAKE_PORT", description="Port of intake.")
    https_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        validation_alias="GRID_INTAKE_HTTPS_PORT",
        description="Port of intake with TLS, as `LAN=1` sets it; 0: none.",
    )
    public_url: str | None = Field(
        default=None,
        validation_alias="GRID_INTAKE_PUBLIC_URL",
        description="Address under which people reach intake, where a proxy stands before it.",
    )


class DispatchHttpSettings(HttpSettings):
    """Where dispatch listens."""

    port: int = Field(
        default=8002, ge=0, le=65535, validation_alias="GRID_DISPATCH_PORT", description="Port of dispatch."
    )
    https_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        validation_alias="GRID_DISPATCH_HTTPS_PORT",
        description="Port of dispatch with TLS, as `LAN=1` sets it; 0: none.",
    )
    public_url: str | None = Field(
        default=None,
        validation_alias="GRID_DISPATCH_PUBLIC_URL",
        description="Address under which people reach dispatch, where a proxy stands before it.",
    )


class EscalationHttpSettings(HttpSettings):
    """Where escalation listens."""

    port: int = Field(
        default=8003, ge=0, le=65535, validation_alias="GRID_ESCALATION_PORT", description="Port of escalation."
    )
    https_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        validation_alias="GRID_ESCALATION_HTTPS_PORT",
        description="Port of escalation with TLS, as `LAN=1` sets it; 0: none.",
    )
    public_url: str | None = Field(
        default=None,
        validation_alias="GRID_ESCALATION_PUBLIC_URL",
        description="Address under which people reach escalation, where a proxy stands before it.",
    )


class LogSettings(SettingsGroup):
    """How loud, and in which form."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", validation_alias="GRID_LOG_LEVEL", description="Least level that is logged."
    )
    format: Literal["json", "text"] = Field(
        default="json", validation_alias="GRID_LOG_FORMAT", description="`json` for machines, `text` for people."
    )


class MetricsSettings(SettingsGroup):
    """Where a process without a web server of its own (worker, relay, timers, sender) shows its metrics; 0: nowhere."""

    host: str = Field(
        default="127.0.0.1",
        validation_alias="GRID_METRICS_HOST",
        description="Address on which a process without HTTP of its own shows metrics.",
    )
    port: int = Field(
        default=0,
        ge=0,
        le=65535,
        validation_alias="GRID_METRICS_PORT",
        description="Its port; 0: no metrics. `grid up` counts up from it, one port per part, or takes free ones.",
    )


class ServiceTokenSettings(SettingsGroup):
    """The bearer token by which one service knows another."""

    token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("GRID_SERVICE_TOKEN", "grid_service_token"),
        description="Secret by which the services know each other; the same for all. `grid up` makes one.",
    )


class WatchdogSettings(SettingsGroup):
    """When a process ends itself because it hangs, and to whom it shows that it lives."""

    on: bool = Field(
        default=True, validation_alias="GRID_WATCHDOG", description="0: no process is ended because it seems to hang."
    )
    stuck_s: float = Field(
        default=30.0,
        ge=1,
        validation_alias="GRID_WATCHDOG_STUCK_S",
        description="Seconds for which the event loop of a process may stand still.",
    )
    stalled_s: float = Field(
        default=60.0,
        ge=1,
        validation_alias="GRID_WATCHDOG_STALLED_S",
        description="Seconds for which a process may get nothing done while work waits that it could do.",
    )
    memory_mb: int = Field(
        default=600,
        ge=0,
        validation_alias="GRID_MEMORY_LIMIT_MB",
        description="Memory (RSS, MB) at which a process starts anew; 0: any.",
    )
    notify_socket: str | None = Field(
        default=None,
        validation_alias="NOTIFY_SOCKET",
        description="Where heartbeats go; systemd and `grid up` set it themselves.",
    )
    beat_file: Path | None = Field(
        default=None,
        validation_alias="GRID_BEAT_FILE",
        description="File whose time stamp is renewed with each heartbeat, for a container's health check.",
    )
