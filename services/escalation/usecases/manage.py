"""Administer webhook endpoints: add, change, remove, rotate the secret, test, replay."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from schemas.api.escalation import WebhookIn, WebhookPatchIn
from schemas.webhook_bodies import ping_body
from services.chassis.db import Tx, grid_now
from services.chassis.ids import IdSource
from services.chassis.secretbox import SecretBox
from services.chassis.signing import encode_secret, public_key
from services.escalation.dialects.base import Auth, Ping
from services.escalation.dialects.known import dialect
from services.escalation.store import allowed, deliveries, endpoints, partners
from services.escalation.store.deliveries import NewDelivery
from services.escalation.store.endpoints import Endpoint
from services.escalation.usecases.manner import changed_manner, check_made_here, check_partner, manner_of
from services.escalation.webhooks.addresses import check_target

OVERLAP = timedelta(hours=24)
"""How long the old secret still signs beside the new one."""
SECRET_BYTES = 32
AS_GIVEN = {"url", "name", "active", "events", "streets", "tiers"}
BREAKER_CLOSED: dict[str, Any] = {"failures": 0, "open_until": None, "open_for_s": 0, "recent": []}


@dataclass(frozen=True, slots=True)
class NewSecret:
    """An endpoint with the secret that is shown this once; '' for one that the other side has handed out."""

    endpoint: Endpoint
    secret: str


class EndpointDesk:
    """Endpoint use cases. Raises RefusedAddressError for an address that may never be called, WrongMannerError for a
    way of speaking that there is not."""

    def __init__(self, ids: IdSource, box: SecretBox, fixed: frozenset[str]) -> None:
        self._ids = ids
        self.box = box
        self.fixed = fixed
        """Places of the settings that may be called though they are not public."""

    async def add(self, tx: Tx, wanted: WebhookIn, by: str) -> NewSecret:
        """A new endpoint, active at once."""
        check_target(wanted.url, await self._allowed(tx))
        manner = manner_of(wanted)
        await self._check_partner(tx, manner.partner)
        raw, shown = self._make_secret() if wanted.secret is None else (wanted.secret.encode(), "")
        values = {
            "id": self._ids.uuid7(),
            "name": wanted.name or wanted.url,
            "url": wanted.url,
            "events": list(wanted.events),
            "secret": self.box.seal(raw),
            "secret_hint": (wanted.secret or shown)[-4:],
            "created_by": by,
            **asdict(manner),
            "streets": list(wanted.streets),
            "tiers": [tier.value for tier in wanted.tiers],
            **self._make_key(),
        }
        return NewSecret(await endpoints.add(tx, values), shown)

    async def change(self, tx: Tx, endpoint_id: UUID, wanted: WebhookPatchIn) -> NewSecret | None:
        """Change what is named, with a secret where one had to be made. Switching on again, and reaching it in another
        way, closes the breaker. None when unknown."""
        before = await endpoints.by_id(tx, endpoint_id)
        if before is None:
            return None
        manner = changed_manner(before.manner, wanted)
        if manner.partner != before.manner.partner:
            await self._check_partner(tx, manner.partner)
        if wanted.url is not None:
            check_target(wanted.url, await self._allowed(tx))
        values = wanted.model_dump(mode="json", exclude_none=True, include=AS_GIVEN) | asdict(manner)
        secrets, shown = self._changed_secret(before.manner.auth, manner.auth, wanted.secret)
        values |= secrets
        reached_anew = any(values.get(name, held) != held for name, held in _reached_by(before).items())
        if wanted.active or reached_anew:
            values |= BREAKER_CLOSED
        if wanted.active:
            values["off_because"] = None
        await endpoints.change(tx, endpoint_id, values)
        if reached_anew:
            await deliveries.try_now(tx, endpoint_id)
        after = await endpoints.by_id(tx, endpoint_id)
        return None if after is None else NewSecret(after, shown)

    async def remove(self, tx: Tx, endpoint_id: UUID) -> bool:
        """Nothing is sent any more; the log stays. False when unknown."""
        if await endpoints.by_id(tx, endpoint_id) is None:
            return False
        await deliveries.skip_waiting(tx, endpoint_id)
        await endpoints.change(tx, endpoint_id, {"active": False, "removed_at": await grid_now(tx)})
        return True

    async def rotate(self, tx: Tx, endpoint_id: UUID) -> NewSecret | None:
        """A new secret; the old one signs beside it for a day. None when unknown."""
        endpoint = await endpoints.by_id(tx, endpoint_id)
        if endpoint is None:
            return None
        check_made_here(endpoint.manner)
        raw, shown = self._make_secret()
        values = {
            "secret": self.box.seal(raw),
            "secret_hint": shown[-4:],
            "previous_secret": endpoint.secret,
            "previous_until": await grid_now(tx) + OVERLAP,
            "previous_signing_key": endpoint.signing_key,
            **self._make_key(),
        }
        await endpoints.change(tx, endpoint_id, values)
        changed = await endpoints.by_id(tx, endpoint_id)
        return None if changed is None else NewSecret(changed, shown)

    async def ping(self, tx: Tx, endpoint_id: UUID) -> str | None:
        """Queue a test message on the road that every message takes; its delivery id, None when unknown."""
        endpoint = await endpoints.by_id(tx, endpoint_id)
        if endpoint is None:
            return None
        now, event_id = await grid_now(tx), self._ids.uuid7()
        delivery_id, subject = f"msg_{self._ids.uuid7().hex}", f"test:{event_id}"
        body = ping_body(str(endpoint_id), now)
        message = dialect(endpoint.manner.dialect).ping(Ping(str(event_id), subject, now, body))
        new = NewDelivery(
            id=delivery_id,
            endpoint_id=endpoint_id,
            event_id=event_id,
            type=body.KIND,
            case_id=subject,
            case_no=None,
            number=1,
            case_sequence=None,
            intent=None,
            headers=dict(message.headers),
            body=message.body,
        )
        await deliveries.queue(tx, [new])
        return delivery_id

    def _changed_secret(self, before: Auth, after: Auth, given: str | None) -> tuple[dict[str, Any], str]:
        """The columns of a secret that changes, and what is shown of it. One of another kind of proof does not
        overlap with the new one."""
        none_before = {"previous_secret": None, "previous_until": None, "previous_signing_key": None}
        over = none_before if after is not before else {}
        if given is not None:
            return {"secret": self.box.seal(given.encode()), "secret_hint": given[-4:], **over}, ""
        if not over:
            return {}, ""
        raw, shown = self._make_secret()
        return {"secret": self.box.seal(raw), "secret_hint": shown[-4:], **over}, shown

    async def _check_partner(self, tx: Tx, partner: str | None) -> None:
        if partner is not None:
            check_partner(partner, frozenset(await partners.names(tx)))

    async def _allowed(self, tx: Tx) -> frozenset[str]:
        return self.fixed | await allowed.in_force(tx)

    def _make_key(self) -> dict[str, Any]:
        """A key pair of which only the public half is ever shown."""
        seed = self._ids.token(SECRET_BYTES).encode()[:SECRET_BYTES]
        return {"signing_key": self.box.seal(seed), "public_key": public_key(seed)}

    def _make_secret(self) -> tuple[bytes, str]:
        raw = self._ids.token(SECRET_BYTES).encode()[:SECRET_BYTES]
        return raw, encode_secret(raw)


def _reached_by(endpoint: Endpoint) -> dict[str, Any]:
    """The columns that decide how it is reached: where one changes, what waits may have waited because of it."""
    manner = endpoint.manner
    return {
        "url": endpoint.url,
        "secret": endpoint.secret,
        "dialect": manner.dialect,
        "auth": manner.auth,
        "app_key": manner.app_key,
    }
