"""Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature` over `id.timestamp.body`.

`v1` is an HMAC under a secret that both sides know; `v1a` an ed25519 signature that anybody can check with the public
key and nobody but us can make.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TOLERANCE_S = 300
PREFIX = "whsec_"
PUBLIC_PREFIX = "whpk_"


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


def public_key(seed: bytes) -> str:
    """The public half of an ed25519 key of 32 bytes, as people and other systems write it."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return PUBLIC_PREFIX + base64.b64encode(public).decode()


def sign(
    secrets: Sequence[bytes], message_id: str, at: datetime, body: bytes, keys: Sequence[bytes] = ()
) -> dict[str, str]:
    """The three headers. Several secrets or ed25519 keys give several signatures: a rotation overlaps."""
    timestamp = str(int(at.timestamp()))
    signatures = [f"v1,{_mac(secret, message_id, timestamp, body)}" for secret in secrets]
    signed = _signed(message_id, timestamp, body)
    for key in keys:
        signature = Ed25519PrivateKey.from_private_bytes(key).sign(signed)
        signatures.append(f"v1a,{base64.b64encode(signature).decode()}")
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": " ".join(signatures)}


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
    signed = _signed(message_id, timestamp, body)
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def _signed(message_id: str, timestamp: str, body: bytes) -> bytes:
    return b".".join((message_id.encode(), timestamp.encode(), body))
