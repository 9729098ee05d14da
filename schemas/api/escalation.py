"""Bodies of escalation: webhook endpoints, deliveries and the platform's call-backs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from schemas.api.base import Code, Flagged, In, Line, Moment, Out, Url
from schemas.webhooks import KINDS
from services.governance.cycle import Tier


def _known(events: tuple[str, ...]) -> tuple[str, ...]:
    unknown = sorted(set(events) - set(KINDS))
    if unknown:
        raise PydanticCustomError(
            "unknown_kind",
            "unknown: {unknown}; known: {known}",
            {"unknown": ", ".join(unknown), "known": ", ".join(KINDS)},
        )
    return tuple(dict.fromkeys(events))


def _once_each(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


Streets = Annotated[tuple[Code, ...], Field(max_length=100), AfterValidator(_once_each)]
Tiers = Annotated[tuple[Tier, ...], Field(max_length=len(Tier)), AfterValidator(_once_each)]
Events = Annotated[tuple[Code, ...], Field(min_length=1, max_length=32), AfterValidator(_known)]


Datum = Literal["wgs84", "gcj02", "bd09", "cgcs2000"]
GivenSecret = Annotated[str, Field(min_length=8, max_length=256, pattern=r"^[\x21-\x7e]+$")]
"""A token or key that the other side has handed out."""


class WebhookIn(In):
    """A new endpoint. Its secret is shown once, in the answer; one that the other side has handed out (`secret`, for
    `static_token` and `app_key`) is not shown again. `streets`, `tiers`: of these cases alone; empty: of all.
    `partner`: only cases that this partner knows, so that they are answered where they came from. `auth` left out: the
    usual one of the dialect."""

    url: Url
    events: Events
    name: Line = ""
    streets: Streets = ()
    tiers: Tiers = ()
    dialect: Code = "cloudevents"
    auth: Code | None = None
    app_key: Line = ""
    secret: GivenSecret | None = None
    crs: Datum = "wgs84"
    partner: Code | None = None


class WebhookPatchIn(In):
    """Changes to an endpoint; a field left out stays. `partner` '': no partner any more. `auth` left out beside another
    `dialect`: it stays where that dialect has it, else it is the usual one. `secret`: what the other side has handed
    out; needed where `auth` becomes `static_token` or `app_key`. What is queued already stays as it was written: in
    another dialect it can no longer be sent, and becomes a dead letter."""

    url: Url | None = None
    events: Events | None = None
    name: Line | None = None
    active: Flagged | None = None
    streets: Streets | None = None
    tiers: Tiers | None = None
    dialect: Code | None = None
    auth: Code | None = None
    secret: GivenSecret | None = None
    app_key: Line | None = None
    crs: Datum | None = None
    partner: Line | None = None


class WebhookOut(Out):
    """An endpoint without its secret. `breaker`: closed | open | probing. `public_key` checks its `v1a` signatures.
    `off_because`: `gone`, where the receiver said that it is there no more."""

    id: str
    url: str
    name: str
    events: tuple[str, ...]
    active: bool
    breaker: str
    failures: int = 0
    created_at: Moment
    last_success_at: Moment | None = None
    secret_hint: str | None = None
    previous_until: Moment | None = None
    public_key: str | None = None
    streets: tuple[str, ...] = ()
    tiers: tuple[Tier, ...] = ()
    off_because: str | None = None
    dialect: str = "cloudevents"
    auth: str = "standard_webhooks"
    app_key: str = ""
    crs: str = "wgs84"
    partner: str | None = None


class WebhookCreatedOut(WebhookOut):
    """The only answer that carries the secret; it has none that the other side has handed out."""

    secret: str | None


class WebhookChangedOut(WebhookOut):
    """An endpoint after a change. `secret`, shown this once: the one that was made because `auth` became
    `standard_webhooks`."""

    secret: str | None = None


class SecretOut(Out):
    """A new secret; the old one signs beside it until `previous_until`."""

    secret: str
    previous_until: Moment | None = None
    public_key: str | None = None


class StreetOut(Out):
    """A street that an endpoint can be narrowed to."""

    id: str
    label: str


class WebhookPageOut(Out):
    """Endpoints, and the streets and partners to choose from."""

    items: tuple[WebhookOut, ...]
    next: str | None = None
    streets: tuple[StreetOut, ...] = ()
    partners: tuple[str, ...] = ()


class AttemptOut(Out):
    """One try: `status` None where no answer came, then `error` says what kind."""

    n: int
    at: Moment
    status: int | None = None
    latency_ms: int | None = None
    error: str | None = None
    reply: str | None = None
    address: str | None = None


class DeliveryOut(Out):
    """One message to one endpoint. `id` is the `webhook-id`, the same over all tries."""

    id: str
    webhook_id: str
    webhook_name: str
    type: str
    case_no: str | None = None
    sequence: int
    case_sequence: int | None = None
    intent: str | None = None
    state: Literal["waiting", "sending", "delivered", "dead", "skipped"]
    attempts: int
    next_at: Moment | None = None
    created_at: Moment
    delivered_at: Moment | None = None
    last_status: int | None = None
    last_error: str | None = None
    failure: str | None = None
    died_at: Moment | None = None
    note: str | None = None
    event_id: str | None = None
    history: tuple[AttemptOut, ...] = ()


class DeliveryPageOut(Out):
    """A page of deliveries, newest first."""

    items: tuple[DeliveryOut, ...]
    next: str | None = None


class ReplayOut(Out):
    """How many deliveries were set waiting again; ids and numbers stay."""

    replayed: int


class PlatformDataIn(BaseModel):
    """The platform's own words; fields it adds later are kept out of our way."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    case_no: Code
    platform_id: Code | None = None
    unit: Line | None = None
    eta: Moment | None = None
    ground: Line | None = None


class PlatformEventIn(BaseModel):
    """A signed call-back. An unknown `type` is quarantined and shown, never dropped, so any word is taken here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Code
    timestamp: Moment
    data: dict[str, Any]
