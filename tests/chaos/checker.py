"""Compares what was promised with what is there. Reads the databases directly; every check names what it found.

All of it happens in one snapshot of the database, taken when nothing is on its way: clocks keep running, so the next
moment may well have something on its way again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.facts import differing_cases, timer_faults
from tests.chaos.ledger import entries
from tests.chaos.questions import (
    BACKWARDS,
    CASES_WITHOUT_REPORT,
    FACTS_WITHOUT_EVENT,
    IMPORTED,
    NOT_DENSE,
    REPORTS_OF_NOBODY,
    REPORTS_WITHOUT_CASE,
    SERVICES,
    TIMERS_DUE,
    UNSEEN,
    UNSENT,
    WANTED_HOOKS,
)
from tests.chaos.receiver import Seen

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise."""

    rule: str
    what: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the checker found, and after how many seconds nothing was on its way any more."""

    quiet_after_s: float
    violations: tuple[Violation, ...]


class Checker:
    """Asks one database, with the owner's rights."""

    def __init__(self, database_url: str, ledger: Path, seen: Seen, imported: int = 0) -> None:
        self._url = database_url
        self._ledger = ledger
        self._imported = imported
        self.seen = seen

    def judge(self, patience_s: float = 120.0) -> Judgement:
        """Wait until nothing is on its way, then judge that very moment. What never arrives is a broken promise too."""
        began = time.monotonic()
        while True:
            with self.snapshot() as connection:
                left = self._on_the_way(connection)
                waited = time.monotonic() - began
                if not left:
                    return Judgement(waited, tuple(self.check(connection)))
                if waited > patience_s:
                    late = Violation("never quiet", f"after {patience_s:.0f} s: {left}")
                    return Judgement(waited, (late, *self.check(connection)))
            time.sleep(0.5)

    def snapshot(self) -> Connection:
        """A connection that sees one moment only."""
        connection = psycopg.connect(self._url)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return connection

    def check(self, connection: Connection, only: str | None = None) -> list[Violation]:
        """Every broken promise in this snapshot; empty is the only good answer. `only` names one of the checks."""
        checks: Mapping[str, Callable[[Connection], list[Violation]]] = {
            "acknowledged": self._acknowledged,
            "cases": self._one_case_each,
            "facts": self._facts,
            "roads": self._roads,
            "dead": self._held_and_dead,
            "timers": self._timers,
            "webhooks": self._webhooks,
        }
        wanted = checks.values() if only is None else [checks[only]]
        return [violation for one in wanted for violation in one(connection)]

    def _on_the_way(self, connection: Connection) -> dict[str, int]:
        counts = {
            "outboxes": sum(_one(connection, query) for query in UNSENT.values()),
            "reports without a case": len(_rows(connection, REPORTS_WITHOUT_CASE)),
            "events not seen": sum(_one(connection, query) for query in UNSEEN.values()),
            "timers due": _one(connection, TIMERS_DUE),
            "deliveries": _one(
                connection, "SELECT count(*) FROM escalation.webhook_deliveries WHERE state IN ('waiting', 'sending')"
            ),
        }
        return {what: count for what, count in counts.items() if count}

    def _acknowledged(self, connection: Connection) -> list[Violation]:
        stored = {
            str(key): str(report) for key, report in _rows(connection, "SELECT key, report_id FROM intake.ledger")
        }
        reports = {str(row[0]) for row in _rows(connection, "SELECT report_id FROM intake.reports")}
        found = []
        for entry in entries(self._ledger):
            if entry.acknowledged and entry.report_id not in reports:
                found.append(Violation("lost", f"acknowledged report {entry.report_id} is not there"))
            if entry.acknowledged and stored.get(entry.key) != entry.report_id:
                found.append(Violation("lost", f"key {entry.key} leads to {stored.get(entry.key)}"))
        rows = _one(connection, IMPORTED)
        if rows != self._imported:
            found.append(Violation("import", f"{rows} of {self._imported} rows are reports"))
        return found

    def _one_case_each(self, connection: Connection) -> list[Violation]:
        questions = {
            "no case": REPORTS_WITHOUT_CASE,
            "case without report": CASES_WITHOUT_REPORT,
            "case of an unknown report": REPORTS_OF_NOBODY,
        }
        return [Violation(rule, str(row[0])) for rule, query in questions.items() for row in _rows(connection, query)]

    def _facts(self, connection: Connection) -> list[Violation]:
        found = [
            Violation("facts not dense", f"{case}: sequence {sequence}, {count} facts {first}-{last}")
            for case, sequence, count, first, last in _rows(connection, NOT_DENSE)
        ]
        if back := _one(connection, BACKWARDS):
            found.append(Violation("time ran back", f"{back} facts"))
        if mute := _one(connection, FACTS_WITHOUT_EVENT):
            found.append(Violation("fact without its event", f"{mute} facts"))
        found.extend(Violation("facts and case differ", case_no) for case_no in differing_cases(connection))
        return found

    def _roads(self, connection: Connection) -> list[Violation]:
        unsent = {service: _one(connection, query) for service, query in UNSENT.items()}
        unseen = {road: _one(connection, query) for road, query in UNSEEN.items()}
        return [
            *(Violation("event never sent", f"{count} of {service}") for service, count in unsent.items() if count),
            *(Violation("event never seen", f"{count} of {road}") for road, count in unseen.items() if count),
        ]

    def _held_and_dead(self, connection: Connection) -> list[Violation]:
        tables = [(service, table) for service in SERVICES for table in ("held_events", "dead_letters")]
        counts = {
            (service, table): _one(connection, f"SELECT count(*) FROM {service}.{table}") for service, table in tables
        }
        found = [Violation(table, f"{count} in {service}") for (service, table), count in counts.items() if count]
        dead = _one(connection, "SELECT count(*) FROM escalation.webhook_deliveries WHERE state = 'dead'")
        return [*found, *([Violation("dead webhook", f"{dead} deliveries")] if dead else [])]

    def _timers(self, connection: Connection) -> list[Violation]:
        early = _one(connection, "SELECT count(*) FROM escalation.firings WHERE fired_at < due_at")
        found = [Violation("timers", f"{early} fired early")] if early else []
        return [*found, *(Violation("timers", what) for what in timer_faults(connection))]

    def _webhooks(self, connection: Connection) -> list[Violation]:
        found: list[Violation] = []
        if self.seen.bad_signatures:
            found.append(Violation("signature", f"{self.seen.bad_signatures} did not verify"))
        wanted = {str(row[0]) for row in _rows(connection, WANTED_HOOKS)}
        missing = sorted(wanted - self.seen.events)
        found.extend(Violation("webhook", f"event {event} was never delivered") for event in missing)
        for case_no, numbers in self.seen.first_sight.items():
            if numbers != list(range(1, len(numbers) + 1)):
                found.append(Violation("webhook order", f"{case_no}: {numbers}"))
        return found


def _rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def _one(connection: Connection, query: str) -> int:
    return int(_rows(connection, query)[0][0])
