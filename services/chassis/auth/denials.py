"""Refusals of what somebody has no right to, for the record: once a minute for the same person and route."""

from __future__ import annotations

from collections.abc import Callable

from services.chassis.audit import Audited, Entry, Outcome, record
from services.chassis.auth.person import Person
from services.chassis.db import Database, is_transient
from services.chassis.telemetry import logger

_GAP_S = 60.0
_MOST = 10_000


class Denials:
    """One per process. The answer has been given already: a database that is away costs the row, not the answer."""

    def __init__(self, db: Database, monotonic: Callable[[], float]) -> None:
        self._db = db
        self._monotonic = monotonic
        self._noted: dict[tuple[str, str, str], float] = {}

    async def note(self, person: object, method: str, route: str, code: str) -> None:
        """`code` is the problem's."""
        assert isinstance(person, Person)
        key, now = (person.account_id, method, route), self._monotonic()
        if now < self._noted.get(key, float("-inf")) + _GAP_S:
            return
        if len(self._noted) >= _MOST:
            self._noted.clear()
        self._noted[key] = now
        entry = Entry(Audited.ACCESS_DENIED, person.account_id, f"{method} {route}", Outcome.REFUSED, code)
        try:
            async with self._db.transaction() as tx:
                await record(tx, entry)
        except Exception as error:
            if not is_transient(error):
                raise
            logger("auth").warning("denial_not_recorded", account_id=person.account_id, error=type(error).__name__)
