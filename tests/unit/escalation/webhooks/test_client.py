"""Which addresses may be called."""

from __future__ import annotations

import pytest

from services.escalation.webhooks.client import RefusedAddressError, check_target, is_public

NOWHERE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.1", "203.0.113.9"),
        *("::1", "::", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::"),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "114.114.114.114", "2400:3200::1", "::ffff:1.1.1.1"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://platform.example/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://user:pw@platform.example/hook",
        "ftp://platform.example/hook",
    ],
)
def test_targets_that_may_never_be_called(url: str) -> None:
    with pytest.raises(RefusedAddressError):
        check_target(url, NOWHERE)


def test_what_an_administrator_vouches_for_may_be_called() -> None:
    check_target("http://127.0.0.1:9000/hook", frozenset({"127.0.0.1:9000"}))
    with pytest.raises(RefusedAddressError):
        check_target("http://127.0.0.1:9001/hook", frozenset({"127.0.0.1:9000"}))


def test_a_public_https_target_passes() -> None:
    check_target("https://platform.example:8443/hook", NOWHERE)
