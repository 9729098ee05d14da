"""The SQL of intake, one method per named question. `Tx` is the transaction that callers hand through."""

from sqlalchemy.ext.asyncio import AsyncConnection

Tx = AsyncConnection

__all__ = ["Tx"]
