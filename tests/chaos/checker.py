"""Compares what was promised with what is there. Reads the databases directly; every check names what it found.

All of it happens in one snapshot of the database, taken when nothing is on its way that is older than a few seconds:
clocks keep running, so something very young always is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from tests.chaos import checks
from tests.chaos.checks import Beside
from tests.chaos.clocks import acted_early
from tests.chaos.facts import differing_cases, disordered, timer_faults, unarmed
from tests.chaos.ledger import entries
from tests.chaos.lists import lists_counted
from tests.chaos.questions import (
    BACKWARDS,
    CASES_WITHOUT_REPORT,
    FACTS_WITHOUT_EVENT,
    HOOKS_DELIVERED,
    HOOKS_KNOWN,
    HOOKS_WAITING,
    IMPORTED,
    NOT_DENSE,
    NOT_REACHED,
    REPORTS_OF_NOBODY,
    REPORTS_WITHOUT_CASE,
    TIMERS_DUE,
    UNSEEN,
    UNSENT,
    WANTED_HOOKS,
)
from tests.chaos.receiver import Seen
from tests.chaos.violation import Connection, Violation, one, rows

PATIENCE_S: Final = 300.0
"""How long things may be on their way once the faults are over. Slowness is told as a figure, not as a violation."""
LOOK_EVERY_S: Final = 0.5
Check = Callable[[Connection], list[Violation]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the checker found, and after how many seconds nothing was on its way any more."""

    quiet_after_s: float
    violations: tuple[Violation, ...]


