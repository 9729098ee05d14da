"""A handler that keeps what it is given in a table, with faults on demand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.streams.handler import Poison, Received

CREATE = "CREATE TABLE IF NOT EXISTS dispatch.seen (nr bigserial, key text, seq int, said text CHECK (said <> 'bad'))"


@dataclass
class Recorder:
    """`before` may raise whatever it likes for a batch about to be applied."""

    before: Callable[[Sequence[Received]], None] = lambda _batch: None
    batches: list[list[int]] = field(default_factory=list)

    async def apply(self, tx: AsyncConnection, batch: Sequence[Received]) -> None:
        self.batches.append([received.envelope.sequence for received in batch])
        self.before(batch)
        for index, received in enumerate(batch):
            if received.envelope.data.text == "poison":  # type: ignore[attr-defined] # the test's own body
                raise Poison(index, "this one can never work")
            await tx.execute(
                text("INSERT INTO dispatch.seen (key, seq, said) VALUES (:key, :seq, :said)"),
                {
                    "key": received.envelope.subject,
                    "seq": received.envelope.sequence,
                    "said": received.envelope.data.text,  # type: ignore[attr-defined]
                },
            )
