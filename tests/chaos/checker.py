"""Compares what was promised with what is there. Reads the databases directly; every check names what it found."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.ledger import entries
from tests.chaos.receiver import Seen

SERVICES = ("intake", "dispatch", "escalation")


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise."""

    rule: str
    what: str


class Checker:
    """Asks one database, with the owner's rights. `quiet` waits; `check` judges."""

    def __init__(self, database_url: str, ledger: Path, seen: Seen) -> None:
        self._url = database_url
        self._ledger = ledger
        self._seen = seen

    def quiet(self, patience_s: float = 120.0) -> float:
        """Wait until nothing is on its way; answers how long that took. TimeoutError when it never comes."""
        began = time.monotonic()
        while time.monotonic() - began < patience_s:
            with psycopg.connect(self._url) as connection:
                left = {name: count for name, count in self._on_the_way(connection).items() if count}
            if not left:
                return time.monotonic() - began
            time.sleep(1.0)
        raise TimeoutError(f"still on the way after {patience_s:.0f} s: {left}")

    def check(self) -> list[Violation]:
        """Every broken promise; empty is the only good answer."""
        checks: Sequence[Callable[[psycopg.Connection[Any]], list[Violation]]] = (
            self._acknowledged,
            self._one_case_each,
            self._dense_facts,
            self._inboxes,
            self._held_and_dead,
            self._timers,
            self._webhooks,
        )
        with psycopg.connect(self._url) as connection:
            return [violation for one in checks for violation in one(connection)]

    def _on_the_way(self, connection: psycopg.Connection[Any]) -> dict[str, int]:
        left = {
            f"{service} outbox": _one(connection, f"SELECT count(*) FROM {service}.outbox WHERE published_at IS NULL")
            for service in SERVICES
        }
        left["reports without a case"] = _one(connection, _REPORTS_WITHOUT_CASE.format(select="count(*)"))
        left["events not seen"] = sum(_one(connection, query) for query in _UNSEEN.values())
        left["timers due"] = _one(connection, _TIMERS_DUE)
        left["deliveries"] = _one(
            connection, "SELECT count(*) FROM escalation.webhook_deliveries WHERE state IN ('waiting', 'sending')"
        )
        return left

    def _acknowledged(self, connection: psycopg.Connection[Any]) -> list[Violation]:
        stored = {str(row[0]): str(row[1]) for row in connection.execute("SELECT key, report_id FROM intake.ledger")}
        reports = {str(row[0]) for row in connection.execute("SELECT report_id FROM intake.reports")}
        found = []
        for entry in entries(self._ledger):
            if entry.acknowledged and entry.report_id not in reports:
                found.append(Violation("lost", f"acknowledged report {entry.report_id} is not there"))
            if entry.acknowledged and stored.get(entry.key) != entry.report_id:
                found.append(Violation("lost", f"key {entry.key} leads to {stored.get(entry.key)}"))
        return found

    def _one_case_each(self, connection: psycopg.Connection[Any]) -> list[Violation]:
        missing = connection.execute(_REPORTS_WITHOUT_CASE.format(select="r.report_id")).fetchall()
        empty = connection.execute(
            "SELECT c.case_no FROM dispatch.cases c"
            " WHERE NOT EXISTS (SELECT FROM dispatch.case_reports r WHERE r.case_id = c.id)"
        ).fetchall()
        foreign = connection.execute(
            "SELECT r.report_id FROM dispatch.case_reports r"
            " WHERE NOT EXISTS (SELECT FROM intake.reports i WHERE i.report_id = r.report_id)"
        ).fetchall()
        return [
            *(Violation("no case", f"report {row[0]}") for row in missing),
            *(Violation("case without report", str(row[0])) for row in empty),
            *(Violation("case of an unknown report", str(row[0])) for row in foreign),
        ]

    def _dense_facts(self, connection: psycopg.Connection[Any]) -> list[Violation]:
        broken = connection.execute(
            "SELECT c.case_no, c.sequence, count(f.*), min(f.sequence), max(f.sequence) FROM dispatch.cases c"
            " LEFT JOIN dispatch.case_facts f ON f.case_id = c.id GROUP BY c.case_no, c.sequence"
            " HAVING count(f.*) <> c.sequence OR min(f.sequence) <> 1 OR max(f.sequence) <> c.sequence"
        ).fetchall()
        backwards = connection.execute(
            "SELECT count(*) FROM (SELECT at < lag(at) OVER (PARTITION BY case_id ORDER BY sequence) AS back"
            " FROM dispatch.case_facts) AS steps WHERE back"
        ).fetchone()
        found = [
            Violation("facts not dense", f"{row[0]}: case {row[1]}, {row[2]} facts {row[3]}–{row[4]}") for row in broken
        ]
        if backwards is not None and backwards[0]:
            found.append(Violation("time ran back", f"{backwards[0]} facts"))
        return found

    def _inboxes(self, connection: psycopg.Connection[Any]) -> list[Violation]:
        return [
            Violation("event never seen", f"{count} of {road}")
            for road, query in _UNSEEN.items()
            if (count := _one(connection, query))
        ]

    def _held_and_dead(self, connection: psycopg.Connection[Any]) -> list[Violation]:
        found = []
        for service in SERVICES:
            for table in ("held_events", "dead_letters"):
                count = _one(connection, f"SELECT count(*) FROM {service}.{table}")
                if count:
                    found.append(Violation(table, f"{count} in {service}"))
        return found

    def _timers(self, connection: psycopg.Connection[Any]) -> list[Violation]:
        early = _one(connection, "SELECT count(*) FROM escalation.firings WHERE fired_at < due_at")
        orphans = _one(
            connection,
            "SELECT count(*) FROM escalation.sla_timers t WHERE state = 'fired' AND NOT EXISTS (SELECT FROM"
            " escalation.firings f WHERE (f.clock_id, f.rev, f.rung) = (t.clock_id, t.rev, t.rung))",
        )
        missed = _one(connection, _TIMERS_DUE)
        counts = {"fired early": early, "fired without a record": orphans, "missed": missed}
        return [Violation("timers", f"{count} {what}") for what, count in counts.items() if count]

    def _webhooks(self, connection: psycopg.Connection[Any]) -> list[Violation]:
        found: list[Violation] = []
        if self._seen.bad_signatures:
            found.append(Violation("signature", f"{self._seen.bad_signatures} did not verify"))
        wanted = {str(row[0]) for row in connection.execute(_WANTED_HOOKS)}
        missing = sorted(wanted - self._seen.events)
        found.extend(Violation("webhook", f"event {event} was never delivered") for event in missing)
        for case_no, numbers in self._seen.first_sight.items():
            if numbers != list(range(1, len(numbers) + 1)):
                found.append(Violation("webhook order", f"{case_no}: {numbers}"))
        return found


