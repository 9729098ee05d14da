"""A place for finished pictures, whatever it is: a folder of this machine or a bucket.

Paths are made by the services, never given from outside, and each is given once: who stores again takes a new name.
So whatever no row names and is old can be removed without asking who might be writing it just now.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final, Protocol

PAGE: Final = 500
"""Paths that `old` gives at a time."""


class PictureMissing(LookupError):
    """Nothing lies under this path."""


class StoreAway(Exception):
    """The store cannot be used just now; the same may be tried again. `why`: unreachable | denied | no_bucket."""

    def __init__(self, why: str, told: str = "") -> None:
        super().__init__(f"the picture store: {why} {told}".strip())
        self.why = why


class PictureStore(Protocol):
    """What the services ask of it. All but `describe` raise StoreAway, and OSError for a disk that is full."""

    def describe(self) -> str:
        """Where it is, in words for whoever runs the machine; no secrets."""
        ...

    async def put(self, path: str, content: bytes) -> None:
        """Keep it, durably once this returns."""
        ...

    async def get(self, path: str) -> bytes:
        """The bytes. Raises PictureMissing."""
        ...

    async def remove(self, path: str) -> None:
        """Take it away if it is there."""
        ...

    def old(self, below: str, before: float) -> AsyncIterator[list[str]]:
        """Paths relative to `below` of all that was not written since `before` (epoch seconds), in pages."""
        ...

    async def remove_old(self, below: str, paths: Sequence[str], before: float) -> int:
        """Take away those of `paths` that are still old; how many went."""
        ...


def thumb_of(path: str) -> str:
    """Where the small copy of a picture lies."""
    return f"{path.removesuffix('.jpg')}.thumb.jpg"


async def probe(store: PictureStore, name: str) -> None:
    """Write, read and remove a little. Raises StoreAway, OSError; `name` should be nobody else's."""
    path, content = f"probe/{name}", name.encode()
    await store.put(path, content)
    try:
        if await store.get(path) != content:
            raise StoreAway("unreachable", "it gave back something else than was put")
    except PictureMissing as error:
        raise StoreAway("unreachable", "what was put is not there") from error
    await store.remove(path)
