"""What telling people reads from its environment."""

from __future__ import annotations

from datetime import time
from email.headerregistry import Address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from services.chassis.settings import SettingsGroup
from services.escalation.notices.plan import Rules

TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class NoticeSettings(SettingsGroup):
    """When people are told, and how."""

    late_s: float = Field(
        default=600,
        gt=0,
        validation_alias="GRID_NOTICE_LATE_S",
        description="What comes later than this after its time goes into one merged notice a person.",
    )
    settle_s: float = Field(
        default=30,
        gt=0,
        validation_alias="GRID_NOTICE_SETTLE_S",
        description="A merged notice is pushed once nothing was added to it for so long.",
    )
    opens: int = Field(
        default=8,
        ge=0,
        le=23,
        validation_alias="GRID_NOTICE_OPENS",
        description="Hour from which pushes that are not urgent go out.",
    )
    closes: int = Field(
        default=20, ge=1, le=24, validation_alias="GRID_NOTICE_CLOSES", description="Hour after which they wait."
    )
    most_a_day: int = Field(
        default=6,
        ge=0,
        validation_alias="GRID_NOTICE_MOST_A_DAY",
        description="Pushes to one person on one day; the rest goes together. Urgent ones always go.",
    )
    digests: tuple[TimeOfDay, ...] = Field(
        default=("12:00", "17:30"),
        min_length=1,
        validation_alias="GRID_NOTICE_DIGESTS",
        description="Times of day at which the rest goes.",
    )
    schedule_s: tuple[float, ...] = Field(
        default=(10, 60, 300, 1800, 7200),
        description="Seconds to wait after the 1st, 2nd, … failed attempt of a push; after the last it is given up.",
        validation_alias="GRID_NOTICE_SCHEDULE_S",
    )
    concurrency: int = Field(
        default=8, ge=1, le=64, validation_alias="GRID_NOTICE_CONCURRENCY", description="Pushes under way at once."
    )
    text_file: Path | None = Field(
        default=None,
        validation_alias="GRID_SMS_FILE",
        description="File for short messages, a JSON line each, for a gateway to send; none: there are none.",
    )

    @property
    def rules(self) -> Rules:
        """As the plan takes them."""
        return Rules(self.opens, self.closes, self.most_a_day, tuple(time.fromisoformat(one) for one in self.digests))

    @model_validator(mode="after")
    def _day_has_hours(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("GRID_NOTICE_OPENS must be before GRID_NOTICE_CLOSES")
        return self


class MailSettings(SettingsGroup):
    """The server that takes mail."""

    host: str | None = Field(
        default=None, validation_alias="GRID_MAIL_HOST", description="SMTP server; none: no mail is sent."
    )
    port: int = Field(default=587, ge=1, le=65535, validation_alias="GRID_MAIL_PORT", description="Its port.")
    tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        validation_alias="GRID_MAIL_TLS",
        description="`starttls`, `tls` from the first byte, or `none` on a network of one's own.",
    )
    user: str | None = Field(default=None, validation_alias="GRID_MAIL_USER", description="Login at the server.")
    password: SecretStr | None = Field(default=None, validation_alias="GRID_MAIL_PASSWORD", description="Its password.")
    sender: str = Field(
        default="grid@localhost.localdomain", validation_alias="GRID_MAIL_FROM", description="Address it comes from."
    )
    timeout_s: float = Field(
        default=20, gt=0, validation_alias="GRID_MAIL_TIMEOUT_S", description="Seconds the server has for an answer."
    )

    @field_validator("sender")
    @classmethod
    def _is_an_address(cls, sender: str) -> str:
        if not Address(addr_spec=sender).domain:
            raise ValueError("an address such as grid@example.gov.cn is needed")
        return sender
