"""The web servers of a process: plain HTTP, and TLS for other machines of the network where that is wanted."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI

from services.chassis.settings import HttpSettings
from services.chassis.telemetry import logger
from services.chassis.watchdog.answers import watch_answers
from services.chassis.watchdog.pulse import Pulse


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the process has one place for that."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def] # uvicorn's signature
        yield


def serve_http(
    app: FastAPI, http: HttpSettings, answers: Pulse, grace_s: float
) -> Callable[[asyncio.Event], Awaitable[None]]:
    """The application over plain HTTP; `answers` turns while it answers. At the end requests have `grace_s` left."""

    async def serve(stop: asyncio.Event) -> None:
        app.state.stop = stop  # endless answers (event streams) end with it
        server = _Server(_config(app, http, grace_s, lifespan="on"))
        listening = _listen(http.host, http.port)
        address = listening.getsockname()
        logger("serve").info("listening", host=address[0], port=address[1])
        serving = asyncio.ensure_future(server.serve(sockets=[listening]))
        stopping = asyncio.ensure_future(stop.wait())
        asking = asyncio.ensure_future(watch_answers(answers, address[:2]))
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        stopping.cancel()
        asking.cancel()
        await serving

    return serve


def serve_tls(app: FastAPI, http: HttpSettings, grace_s: float) -> Callable[[asyncio.Event], Awaitable[None]]:
    """The same application once more, for other machines of the network."""

    async def serve(stop: asyncio.Event) -> None:
        papers: dict[str, Any] = {"ssl_certfile": http.https_certificate, "ssl_keyfile": http.https_key}
        server = _Server(_config(app, http, grace_s, lifespan="off", **papers))
        listening = _listen(http.https_host, http.https_port)
        logger("serve").info("listening", host=http.https_host, port=http.https_port, tls=True)
        serving = asyncio.ensure_future(server.serve(sockets=[listening]))
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        stopping.cancel()
        await serving

    return serve


def _config(
    app: FastAPI, http: HttpSettings, grace_s: float, *, lifespan: Literal["on", "off"], **papers: Any
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan=lifespan,
        proxy_headers=bool(http.trusted_proxies),
        forwarded_allow_ips=http.trusted_proxies or None,
        timeout_graceful_shutdown=int(grace_s) - 2,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
        **papers,
    )


def _listen(host: str, port: int) -> socket.socket:
    """Bound before anything starts, so that a taken port is told at once and by name."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    made.set_inheritable(True)
    return made
