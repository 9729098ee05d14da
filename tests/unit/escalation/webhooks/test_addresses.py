"""Which addresses may be called: the corpus of ways to come to a forbidden one."""

from __future__ import annotations

import pytest

from services.escalation.webhooks.addresses import RefusedAddressError, check_target, is_public

NOWHERE: frozenset[str] = frozenset()

PRIVATE = ("10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1")
LOCAL = ("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "169.254.169.254", "100.64.0.1", "100.127.255.255")
RESERVED = ("192.0.0.1", "192.0.0.8", "192.88.99.1", "198.18.0.1", "198.19.255.255", "240.0.0.1", "255.255.255.255")
DOCUMENTATION = ("192.0.2.1", "198.51.100.7", "203.0.113.9")
MULTICAST = ("224.0.0.1", "239.255.255.255")
OF_SIX = (
    *("::1", "::", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "ff0e::1"),
    *("2001:db8::1", "3fff::1", "100::1", "5f00::1", "fe80::1%eth0"),
)
FOUR_IN_SIX = (
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "::7f00:1"),  # mapped, compatible
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1"),  # NAT64, also the one for local use
    *("2002:7f00:1::", "2002:a00:1::1"),  # 6to4
    *("2001:0:4136:e378:8000:63bf:3fff:fdd2",),  # Teredo
)


@pytest.mark.parametrize("address", [*PRIVATE, *LOCAL, *RESERVED, *DOCUMENTATION, *MULTICAST, *OF_SIX, *FOUR_IN_SIX])
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "114.114.114.114", "172.15.255.255", "172.32.0.1", "100.63.255.255", "2400:3200::1", "::ffff:1.1.1.1"],
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://platform.example/hook",
        "ftp://platform.example/hook",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/_",
        "platform.example/hook",
        "https:///hook",
        "https://platform.example:0/hook",
        "https://platform.example:99999/hook",
        # literal addresses as they are
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://[::ffff:a00:1]/hook",
        "https://[64:ff9b::7f00:1]/hook",
        "https://[2002:7f00:1::]/hook",
        "https://[fe80::1%25eth0]/hook",
        # as one number, octal, hexadecimal, short, with a dot behind
        "https://2130706433/hook",
        "https://017700000001/hook",
        "https://0x7f000001/hook",
        "https://0x7f.0.0.1/hook",
        "https://0177.0.0.1/hook",
        "https://0177.0.0.01/hook",
        "https://127.1/hook",
        "https://127.0.1/hook",
        "https://127.0.0.1./hook",
        "https://169.254.43518/hook",
        "https://4294967296/hook",
        # written with other signs
        "https://１２７.０.０.１/hook",
        "https://①②⑦.0.0.1/hook",
        "https://127。0。0。1/hook",
        "https://%31%32%37.0.0.1/hook",
        # with somebody before the host
        "https://user:pw@platform.example/hook",
        "https://user@platform.example/hook",
        "https://:pw@platform.example/hook",
        "https://platform.example@127.0.0.1/hook",
        "https://platform.example\\@127.0.0.1/hook",
        "https://127.0.0.1%00.platform.example/hook",
    ],
)
def test_targets_that_may_never_be_called(url: str) -> None:
    with pytest.raises(RefusedAddressError):
        check_target(url, NOWHERE)


@pytest.mark.parametrize(
    "url",
    [
        "https://platform.example:8443/hook",
        "https://平台.example/hook",
        "https://1.1.1.1/hook",
        "https://[2400:3200::1]:8443/hook",
        "https://platform.example/hook?next=http://127.0.0.1/",
        "https://4you.example/hook",
    ],
)
def test_a_public_https_target_passes(url: str) -> None:
    check_target(url, NOWHERE)


def test_whoever_is_vouched_for_is_vouched_for_at_that_port() -> None:
    check_target("http://127.0.0.1:9000/hook", frozenset({"127.0.0.1:9000"}))
    check_target("http://[fd00::5]:9000/hook", frozenset({"[fd00::5]:9000"}))
    for elsewhere in ("http://127.0.0.1:9001/hook", "http://127.0.0.2:9000/hook", "http://127.0.0.1/hook"):
        with pytest.raises(RefusedAddressError):
            check_target(elsewhere, frozenset({"127.0.0.1:9000"}))


def test_an_entry_with_a_scheme_allows_that_scheme_alone() -> None:
    secure = frozenset({"https://10.0.0.5:9000"})
    check_target("https://10.0.0.5:9000/hook", secure)
    with pytest.raises(RefusedAddressError):
        check_target("http://10.0.0.5:9000/hook", secure)


def test_nobody_vouches_for_an_address_in_disguise_or_with_a_password() -> None:
    allowed = frozenset({"2130706433:80", "http://2130706433:80", "127.0.0.1:80"})
    for url in ("http://2130706433/hook", "http://user:pw@127.0.0.1/hook"):
        with pytest.raises(RefusedAddressError):
            check_target(url, allowed)
