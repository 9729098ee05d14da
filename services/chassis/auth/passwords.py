"""argon2id, two at a time and never on the event loop: a hash costs about 20 MB and some 30 ms of a core."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2
MIN_LENGTH = 8
MAX_LENGTH = 256


class WeakPassword(ValueError):
    """The password is too short, too long, the login itself, or one single character over and over."""


def check_strength(password: str, login: str) -> None:
    """Raises WeakPassword. Length decides; there are no composition rules."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    if len(set(password)) < 4 or login.lower() in password.lower() or _is_run(password):
        raise WeakPassword("this password is easily guessed")


def _is_run(password: str) -> bool:
    """'12345678', 'abcdefgh', '87654321': each character next to the one before."""
    steps = {ord(b) - ord(a) for a, b in pairwise(password)}
    return steps in ({1}, {-1})


class Passwords:
    """Hashes and verifies. One per process; `close()` it at the end."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._decoy = self._hasher.hash("no account has this password")

    def hash_now(self, password: str) -> str:
        """Blocking: for commands and loaders, not for requests."""
        return self._hasher.hash(password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """True if it fits. Without a stored hash a decoy is tried, so that unknown accounts take as long."""
        async with self._slots:
            fits = await asyncio.get_running_loop().run_in_executor(
                self._pool, self._fits, stored or self._decoy, password[: MAX_LENGTH + 1]
            )
        return fits and stored is not None

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _fits(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
