"""Links to pictures for receivers: each opens one clean copy for a short while, and nothing can be guessed from it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson
from cryptography.exceptions import InvalidTag

from services.chassis.secretbox import SecretBox
from services.escalation.dialects.base import Link

PATH: Final = "/api/v1/attachments/"
_FOR: Final = "attachment"


class Links:
    """Makes and opens them. The name of the picture and its end are sealed inside, so no row has to be kept."""

    def __init__(self, box: SecretBox, base: str, lives: timedelta) -> None:
        self._box = box
        self._base = base.rstrip("/")
        self._lives = lives

    def made(self, pictures: Sequence[str], now: datetime) -> tuple[Link, ...]:
        """One link a picture, good from now on."""
        until = (now + self._lives).replace(microsecond=0)
        return tuple(Link(f"{n}.jpg", self._link(path, until), until) for n, path in enumerate(pictures, 1))

    def opened(self, token: str, now: datetime) -> str | None:
        """The picture that a token stands for; None for one that is forged, of another key, or over."""
        try:
            kind, path, until = orjson.loads(self._box.open(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))))
            fits = kind == _FOR and now < datetime.fromtimestamp(until, UTC)
        except (InvalidTag, binascii.Error, ValueError, TypeError, OverflowError):
            return None
        return str(path) if fits else None

    def _link(self, path: str, until: datetime) -> str:
        sealed = self._box.seal(orjson.dumps([_FOR, path, int(until.timestamp())]))
        return f"{self._base}{PATH}{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"
