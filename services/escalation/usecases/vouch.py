"""What the sending process knows of the places that may be called though they are not public."""

from __future__ import annotations

from services.chassis.db import Tx
from services.escalation.store import allowed


class AllowList:
    """Entries of the settings and those that an administrator made, as of the last look."""

    def __init__(self, fixed: frozenset[str]) -> None:
        self._fixed = fixed
        self._now = fixed

    def __call__(self) -> frozenset[str]:
        return self._now

    async def refresh(self, tx: Tx) -> None:
        """Look again; whoever sends does so before each round, so that what is taken back ends at once."""
        self._now = self._fixed | await allowed.in_force(tx)
