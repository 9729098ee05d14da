"""Where a phone begins: one page over plain HTTP that hands out the authority and tells what to do with it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from schemas.labels import LANGUAGES, Labels

READ_WITHIN: Final = 5.0
LONGEST_REQUEST: Final = 16 * 1024
STEPS: Final = ("lan.compare", "lan.install", "lan.trust", "lan.open")
CERTIFICATE: Final = "/grid-ca.crt"
HEAD: Final = (
    '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
)
STYLE: Final = "body{font:1.1em/1.6 sans-serif;max-width:36em;margin:1em auto;padding:0 1em}code{word-break:break-all}"


@dataclass(frozen=True, slots=True)
class Door:
    """What the page shows: the authority, its fingerprint, and the addresses it leads to."""

    authority: Path
    fingerprint: str
    form: str
    desk: str

    async def open(self, port: int) -> asyncio.Server:
        """Answer on all interfaces. Raises OSError where the port is taken."""
        return await asyncio.start_server(self._answer, "0.0.0.0", port, limit=LONGEST_REQUEST)  # noqa: S104 - its point

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(READ_WITHIN):
                request = await reader.readuntil(b"\r\n\r\n")
                writer.write(self.answer(request.split(b"\r\n", 1)[0].decode("latin-1")))
                await writer.drain()
        writer.close()

    def answer(self, request_line: str) -> bytes:
        """The whole answer to a request, head and body."""
        method, path = (*request_line.split(), "", "")[:2]
        if method != "GET":
            return _answer("405 Method Not Allowed", "text/plain", b"")
        if path == CERTIFICATE:
            return _answer("200 OK", "application/x-x509-ca-cert", self.authority.read_bytes())
        return _answer("200 OK", "text/html; charset=utf-8", self.page().encode())

    def page(self) -> str:
        """The steps in both languages; nothing on it needs JavaScript."""
        title = escape(Labels(LANGUAGES[0]).text("lan.title"))
        sections = "<hr>".join(self._steps(Labels(lang), lang) for lang in LANGUAGES)
        return f"{HEAD}<title>{title}</title><style>{STYLE}</style>{sections}</html>"

    def _steps(self, words: Labels, lang: str) -> str:
        rows = "".join(f"<li>{escape(words.text(step))}</li>" for step in STEPS)
        links = " · ".join(f'<a href="{escape(url)}">{escape(url)}</a>' for url in (self.form, self.desk))
        return (
            f'<section lang="{lang}"><h1>{escape(words.text("lan.title"))}</h1><ol>{rows}</ol>'
            f'<p><a href="{CERTIFICATE}">{escape(words.text("lan.certificate"))}</a></p>'
            f"<p><code>SHA-256 {self.fingerprint}</code></p><p>{links}</p></section>"
        )


def _answer(status: str, kind: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n\r\n"
    )
    return head.encode() + body
