"""Short messages: what a gateway has to offer, and one that writes them to a file for somebody else to send."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from services.escalation.webhooks.client import Outcome


class Texter(Protocol):
    """Whatever can send a short message."""

    async def send(self, message_id: UUID, to: str, words: str, at: datetime) -> Outcome:
        """One attempt; never raises for what the other side does."""
        ...


class FileTexter:
    """One JSON line a message: `{id, at, to, text}`. The same id twice is the same message."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, message_id: UUID, to: str, words: str, at: datetime) -> Outcome:
        line = json.dumps({"id": str(message_id), "at": at.isoformat(), "to": to, "text": words}, ensure_ascii=False)
        try:
            await asyncio.to_thread(self._append, line.encode() + b"\n")
        except OSError as error:
            return Outcome(None, type(error).__name__, 0, "")
        return Outcome(200, None, 0, "")

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
