"""Where a reader stands, as text for the `id:` of an event."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime

from services.dispatch.store.feed import Seen

LONGEST = 2000
"""Characters; some hundred transactions at once make about half of it."""
_VERSION = "2"
_OLDER = "1"  # a place below which everything had been seen: number of a transaction, number of a row, moment


class Reset(Exception):
    """The reader must load its lists again: its cursor is unknown or too old, or it is too far behind."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """What its reader has seen, and when. It holds in every process and after restarts."""

    seen: Seen
    at: datetime

    def encode(self) -> str:
        behind = ".".join(str(self.seen.ahead - each) for each in self.seen.running)
        raw = f"{_VERSION}.{self.seen.ahead}.{int(self.at.timestamp())}.{behind}"
        return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Raises Reset for anything that no process of ours has handed out."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
            version, *parts = raw.split(".")
            numbers = [_number(part) for part in parts if part]
            if version == _OLDER and len(numbers) == 3:
                return cls(Seen(numbers[0]), datetime.fromtimestamp(numbers[2], UTC))
            if version != _VERSION or len(numbers) < 2:
                raise Reset
            ahead, at, *behind = numbers
            return cls(Seen(ahead, tuple(sorted(ahead - each for each in behind))), datetime.fromtimestamp(at, UTC))
        except (ValueError, binascii.Error, OverflowError, OSError) as error:
            raise Reset from error


def _number(text: str) -> int:
    if not text.isdigit() or not text.isascii() or len(text) > 20:
        raise Reset
    return int(text)
