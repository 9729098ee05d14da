"""Every setting: name, default, meaning, from the classes that read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from printers.tables import table
from services.chassis import settings as shared
from services.chassis.auth.settings import AuthSettings
from services.chassis.housekeeping import RetentionSettings
from services.chassis.pictures.settings import MediaSettings
from services.chassis.settings import REPOSITORY, SettingsGroup
from services.chassis.supervisor.settings import ROLE_URLS, Ports, SupervisorSettings
from services.chassis.supervisor.watch import Patience
from services.dispatch.settings import DispatchSettings
from services.escalation.notices.settings import MailSettings, NoticeSettings
from services.escalation.settings import PlatformSettings, TimerCheckSettings, TimerSettings, WebhookSettings
from services.intake.settings import IntakeSettings, PaceSettings

GROUPS: tuple[tuple[str, tuple[type[SettingsGroup], ...]], ...] = (
    ("Where things are", (shared.HomeSettings, shared.DatabaseSettings, shared.KafkaSettings)),
    (
        "HTTP",
        (
            shared.HttpSettings,
            shared.IntakeHttpSettings,
            shared.DispatchHttpSettings,
            shared.EscalationHttpSettings,
            shared.ServiceTokenSettings,
        ),
    ),
    ("Pictures", (MediaSettings,)),
    ("Sign-in", (AuthSettings,)),
    ("Housekeeping", (RetentionSettings,)),
    ("Logs and metrics", (shared.LogSettings, shared.MetricsSettings)),
    ("Watchdog", (shared.WatchdogSettings,)),
    ("Intake", (IntakeSettings, PaceSettings)),
    ("Dispatch", (DispatchSettings,)),
    ("Telling people", (NoticeSettings, MailSettings)),
    ("Escalation", (TimerSettings, TimerCheckSettings, WebhookSettings, PlatformSettings)),
)
SOURCES = (
    ("`GRID_CONFIG`", "–", "A file of lines `NAME=value`, read after the environment."),
    ("`GRID_SECRETS_DIR`", "–", "A folder with one file per setting, named like it, read after that."),
)
SUPERVISOR = (
    *(
        (
            name,
            "`DATABASE_URL`",
            f"External PostgreSQL with the login of {'the schemas’ owner' if role == 'owner' else role}.",
        )
        for role, name in ROLE_URLS.items()
    ),
    ("GRID_KAFKA_PORT", str(Ports().kafka), "Port of the Kafka that `grid up` starts."),
    (
        "GRID_DISPATCH_WORKERS",
        str(SupervisorSettings(Path(), Path(), Ports()).dispatch_workers),
        "Stream workers of dispatch.",
    ),
    ("GRID_SAMPLE_HISTORY", "1", "0: the sample street opens without its sixty days of past."),
    (
        "GRID_WATCHDOG_SILENT_S",
        f"{Patience().silent_s:g}",
        "Seconds without a heartbeat after which `grid up` kills a part and starts it again.",
    ),
    (
        "GRID_MEMORY_LIMITS",
        "–",
        "Parts whose memory limit differs from the rest: `dispatch=900,intake-worker=400` (MB).",
    ),
    ("LAN", "0", "1: phones in the same network reach the services by HTTPS; `make run LAN=1`."),
    ("GRID_LAN_PORT", "8440", "Port of the page a phone begins with; the services with TLS take the three behind it."),
    ("GRID_CACHE", "a folder in the user's cache", "Where downloads are shared between clones, tests and runs."),
)


def page() -> str:
    """The whole page."""
    head = ("setting", "default", "meaning")
    parts = [
        "# Settings",
        "",
        "Each value comes from, in this order: the environment, the file of `GRID_CONFIG`, the folder of",
        "`GRID_SECRETS_DIR`, the default. They are read once, when a process starts. What only `grid up` knows comes",
        "from the environment alone.",
        "",
        table(head, SOURCES),
    ]
    for title, groups in GROUPS:
        parts += [f"## {title}", "", table(head, (row for group in groups for row in _rows(group)))]
    parts += ["## `grid up` alone", "", table(head, ((f"`{name}`", value, what) for name, value, what in SUPERVISOR))]
    return "\n".join(parts)


def _rows(group: type[SettingsGroup]) -> Iterator[tuple[str, str, str]]:
    inherited = {name for base in group.__mro__[1:] for name in getattr(base, "__annotations__", {})}
    for name, field in group.model_fields.items():
        if name not in inherited or name in group.__annotations__:
            yield f"`{_environment_name(field)}`", _default(field), field.description or ""


def _environment_name(field: FieldInfo) -> str:
    alias = field.validation_alias
    name = alias.choices[0] if isinstance(alias, AliasChoices) else alias
    assert isinstance(name, str), "every setting names its variable"
    return name


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "(required)"
    if value is None or value == "" or isinstance(value, SecretStr):
        return "–"
    if isinstance(value, Path):
        return f"`{value.relative_to(REPOSITORY)}` in the checkout"
    if isinstance(value, tuple):
        return f"`{json.dumps(value)}`"
    return f"`{value}`"
