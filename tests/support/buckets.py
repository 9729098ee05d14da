"""A bucket of our own on this machine, and doors behind which something is wrong."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

BUCKET = "grid-pictures"
PATIENCE_S = 60.0
"""A server that has just been loaded answers its first request late on a busy machine."""
DENIED = b"""<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>"""


@dataclass(frozen=True)
class Bucket:
    """An S3 service with one bucket in it, which can be taken away and put back."""

    endpoint: str

    def settings(self, prefix: str) -> dict[str, str]:
        """What an installation would set."""
        return {
            "GRID_MEDIA_URL": f"s3://{BUCKET}/{prefix}",
            "GRID_MEDIA_ENDPOINT": self.endpoint,
            "GRID_MEDIA_REGION": "cn-south-1",
            "GRID_MEDIA_KEY_ID": "a-key",
            "GRID_MEDIA_SECRET": "a-secret",
        }

    def names(self) -> list[str]:
        """Everything in it."""
        listed = httpx.get(f"{self.endpoint}/{BUCKET}?list-type=2", trust_env=False, timeout=PATIENCE_S).text
        return [part.split("</Key>")[0] for part in listed.split("<Key>")[1:]]

    def make(self) -> None:
        httpx.put(f"{self.endpoint}/{BUCKET}", trust_env=False, timeout=PATIENCE_S).raise_for_status()

    def take_away(self) -> None:
        """With all that is in it."""
        httpx.post(f"{self.endpoint}/moto-api/reset", trust_env=False, timeout=PATIENCE_S).raise_for_status()


@contextmanager
def bucket() -> Iterator[Bucket]:
    """One on loopback, empty."""
    from moto.server import ThreadedMotoServer  # takes seconds to load

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        made = Bucket(f"http://{host}:{port}")
        made.make()
        yield made
    finally:
        server.stop()


@contextmanager
def door(answer: bytes | None) -> Iterator[str]:
    """An address that answers every request with `answer` (a whole HTTP response), or never at all."""
    closing = threading.Event()

    class Doorman(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            if answer is None:
                closing.wait(60)
            else:
                self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Doorman) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            closing.set()
            server.shutdown()
            serving.join()


def response(status: str, body: bytes) -> bytes:
    """A whole HTTP response."""
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/xml\r\ncontent-length: {len(body)}\r\nconnection: close"
    return head.encode() + b"\r\n\r\n" + body
