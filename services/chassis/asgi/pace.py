"""How fast one caller may go on: per account and per network address, told in words and in `Retry-After`.

Each key may save up a burst and then goes at a steady rate. Counted in the memory of the process: no request waits for
it, and a service of several processes allows each of them as much. It holds back a script or a broken client; whom it
holds back loses nothing, since what he did not get in may be sent again under the same key.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.chassis.asgi.problem import Problem
from services.chassis.network import network_of

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_KEYS: Final = 100_000
_OPEN: Final = ("/t/", "/open311/")
"""What anybody may read without a sign-in."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`burst` requests at once, then `per_minute`. 0 a minute: no limit."""

    per_minute: int
    burst: int


class Bucket:
    """The requests of many keys under one budget. For each key it remembers when its burst will be whole again."""

    def __init__(self, budget: Budget, now: Callable[[], float], *, most_keys: int = _MOST_KEYS) -> None:
        self._apart = 60.0 / budget.per_minute if budget.per_minute else 0.0
        self._ahead = self._apart * (budget.burst - 1)
        self._now = now
        self._most = most_keys
        self._whole: dict[str, float] = {}

    def take(self, key: str) -> float:
        """Seconds to wait; 0.0: may go on, and is counted."""
        if not self._apart:
            return 0.0
        now = self._now()
        whole = max(self._whole.get(key, now), now)
        if whole - now > self._ahead:
            return whole - now - self._ahead
        if len(self._whole) >= self._most:
            self._forget(now)
        self._whole[key] = whole + self._apart
        return 0.0

    def _forget(self, now: float) -> None:
        """Whose burst is whole needs no place; if all are at it at once, everybody begins anew."""
        self._whole = {key: whole for key, whole in self._whole.items() if whole > now}
        if len(self._whole) >= self._most:
            self._whole.clear()


@dataclass(frozen=True, slots=True)
class Budgets:
    """What one account and one address may do: unsafe requests, pieces of photos, and looks at public pages."""

    account: Budget
    account_photos: Budget
    address: Budget
    address_photos: Budget
    pages: Budget


class Pace:
    """Asked by the edge for the address of every request, and by the sign-in for the account behind it."""

    def __init__(self, budgets: Budgets, now: Callable[[], float]) -> None:
        self._account, self._account_photos = Bucket(budgets.account, now), Bucket(budgets.account_photos, now)
        self._address, self._address_photos = Bucket(budgets.address, now), Bucket(budgets.address_photos, now)
        self._pages = Bucket(budgets.pages, now)

    def by_address(self, method: str, path: str, address: str | None) -> Problem | None:
        """A refusal, if the address goes too fast."""
        if method in SAFE:
            bucket = self._pages if path.startswith(_OPEN) else None
        else:
            bucket = self._address_photos if _is_photo(path) else self._address
        if bucket is None or address is None:
            return None
        return _refusal(bucket.take(network_of(address)), "address")

    def by_account(self, method: str, path: str, account: str) -> None:
        """Raises Problem 429 `too_fast` if the account goes too fast."""
        if method in SAFE:
            return
        bucket = self._account_photos if _is_photo(path) else self._account
        refused = _refusal(bucket.take(account), "account")
        if refused is not None:
            raise refused


def _is_photo(path: str) -> bool:
    return "/photos/" in path


def _refusal(wait_s: float, whose: str) -> Problem | None:
    if wait_s <= 0:
        return None
    seconds = math.ceil(wait_s)
    return Problem(
        429, "too_fast", headers={"retry-after": str(seconds)}, extra={"retry_after_s": seconds, "whose": whose}
    )
