"""Passwords: strength by length and obviousness, argon2id off the event loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.chassis.auth.passwords import Passwords, WeakPassword, check_strength


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


@pytest.mark.parametrize(
    "password", ["short", "12345678", "87654321", "abcdefghij", "aaaaaaaaaa", "wangge01-2026", "x" * 257, "ababababab"]
)
def test_guessable_passwords_are_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        check_strength(password, "wangge01")


@pytest.mark.parametrize("password", ["fengcheng-2026", "correct horse battery", "我们的街道很美丽呀", "k9$w" * 60])
def test_no_composition_rules_for_long_ones(password: str) -> None:
    check_strength(password, "wangge01")


def test_a_hash_is_argon2id_with_its_own_salt(passwords: Passwords) -> None:
    one, two = passwords.hash_now("fengcheng-2026"), passwords.hash_now("fengcheng-2026")
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != two


@pytest.mark.anyio
async def test_only_the_right_password_fits(passwords: Passwords) -> None:
    stored = passwords.hash_now("fengcheng-2026")
    assert await passwords.verify(stored, "fengcheng-2026")
    assert not await passwords.verify(stored, "fengcheng-2027")
    assert not await passwords.verify("not a hash", "fengcheng-2026")
    assert not await passwords.verify(None, "no account has this password"), "the decoy opens nothing"
