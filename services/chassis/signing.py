"""Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature` over `id.timestamp.body`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

TOLERANCE_S = 300
PREFIX = "whsec_"


class BadSignatureError(Exception):
    """The message is unsigned, signed with another secret, changed on the way, or too old or too new."""


def encode_secret(raw: bytes) -> str:
    """A secret as people and other systems write it."""
    return PREFIX + base64.b64encode(raw).decode()


def decode_secret(secret: str) -> bytes:
    """The bytes of a `whsec_…` secret. Raises ValueError for anything else."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("not a whsec_ secret") from error


def sign(secrets: Sequence[bytes], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers. Several secrets give several signatures: a rotation overlaps."""
    timestamp = str(int(at.timestamp()))
    signatures = " ".join(f"v1,{_mac(secret, message_id, timestamp, body)}" for secret in secrets)
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signatures}


def verify(secret: bytes, message_id: str, timestamp: str, signatures: str, body: bytes, now: datetime) -> None:
    """Raises BadSignatureError unless one `v1` signature is right and the time within five minutes of `now`."""
    if not message_id:
        raise BadSignatureError("webhook-id is missing")
    try:
        sent = int(timestamp)
    except ValueError:
        raise BadSignatureError("webhook-timestamp is no number") from None
    if abs(now.timestamp() - sent) > TOLERANCE_S:
        raise BadSignatureError("webhook-timestamp is more than five minutes off")
    expected = _mac(secret, message_id, timestamp, body)
    given = [part.removeprefix("v1,") for part in signatures.split() if part.startswith("v1,")]
    if not any(hmac.compare_digest(expected, one) for one in given):
        raise BadSignatureError("no signature fits")


def _mac(secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
