"""The three services of the access tests' street behind real sockets, in a thread of their own. Nothing stays."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from tests.integration.access.world import World, world_at

START_S = 120.0


@dataclass(slots=True)
class Ground:
    """Where each service listens, and what stands there."""

    addresses: Mapping[str, str]
    world: World


class _Server(uvicorn.Server):
    """Leaves signals to pytest."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def] # uvicorn's signature
        yield


@contextlib.contextmanager
def ground_at(url: str, home: Path) -> Iterator[Ground]:
    """Everything up; ends with the block. A fault of the start is raised here."""
    holder = _Holder(url, home)
    thread = threading.Thread(target=holder.run, name="services", daemon=True)
    thread.start()
    assert holder.ready.wait(START_S), "the services did not start"
    try:
        if holder.failed is not None:
            raise holder.failed
        assert holder.ground is not None
        yield holder.ground
    finally:
        holder.end()
        thread.join(START_S)


class _Holder:
    """The thread's own loop, and what it hands out."""

    def __init__(self, url: str, home: Path) -> None:
        self._url = url
        self._home = home
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self.ready = threading.Event()
        self.ground: Ground | None = None
        self.failed: Exception | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._life())
        except Exception as error:  # noqa: BLE001 - raised again where somebody waits for it
            self.failed = error
        finally:
            self.ready.set()

    def end(self) -> None:
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    async def _life(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with world_at(self._url, self._home) as world:
            servers = {name: _server(app) for name, app in world.apps.items()}
            serving = [asyncio.create_task(server.serve(sockets=[sock])) for server, sock in servers.values()]
            addresses = {name: f"http://127.0.0.1:{sock.getsockname()[1]}" for name, (_, sock) in servers.items()}
            self.ground = Ground(addresses, world)
            self.ready.set()
            await self._stop.wait()
            for server, _ in servers.values():
                server.should_exit = True
            await asyncio.gather(*serving)


def _server(app: object) -> tuple[uvicorn.Server, socket.socket]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(100)  # whoever comes before the server looks waits his turn
    config = uvicorn.Config(
        app,  # type: ignore[arg-type] # uvicorn's type of an application is narrower than ASGI
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=5,
    )
    return _Server(config), listening