class Checker:
    """Asks one database, with the owner's rights. `ledger` holds the reports, `beside` whatever else was noted."""

    def __init__(
        self,
        database_url: str,
        ledger: Path,
        seen: Seen,
        imported: int = 0,
        beside: Beside | None = None,
        absent: Seen | None = None,
    ) -> None:
        self._url = database_url
        self._ledger = ledger
        self._imported = imported
        self.beside = beside or Beside()
        self.seen = seen
        self.absent = absent
        """What came to a receiver that was away all the time and is there again. None: there is none."""

    def judge(self, patience_s: float = PATIENCE_S) -> Judgement:
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
            time.sleep(LOOK_EVERY_S)

    def snapshot(self) -> Connection:
        """A connection that sees one moment only."""
        connection = psycopg.connect(self._url)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return connection

    def check(self, connection: Connection, only: str | None = None) -> list[Violation]:
        """Every broken promise in this snapshot; empty is the only good answer. `only` names one of the checks."""
        wanted = self.checks.values() if only is None else [self.checks[only]]
        return [violation for each in wanted for violation in each(connection)]

    @property
    def checks(self) -> Mapping[str, Check]:
        """Every check by name."""
        beside: Mapping[str, Callable[[Connection, Beside], list[Violation]]] = {
            "photos": checks.photos_kept,
            "acts": checks.acts_done_once,
            "dead": checks.poison_kept,
            "pulses": checks.pulses_taken,
            "steps": checks.steps_legal,
            "firings": checks.firings_told,
            "order": checks.order_kept,
        }
        return {
            "acknowledged": self._acknowledged,
            "cases": self._one_case_each,
            "facts": self._facts,
            "roads": self._roads,
            "timers": self._timers,
            "clocks": acted_early,
            "lists": lists_counted,
            "webhooks": self._webhooks,
            **{name: self._with_ledgers(each) for name, each in beside.items()},
        }

    def _with_ledgers(self, check: Callable[[Connection, Beside], list[Violation]]) -> Check:
        return lambda connection: check(connection, self.beside)

    def _on_the_way(self, connection: Connection) -> dict[str, int]:
        counts = {
            "outboxes": sum(one(connection, query) for query in UNSENT.values()),
            "reports without a case": len(rows(connection, REPORTS_WITHOUT_CASE)),
            "events not seen": sum(one(connection, query) for query in UNSEEN.values()),
            "events not applied": sum(one(connection, query) for query in NOT_REACHED.values()),
            "timers due": one(connection, TIMERS_DUE),
            "deliveries": one(connection, HOOKS_WAITING),
            "pulses": len(checks.pulses_taken(connection, self.beside)),
        }
        return {what: count for what, count in counts.items() if count}

    def _acknowledged(self, connection: Connection) -> list[Violation]:
        stored = {str(key): str(report) for key, report in rows(connection, "SELECT key, report_id FROM intake.ledger")}
        reports = {str(row[0]) for row in rows(connection, "SELECT report_id FROM intake.reports")}
        found = []
        for entry in entries(self._ledger):
            if entry.acknowledged and entry.report_id not in reports:
                found.append(Violation("lost", f"acknowledged report {entry.report_id} is not there"))
            if entry.acknowledged and stored.get(entry.key) != entry.report_id:
                found.append(Violation("lost", f"key {entry.key} leads to {stored.get(entry.key)}"))
        imported = one(connection, IMPORTED)
        if imported != self._imported:
            found.append(Violation("import", f"{imported} of {self._imported} rows are reports"))
        return found

    def _one_case_each(self, connection: Connection) -> list[Violation]:
        questions = {
            "no case": REPORTS_WITHOUT_CASE,
            "case without report": CASES_WITHOUT_REPORT,
            "case of an unknown report": REPORTS_OF_NOBODY,
        }
        return [Violation(rule, str(row[0])) for rule, query in questions.items() for row in rows(connection, query)]

    def _facts(self, connection: Connection) -> list[Violation]:
        found = [
            Violation("facts not dense", f"{case}: sequence {sequence}, {count} facts {first}-{last}")
            for case, sequence, count, first, last in rows(connection, NOT_DENSE)
        ]
        if back := one(connection, BACKWARDS):
            found.append(Violation("time ran back", f"{back} facts"))
        if mute := one(connection, FACTS_WITHOUT_EVENT):
            found.append(Violation("fact without its event", f"{mute} facts"))
        found.extend(Violation("facts and case differ", case_no) for case_no in differing_cases(connection))
        return found

    def _roads(self, connection: Connection) -> list[Violation]:
        questions = {"event never sent": UNSENT, "event never seen": UNSEEN, "event never applied": NOT_REACHED}
        return [
            Violation(rule, f"{count} of {road}")
            for rule, roads in questions.items()
            for road, query in roads.items()
            if (count := one(connection, query))
        ]

    def _timers(self, connection: Connection) -> list[Violation]:
        early = one(connection, "SELECT count(*) FROM escalation.firings WHERE fired_at < due_at")
        found = [Violation("timers", f"{early} fired early")] if early else []
        found += [Violation("timers", what) for what in (*timer_faults(connection), *unarmed(connection))]
        found += [Violation("order of the timers", what) for what in disordered(connection)]
        mended = rows(connection, "SELECT what, clock_id, rev, rung FROM escalation.timer_repairs ORDER BY id")
        return [*found, *(Violation("timer mended", f"{row[0]}: {row[1:]}") for row in mended)]

    def _webhooks(self, connection: Connection) -> list[Violation]:
        every = [one.copy() for one in (self.seen, self.absent) if one is not None]
        wanted = {str(row[0]) for row in rows(connection, WANTED_HOOKS)}
        found = [violation for seen in every for violation in _received(seen, wanted)]
        came = {ident for seen in every for ident in seen.by_id}
        delivered = {row[0] for row in rows(connection, HOOKS_DELIVERED)} - came
        unknown = came - {row[0] for row in rows(connection, HOOKS_KNOWN)}
        if unknown:  # some have come since the snapshot was taken
            with psycopg.connect(self._url) as later:
                unknown -= {row[0] for row in rows(later, HOOKS_KNOWN)}
        found.extend(
            Violation("delivery log", f"{each} counts as delivered and never came") for each in sorted(delivered)
        )
        found.extend(Violation("delivery log", f"{each} came and stands nowhere") for each in sorted(unknown))
        dead = one(connection, "SELECT count(*) FROM escalation.webhook_deliveries WHERE state = 'dead'")
        return [*found, *([Violation("dead webhook", f"{dead} deliveries")] if dead else [])]


def _received(seen: Seen, wanted: set[str]) -> list[Violation]:
    """What is wrong with what one receiver got: each fact under one id, each case in order from 1 without a hole."""
    found: list[Violation] = []
    if seen.bad_signatures:
        found.append(Violation("signature", f"{seen.bad_signatures} did not verify"))
    missing = sorted(wanted - seen.events)
    found.extend(Violation("webhook", f"event {event} was never delivered") for event in missing)
    for case_no, numbers in seen.first_sight.items():
        if numbers != list(range(1, len(numbers) + 1)):
            found.append(Violation("webhook order", f"{case_no}: {numbers}"))
    renamed = [event for event, ids in seen.ids.items() if len(ids) > 1]
    return [*found, *(Violation("webhook id", f"event {event} came under several ids") for event in renamed)]


__all__ = ["Beside", "Checker", "Judgement", "Violation"]
