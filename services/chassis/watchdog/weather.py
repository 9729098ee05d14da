"""Whether the database and the broker are there at all, asked anew: a loop that waits for them is not hung."""

from __future__ import annotations

import asyncio
from typing import Final

from aiokafka.errors import KafkaError
from sqlalchemy import text

from services.chassis.db import Database, is_transient
from services.chassis.kafka import KafkaAddress, admin_client
from services.chassis.storage import DatabaseRoom

WITHIN_S: Final = 8.0
_ASK: Final = text("SELECT 1")


class Weather:
    """The excuse of a loop that needs the database and, with an address, the broker."""

    def __init__(self, db: Database, broker: KafkaAddress | None = None) -> None:
        self._db = db
        self._broker = broker

    async def excuse(self) -> str | None:
        """Names what does not answer."""
        if not await self._database_answers():
            return "the database"
        if not await self._has_room():
            return "room on the database's disk"
        if self._broker is not None and not await self._broker_answers(self._broker):
            return "the broker"
        return None

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(WITHIN_S), self._db.session() as connection:
                await connection.execute(_ASK)
        except Exception as error:
            if not is_transient(error):
                raise
            return False
        return True

    async def _has_room(self) -> bool:
        try:
            return await DatabaseRoom(self._db).there()
        except Exception as error:
            if not is_transient(error):
                raise
            return False

    async def _broker_answers(self, address: KafkaAddress) -> bool:
        try:
            async with asyncio.timeout(WITHIN_S), admin_client(address):
                return True
        except (KafkaError, OSError, TimeoutError):
            return False