_REPORTS_WITHOUT_CASE = (
    "SELECT {select} FROM intake.reports r"
    " WHERE NOT EXISTS (SELECT FROM dispatch.case_reports c WHERE c.report_id = r.report_id)"
)
_TIMERS_DUE = (
    "SELECT count(*) FROM escalation.sla_timers"
    " WHERE state = 'armed' AND due_at < directory.grid_now() - interval '5 seconds'"
)
# Facts that make a webhook; what the platform subscribed to in these runs.
_WANTED_HOOKS = (
    "SELECT event_id FROM dispatch.outbox WHERE topic = 'grid.case.v1' AND headers->>'ce_type' IN"
    " ('case.overdue', 'case.escalated', 'case.supervised', 'case.closed', 'case.self_resolved', 'case.unfounded',"
    " 'case.reopened') AND created_at > (SELECT min(created_at) FROM escalation.webhook_endpoints)"
)
_ROADS = {
    "grid.report.v1": ("intake", ("dispatch",)),
    "grid.command.v1 from intake": ("intake", ("dispatch",)),
    "grid.case.v1": ("dispatch", ("intake", "escalation")),
    "grid.sla.v1": ("escalation", ("dispatch",)),
}
_UNSEEN = {
    f"{road} at {consumer}": (
        f"SELECT count(*) FROM {producer}.outbox o WHERE o.topic = '{road.split()[0]}' AND NOT EXISTS"
        f" (SELECT FROM {consumer}.inbox_seen i WHERE i.event_id = o.event_id)"
    )
    for road, (producer, consumers) in _ROADS.items()
    for consumer in consumers
}


def _one(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query).fetchone()  # type: ignore[call-overload] # built above from constants
    return int(row[0]) if row else 0
