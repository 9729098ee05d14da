"""Links to pictures: good for a while, for one picture, under one key."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.secretbox import SecretBox
from services.escalation.usecases.links import PATH, Links

NOW = datetime(2026, 3, 6, 1, 0, tzinfo=UTC)
BASE = "https://street.example"
LINKS = Links(SecretBox(bytes(32)), BASE + "/", timedelta(hours=1))


def token() -> str:
    [link] = LINKS.made(["aa/case/one.jpg"], NOW)
    assert link.url.startswith(BASE + PATH)
    assert (link.name, link.until) == ("1.jpg", NOW + timedelta(hours=1))
    return link.url.removeprefix(BASE + PATH)


def test_a_link_opens_its_picture_until_it_ends() -> None:
    given = token()
    assert LINKS.opened(given, NOW) == "aa/case/one.jpg"
    assert LINKS.opened(given, NOW + timedelta(minutes=59)) == "aa/case/one.jpg"
    assert LINKS.opened(given, NOW + timedelta(hours=1)) is None


def test_no_two_links_are_alike() -> None:
    assert token() != token()


def test_a_link_that_was_not_made_here_opens_nothing() -> None:
    given = token()
    other = Links(SecretBox(b"\x01" * 32), BASE, timedelta(hours=1))
    assert other.opened(given, NOW) is None
    for forged in ("", "x", "é", given[:-2], given[:-1] + ("A" if given[-1] != "A" else "B"), "A" * 400):
        assert LINKS.opened(forged, NOW) is None


@pytest.mark.parametrize(
    "inside", [b"whsec", b"[]", b'["other", "aa/one.jpg", 9999999999]', b'["attachment", "a", "b"]']
)
def test_another_secret_of_the_same_box_is_no_link(inside: bytes) -> None:
    sealed = base64.urlsafe_b64encode(SecretBox(bytes(32)).seal(inside)).decode().rstrip("=")
    assert LINKS.opened(sealed, NOW) is None
