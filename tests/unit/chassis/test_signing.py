"""Signatures as the public library of the standard understands them."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook

from services.chassis.signing import BadSignatureError, decode_secret, encode_secret, public_key, sign, verify

SECRET = b"0123456789abcdef0123456789abcdef"
OTHER = b"another secret of thirty-two byte"
BODY = '{"type":"case.overdue","data":{"case_no":"凤城-1"}}'.encode()
NOW = datetime(2026, 9, 30, 9, 0, tzinfo=UTC)


def test_the_public_library_accepts_our_signature() -> None:
    at = datetime.now(UTC)
    headers = sign([SECRET], "msg_1", at, BODY)
    assert Webhook(encode_secret(SECRET)).verify(BODY, headers)["type"] == "case.overdue"


def test_both_secrets_sign_during_a_rotation() -> None:
    headers = sign([SECRET, OTHER], "msg_1", datetime.now(UTC), BODY)
    for secret in (SECRET, OTHER):
        Webhook(encode_secret(secret)).verify(BODY, headers)


def test_an_instant_signs_the_same_in_every_zone() -> None:
    from zoneinfo import ZoneInfo

    assert sign([SECRET], "m", NOW, BODY) == sign([SECRET], "m", NOW.astimezone(ZoneInfo("Asia/Shanghai")), BODY)


@pytest.mark.parametrize(
    ("secret", "message_id", "body", "skew"),
    [
        (OTHER, "msg_1", BODY, 0),
        (SECRET, "msg_2", BODY, 0),
        (SECRET, "msg_1", BODY + b" ", 0),
        (SECRET, "msg_1", BODY, 301),
        (SECRET, "msg_1", BODY, -301),
    ],
)
def test_anything_changed_is_refused(secret: bytes, message_id: str, body: bytes, skew: int) -> None:
    headers = sign([SECRET], "msg_1", NOW, BODY)
    with pytest.raises(BadSignatureError):
        verify(
            secret,
            message_id,
            headers["webhook-timestamp"],
            headers["webhook-signature"],
            body,
            NOW + timedelta(seconds=skew),
        )


@pytest.mark.parametrize(("timestamp", "signatures"), [("soon", "v1,x"), ("", ""), ("1790758800", "v2,abc")])
def test_rubbish_headers_are_refused(timestamp: str, signatures: str) -> None:
    with pytest.raises(BadSignatureError):
        verify(SECRET, "msg_1", timestamp, signatures, BODY, NOW)


def test_a_secret_survives_its_written_form() -> None:
    assert decode_secret(encode_secret(SECRET)) == SECRET
    with pytest.raises(ValueError, match="whsec_"):
        decode_secret("whsec_!!!")


REFERENCE = ("msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}')
"""Id, time and body of the reference vectors that the standard's own libraries are tested with."""


def test_the_reference_vector_of_v1() -> None:
    headers = sign([decode_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")], *REFERENCE)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


def test_the_reference_vector_of_v1a() -> None:
    seed = b64decode("VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=")
    headers = sign([], *REFERENCE, keys=[seed])
    assert headers["webhook-signature"] == (
        "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="
    )


def test_whoever_has_the_public_key_can_check_and_during_a_rotation_either_fits() -> None:
    old, new = bytes(range(32)), bytes(range(32, 64))
    headers = sign([SECRET], "msg_1", NOW, BODY, keys=[new, old])
    kinds = [part.split(",")[0] for part in headers["webhook-signature"].split()]
    assert kinds == ["v1", "v1a", "v1a"]
    signed = f"msg_1.{int(NOW.timestamp())}.".encode() + BODY
    signatures = [b64decode(part[4:]) for part in headers["webhook-signature"].split() if part.startswith("v1a,")]
    for seed, signature in zip((new, old), signatures, strict=True):
        raw = b64decode(public_key(seed).removeprefix("whpk_"))
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, signed)
        with pytest.raises(InvalidSignature):
            Ed25519PublicKey.from_public_bytes(raw).verify(signature, signed + b" ")


def test_the_public_library_reads_past_signatures_it_does_not_know() -> None:
    headers = sign([SECRET], "msg_1", datetime.now(UTC), BODY, keys=[bytes(range(32))])
    assert Webhook(encode_secret(SECRET)).verify(BODY, headers)
