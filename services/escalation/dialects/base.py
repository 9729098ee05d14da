"""What a dialect owns, and what it is given to work with. Pure: no clock, no network, no database."""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final, Literal

from schemas.envelope import Envelope
from schemas.events.case import CaseFactV1
from schemas.webhooks import HookV1
from services.chassis.coordinates import Crs
from services.chassis.signing import BadSignatureError, verify

TOLERANCE_S: Final = 300
"""How far the time of a message from outside may be off."""
Outcome = Literal["accepted", "refused", "returned", "disposed", "closed"]


class Auth(StrEnum):
    """How a message proves where it comes from."""

    STANDARD_WEBHOOKS = "standard_webhooks"
    STATIC_TOKEN = "static_token"  # noqa: S105 - a name, no token
    APP_KEY = "app_key"


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted. `headers` have lower-case names."""

    headers: Mapping[str, str]
    body: bytes

    def with_headers(self, more: Mapping[str, str]) -> Message:
        return replace(self, headers={**self.headers, **more})


@dataclass(frozen=True, slots=True)
class Told:
    """A fact as an endpoint is told of it. `hook` is the native body; `numbers` are (system, number) by which others
    know the matter, oldest first; `partner` is the system whose number comes first for this endpoint."""

    event: Envelope[CaseFactV1]
    kind: str
    number: int
    hook: HookV1
    numbers: Sequence[tuple[str, str]] = ()
    partner: str | None = None
    crs: Crs = Crs.WGS84
    category_name: str = ""
    category_codes: Sequence[tuple[str, str]] = ()  # (scheme, code): ours first, then what other code tables call it
    names: Mapping[str, str] = field(default_factory=dict)  # area and unit codes in words


@dataclass(frozen=True, slots=True)
class Ping:
    """A manual test."""

    event_id: str
    subject: str
    at: datetime
    hook: HookV1


@dataclass(frozen=True, slots=True)
class Link:
    """A picture that the receiver may fetch until `until`."""

    name: str
    url: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Sender:
    """What one attempt is sent with. `sign` gives the headers of Standard Webhooks for a body; `secrets` are opened,
    the newest first."""

    message_id: str
    at: datetime
    auth: Auth
    secrets: Sequence[bytes]
    sign: Callable[[bytes], Mapping[str, str]]
    app_key: str = ""
    links: Sequence[Link] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means. `failure` None: accepted. `their_number`: how the receiver calls the matter from now on."""

    failure: str | None = None
    their_number: str | None = None

    @property
    def accepted(self) -> bool:
        return self.failure is None


@dataclass(frozen=True, slots=True)
class Heard:
    """A call-back in our words. `outcome` None: it asks nothing of us, and `quiet` says whether that was expected or a
    person has to look. `number` is how they call the case where they do not use ours."""

    message_id: str
    word: str
    at: datetime
    raw: Mapping[str, Any]
    outcome: Outcome | None = None
    quiet: bool = False
    case_no: str | None = None
    number: str | None = None
    their_number: str | None = None
    unit: str | None = None
    eta: datetime | None = None
    ground: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call-back as it came. `secrets` are those of the endpoint whose platform calls, the newest first."""

    headers: Mapping[str, str]
    body: bytes
    auth: Auth
    secrets: Sequence[bytes]
    now: datetime
    app_key: str = ""


@dataclass(frozen=True, slots=True)
class Became:
    """What became of a call-back. A repeat learns dispatch's answer once there is one; `code` says why it refused."""

    result: Literal["passed_on", "unknown", "noted", "repeated"]
    answer: Literal["done", "refused"] | None = None
    code: str | None = None


class NotGenuineError(Exception):
    """The call-back is not from whom it says, or not of now."""


class UnreadableError(ValueError):
    """The call-back has not the dialect's form; the message names the field."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name


class Dialect(ABC):
    """One way of speaking. `auths`: how it can prove where a message comes from, the usual one first. `content_type`
    tells its messages from those of the others."""

    name: ClassVar[str]
    auths: ClassVar[tuple[Auth, ...]]
    content_type: ClassVar[str]

    @abstractmethod
    def write(self, told: Told) -> Message:
        """The message for a fact, without what belongs to one attempt. Raises ValueError for what it cannot say."""

    @abstractmethod
    def ping(self, ping: Ping) -> Message:
        """The message of a manual test."""

    @abstractmethod
    def send_off(self, message: Message, sender: Sender) -> Message:
        """The message of one attempt: authentication, and links that live for a short while."""

    @abstractmethod
    def verdict(self, status: int, reply: str) -> Verdict:
        """What an answer means."""

    @abstractmethod
    def hear(self, incoming: Incoming) -> Heard:
        """A call-back. Raises NotGenuineError before anything of it is believed, UnreadableError."""

    def wrote(self, message: Message) -> bool:
        """Whether a message that waits is of this dialect: an endpoint may have changed over since."""
        return message.headers.get("content-type") == self.content_type

    def reply(self, became: Became) -> Mapping[str, str]:
        """What the caller is answered, as JSON."""
        told = {"result": became.result, "answer": became.answer, "code": became.code}
        return {name: word for name, word in told.items() if word is not None}


def bearer(sender: Sender) -> dict[str, str]:
    """The header of a static token."""
    return {"authorization": f"Bearer {sender.secrets[0].decode()}"}


def check_bearer(incoming: Incoming) -> None:
    """Raises NotGenuineError unless a token of the endpoint is given."""
    given = incoming.headers.get("authorization", "").removeprefix("Bearer ").encode()
    if not any(hmac.compare_digest(given, secret) for secret in incoming.secrets):
        raise NotGenuineError("the token is not the one agreed on")


def check_signature(incoming: Incoming) -> None:
    """Raises NotGenuineError unless one of the secrets has signed the message after Standard Webhooks, just now."""
    ident, stamp, given = (incoming.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    told = "no secret is shared with this platform"
    for secret in incoming.secrets:
        try:
            verify(secret, ident, stamp, given, incoming.body, incoming.now)
        except BadSignatureError as error:
            told = str(error)
        else:
            return
    raise NotGenuineError(told)
