"""Personal words at rest: AES-256-GCM under a folder of keys, so that the key can be changed while all is running.

What is sealed names its key and is bound to what it is about: copied to another row it does not open. The key whose
file name comes last seals, all of them open. So a key is changed by adding a file, letting housekeeping seal the old
rows anew, and taking the old file away.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.chassis.secretbox import read_or_make_key

_MARK: Final = 4
_NONCE: Final = 12
_SUFFIX: Final = ".key"
_FIRST: Final = f"0001{_SUFFIX}"


class Unopened(Exception):
    """The key is not here, or the bytes belong to something else; holds nothing of what was sealed."""


class Strongbox:
    """Seals and opens. `keys` in the order of their files: the last one seals."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {_mark(key): AESGCM(key) for key in keys}
        self.mark = _mark(keys[-1])
        """What everything sealed from now on begins with."""

    def seal(self, plain: bytes, about: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return self.mark + nonce + self._keys[self.mark].encrypt(nonce, plain, about)

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """What was sealed under the same `about`. Raises Unopened."""
        key = self._keys.get(sealed[:_MARK])
        if key is None:
            raise Unopened("sealed under a key that is not in the folder of keys")
        try:
            return key.decrypt(sealed[_MARK : _MARK + _NONCE], sealed[_MARK + _NONCE :], about)
        except InvalidTag:
            raise Unopened("not what was sealed about this") from None


def strongbox(folder: Path) -> Strongbox:
    """The keys in `folder`, in the order of their names; the first is made where there is none.

    Raises ValueError for a key file that does not hold 32 bytes.
    """
    names = sorted(path.name for path in folder.glob(f"*{_SUFFIX}")) or [_FIRST]
    return Strongbox([read_or_make_key(folder / name) for name in names])


def _mark(key: bytes) -> bytes:
    return hashlib.sha256(b"grid strongbox key\0" + key).digest()[:_MARK]
