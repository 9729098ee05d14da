"""A line to PostgreSQL that can be cut in the middle of a COMMIT, so that whoever asked cannot know its outcome."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
CHUNK = 65_536


class CuttingProxy:
    """Listens in a folder of its own and passes everything on to the socket in `behind`.

    After `cut(n)` the next n commits are cut off, by turns before the server hears of them and after it has obeyed.
    """

    def __init__(self, behind: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="grid-cut-", dir="/tmp"))
        self.cut_before = 0
        self.cut_after = 0
        self._behind = behind / SOCKET
        self._left = 0
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._line, self.folder / SOCKET)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for line in list(self._lines):
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)
        (self.folder / SOCKET).unlink(missing_ok=True)
        self.folder.rmdir()

    def cut(self, commits: int) -> None:
        """Cut the next so many commits."""
        self._left += commits

    def spare(self) -> None:
        """Cut none any more."""
        self._left = 0

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        try:
            server_reader, server_writer = await asyncio.open_unix_connection(self._behind)
        except OSError:
            writer.transport.abort()
            self._lines.discard(task)
            return
        cut = asyncio.Event()
        pumps = [
            asyncio.create_task(self._up(reader, server_writer, cut)),
            asyncio.create_task(_down(server_reader, writer, cut)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for one in (writer, server_writer):
                one.transport.abort()
            self._lines.discard(task)

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event) -> None:
        """From the client; ends where the line breaks."""
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if self._left and b"COMMIT" in data:
                    self._left -= 1
                    if self._left % 2:
                        self.cut_before += 1
                        return
                    self.cut_after += 1
                    cut.set()
                writer.write(data)
                await writer.drain()
                if cut.is_set():
                    await asyncio.sleep(5)  # until the server has answered into the cut line


async def _down(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event) -> None:
    """To the client; the answer to a cut commit goes nowhere, and ends the line."""
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            if cut.is_set():
                return
            writer.write(data)
            await writer.drain()
