"""A case that walks and is recorded as dispatch records it: facts, and what the rules were asked."""

from __future__ import annotations

from datetime import datetime

from schemas.asked import Asked, dump_asked
from schemas.cases import dump_fact
from services.dispatch.whatif.record import Record, Stored, record_of
from services.governance.acts import Around, Command, Fact, OpenCase
from services.governance.case import Case, advance, evolve
from services.governance.rulebook import Rulebook
from tests.support.governance import BOOK, Walk


def answered(
    case: Case | None, command: Command, book: Rulebook, now: datetime, around: Around
) -> tuple[tuple[Fact, ...], list[Stored]]:
    """The facts that follow, and the rows that are kept of them. Raises what the rules raise."""
    moment = max(now, case.last_at) if case is not None else now
    facts, _ = advance(case, command, book, moment, around)
    asked = Asked(moment, command, around, book.calendar.revision)
    kept = dump_asked(asked, opens=case is None)
    return facts, [(dump_fact(fact), kept if number == 0 else None) for number, fact in enumerate(facts)]


class RecordedWalk(Walk):
    """`rows` is what the database would hold."""

    def __init__(self, command: OpenCase | None = None, book: Rulebook = BOOK, around: Around | None = None) -> None:
        self.rows: list[Stored] = []
        super().__init__(command, book, around)

    def do(self, command: Command) -> tuple[Fact, ...]:
        facts, rows = answered(self._case, command, self.book, self.now, self.around)
        for fact in facts:
            self._case = evolve(self._case, fact)
        self.facts += facts
        self.rows += rows
        return facts

    @property
    def record(self) -> Record:
        return record_of(self.rows)

    @property
    def earlier_record(self) -> Record:
        """As a version kept it that did not keep what was asked."""
        return record_of([(body, None) for body, _ in self.rows])
