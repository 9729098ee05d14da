"""Signatures as the public library of the standard understands them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from services.chassis.signing import BadSignatureError, decode_secret, encode_secret, sign, verify

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
