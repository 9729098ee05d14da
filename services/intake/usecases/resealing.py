"""The change of the vault's key, and words that an older version left open: sealed under the newest key, bit by bit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

from services.chassis.db import sql
from services.chassis.housekeeping.chore import Turn
from services.chassis.strongbox import Unopened
from services.chassis.telemetry import logger
from services.intake.usecases.identity import Sealer

Kind = Literal["identity", "words"]
_FIRST: Final = UUID(int=0)
_OLD_WORDS: Final = """
  SELECT report_id, sealed, text, place_words, note FROM @schema.vault
  WHERE report_id > :after AND erased_at IS NULL AND (sealed IS NULL OR substring(sealed FROM 1 FOR 4) <> :mark)
  ORDER BY report_id LIMIT :limit"""
_OLD_IDENTITIES: Final = """
  SELECT report_id, sealed FROM @schema.identities
  WHERE report_id > :after AND substring(sealed FROM 1 FOR 4) <> :mark ORDER BY report_id LIMIT :limit"""
_KEEP_WORDS: Final = """
  UPDATE @schema.vault SET sealed = :fresh, text = '', place_words = '', note = ''
  WHERE report_id = :report_id AND sealed IS NOT DISTINCT FROM :sealed AND erased_at IS NULL"""
_KEEP_IDENTITY: Final = """
  UPDATE @schema.identities SET sealed = :fresh WHERE report_id = :report_id AND sealed = :sealed"""


@dataclass(frozen=True, slots=True)
class Resealing:
    """The chore. When it finds nothing more, the old key's file may go."""

    sealer: Sealer
    every: timedelta = timedelta(days=1)
    name: str = "resealing"

    async def do(self, turn: Turn) -> None:
        """Both tables, in the order of their reports."""
        await self._walk(turn, "words", _OLD_WORDS, _KEEP_WORDS)
        await self._walk(turn, "identity", _OLD_IDENTITIES, _KEEP_IDENTITY)

    async def _walk(self, turn: Turn, kind: Kind, old: str, keep: str) -> None:
        after, lost = _FIRST, 0
        while True:
            await turn.stand_aside()
            asked = {"after": after, "mark": self.sealer.box.mark, "limit": turn.batch}
            rows = (await turn.connection.execute(sql(old, turn.schema), asked)).all()
            for row in rows:
                after = row.report_id
                try:
                    fresh = self._fresh(kind, row)
                except Unopened:
                    lost += 1
                    continue
                values = {"fresh": fresh, "report_id": row.report_id, "sealed": row.sealed}
                await turn.connection.execute(sql(keep, turn.schema), values)
            if len(rows) < turn.batch:
                break
        if lost:
            logger("housekeeping").warning("vault_key_missing", kind=kind, rows=lost)

    def _fresh(self, kind: Kind, row: Any) -> bytes:
        if row.sealed is None:
            return self.sealer.words(row.text, row.place_words, row.note, row.report_id)
        return self.sealer.anew(kind, bytes(row.sealed), row.report_id)
