"""Bodies around webhook endpoints: addresses that are vouched for, dead letters, sending again, what a message looks
like."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from schemas.api.base import CLEAN, Code, In, Moment, Out

Failure = Literal[
    "unreachable",
    "timeout",
    "tls",
    "address",
    "redirected",
    "refused",
    "throttled",
    "receiver_error",
    "rejected",
    "secret",
    "dialect",
]
_HOST = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
)


def _host(text: str) -> str:
    lowered = text.lower().removeprefix("[").removesuffix("]")
    if _HOST.fullmatch(lowered) is None and not _is_six(lowered):
        raise PydanticCustomError("host_format", "a host name or an IP address, without scheme, port and path")
    return lowered


def _is_six(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


Host = Annotated[str, Field(min_length=1, max_length=253), *CLEAN, AfterValidator(_host)]
Reason = Annotated[str, Field(min_length=4, max_length=200), *CLEAN]


class AllowedIn(In):
    """A place that may be called although it is not public, or speaks plain http, and why."""

    scheme: Literal["http", "https"]
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)]
    reason: Reason


class AllowedOut(Out):
    """An entry. `id` None: it stands in the settings of the installation and is changed there."""

    id: str | None = None
    scheme: str
    host: str
    port: int
    reason: str
    added_by: str | None = None
    added_at: Moment | None = None
    removed_by: str | None = None
    removed_at: Moment | None = None


class AllowedPageOut(Out):
    """Entries in force, newest first, then those that were taken back."""

    items: tuple[AllowedOut, ...]
    next: str | None = None


class Choice(In):
    """Which deliveries: by event, or an endpoint's between two moments. What is left out narrows nothing."""

    webhook_id: UUID | None = None
    event_id: UUID | None = None
    since: Moment | None = None
    until: Moment | None = None
    failure: Failure | None = None

    @model_validator(mode="after")
    def _narrow(self) -> Self:
        if self.webhook_id is None and self.event_id is None:
            raise PydanticCustomError("choice_too_wide", "name an endpoint or an event")
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise PydanticCustomError("range_backwards", "until lies before since")
        return self


class ReplayIn(Choice):
    """Send these again. `state`: only those that stand so; dead letters unless another is named."""

    state: Literal["dead", "delivered", "skipped", "any"] = "dead"


class SetAsideIn(Choice):
    """Dead letters that nobody needs any more, and why."""

    reason: Reason


class SetAsideOut(Out):
    """How many dead letters were set aside."""

    set_aside: int


class DeadOut(Out):
    """Dead letters of one endpoint that failed in one way."""

    webhook_id: str
    webhook_name: str
    failure: Failure
    count: int
    oldest_at: Moment
    newest_at: Moment


class DeadPageOut(Out):
    """Every kind of dead letter there is, the most first."""

    items: tuple[DeadOut, ...]
    total: int


class MessageOut(Out):
    """A message as it is posted: signature and time are those of each attempt and are not shown."""

    url: str
    headers: dict[str, str]
    body: str


class PreviewOut(MessageOut):
    """What an endpoint would get. `of`: the newest message of this kind that went there, or a made-up case."""

    type: Code
    of: Literal["sent", "made_up"]


def shown(headers: dict[str, Any]) -> dict[str, str]:
    """Headers for people, by name."""
    return {name: str(headers[name]) for name in sorted(headers)}
