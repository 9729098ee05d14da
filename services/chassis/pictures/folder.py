"""Pictures in a folder of this machine, or in one that several machines share.

A file is written aside, brought to the disk and named in one step, so that a crash leaves the whole of it or none.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile

from services.chassis.pictures.shelf import old_files, publish, remove_old
from services.chassis.pictures.store import PAGE, PictureMissing


class FolderStore:
    """All below `root`, which is made when first needed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def describe(self) -> str:
        return str(self.root)

    async def put(self, path: str, content: bytes) -> None:
        await asyncio.to_thread(self._put, path, content)

    async def get(self, path: str) -> bytes:
        try:
            return await asyncio.to_thread((self.root / path).read_bytes)
        except FileNotFoundError:
            raise PictureMissing(path) from None

    async def remove(self, path: str) -> None:
        await asyncio.to_thread((self.root / path).unlink, missing_ok=True)

    async def old(self, below: str, before: float) -> AsyncIterator[list[str]]:
        found = old_files(self.root / below, before)
        while page := await asyncio.to_thread(lambda: list(islice(found, PAGE))):
            yield page

    async def remove_old(self, below: str, paths: Sequence[str], before: float) -> int:
        return await asyncio.to_thread(lambda: sum(remove_old(self.root / below / path, before) for path in paths))

    def _put(self, path: str, content: bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = NamedTemporaryFile(dir=target.parent, prefix=".", suffix=".new", delete=False)  # noqa: SIM115 - named below
        written = Path(aside.name)
        try:
            with aside:
                aside.write(content)
                os.fchmod(aside.fileno(), 0o640)
            publish(written, target)
        except BaseException:
            written.unlink(missing_ok=True)
            raise
