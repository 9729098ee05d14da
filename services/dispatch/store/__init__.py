"""The SQL behind dispatch: one module per question, and the only rooms here that know a table.

`write` and `locks` are the worker's hot path: one JSON parameter per statement, case rows locked in id order.
`audience` holds the one rule of who may see which case; `queues` the one table of lists.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

Tx = AsyncConnection

__all__ = ["Tx"]
