"""The only source of randomness: event ids in time order (UUIDv7) and secret tokens.

An id is not a secret: whatever opens a door is a `token`.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

_COUNTER_BITS = 42
_TAIL_BYTES = 4


class IdSource(Protocol):
    """Whatever hands out ids and tokens."""

    def uuid7(self) -> UUID:
        """A UUIDv7 greater than every one handed out before by this source."""
        ...

    def token(self, nbytes: int = 32) -> str:
        """`nbytes` of unguessable randomness as URL-safe text."""
        ...


class SystemIds:
    """Ids that rise strictly within one process, also within one millisecond and when the host's clock steps back.

    Layout (RFC 9562, method 1): 48 bits of milliseconds, a 42-bit counter that starts at random each millisecond
    with its top bit clear, 32 random bits.
    """

    def __init__(self, milliseconds: Callable[[], int] | None = None) -> None:
        self._milliseconds = milliseconds or _epoch_milliseconds
        self._lock = threading.Lock()
        self._last_ms = 0
        self._counter = 0

    def uuid7(self) -> UUID:
        with self._lock:
            ms, counter = self._advance()
        return uuid7_from(ms, counter, int.from_bytes(os.urandom(_TAIL_BYTES)))

    def token(self, nbytes: int = 32) -> str:
        return secrets.token_urlsafe(nbytes)

    def _advance(self) -> tuple[int, int]:
        ms = self._milliseconds()
        if ms > self._last_ms:
            self._last_ms, self._counter = ms, secrets.randbits(_COUNTER_BITS - 1)
        else:
            self._counter += 1
            if self._counter >> _COUNTER_BITS:  # borrowed a whole millisecond's ids: step into the next
                self._last_ms, self._counter = self._last_ms + 1, secrets.randbits(_COUNTER_BITS - 1)
        return self._last_ms, self._counter


def uuid7_from(milliseconds: int, counter: int = 0, tail: int = 0) -> UUID:
    """The UUIDv7 of a moment; with counter and tail 0 it is the smallest id of that millisecond."""
    high, low = counter >> 30, counter & ((1 << 30) - 1)
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76 | high << 64 | 0b10 << 62 | low << 32 | tail
    return UUID(int=value)


def _epoch_milliseconds() -> int:
    return time.time_ns() // 1_000_000
