"""Proof that the checker can fail: faults are planted in the very data it has just judged, one at a time, and undone.

Each planting happens inside a transaction that is rolled back; the system under it notices nothing but a short wait.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

import psycopg

from tests.chaos.checker import Checker, Violation
from tests.chaos.receiver import Seen

TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault, and the rule of a check that has to notice it. `forget` changes what was received."""

    name: str
    check: str
    rule: str
    statements: tuple[str, ...] = ()
    forget: Callable[[Seen], None] | None = None


def _lose_a_webhook(seen: Seen) -> None:
    seen.events.pop()


def _swap_a_webhook(seen: Seen) -> None:
    next(iter(seen.first_sight.values())).insert(0, 9)


def _forge_a_webhook(seen: Seen) -> None:
    seen.bad_signatures += 1


_REPORT = "(SELECT report_id FROM intake.reports WHERE imported IS NULL ORDER BY report_id LIMIT 1)"
_CASE = "(SELECT id FROM dispatch.cases ORDER BY id LIMIT 1)"
_EVENT = "(SELECT event_id FROM dispatch.outbox WHERE topic = 'grid.case.v1' ORDER BY event_id LIMIT 1)"
PLANTED: Final = (
    Planted(
        "an acknowledged report vanishes",
        "acknowledged",
        "lost",
        (f"DELETE FROM intake.reports WHERE report_id = {_REPORT}",),
    ),
    Planted(
        "an imported row vanishes",
        "acknowledged",
        "import",
        (
            "DELETE FROM intake.reports WHERE report_id ="
            " (SELECT report_id FROM intake.reports WHERE imported IS NOT NULL ORDER BY report_id LIMIT 1)",
        ),
    ),
    Planted(
        "a report loses its case",
        "cases",
        "no case",
        (
            f"DELETE FROM dispatch.case_texts WHERE report_id = {_REPORT}",
            f"DELETE FROM dispatch.report_photos WHERE report_id = {_REPORT}",
            f"DELETE FROM dispatch.case_reports WHERE report_id = {_REPORT}",
        ),
    ),
    Planted(
        "a fact is skipped",
        "facts",
        "facts not dense",
        (f"UPDATE dispatch.cases SET sequence = sequence + 1 WHERE id = {_CASE}",),
    ),
    Planted(
        "a case is not what its facts say",
        "facts",
        "facts and case differ",
        (f"UPDATE dispatch.cases SET body = jsonb_set(body::jsonb, '{{version}}', '77')::json WHERE id = {_CASE}",),
    ),
    Planted(
        "an event is unsaid",
        "facts",
        "fact without its event",
        (f"UPDATE dispatch.outbox SET event_id = gen_random_uuid() WHERE event_id = {_EVENT}",),
    ),
    Planted(
        "an event is not sent",
        "roads",
        "event never sent",
        (f"UPDATE dispatch.outbox SET published_at = NULL WHERE event_id = {_EVENT}",),
    ),
    Planted(
        "an event is not seen",
        "roads",
        "event never seen",
        (f"DELETE FROM escalation.inbox WHERE event_id = {_EVENT}",),
    ),
    Planted(
        "a timer fires that nobody announced",
        "timers",
        "timers",
        (
            "INSERT INTO escalation.firings (clock_id, rev, rung, case_id, due_at, fired_at, event_id)"
            " VALUES ('planted', 1, 1, 'planted', directory.grid_now(), directory.grid_now(), gen_random_uuid())",
        ),
    ),
    Planted(
        "an event is dead",
        "dead",
        "dead_letters",
        (
            "INSERT INTO dispatch.dead_letters (consumer, topic, part, off, key, headers, raw, error)"
            " VALUES ('planted', 'planted', 0, 0, '', '{}', '', 'planted')",
        ),
    ),
    Planted("a webhook is lost", "webhooks", "webhook", forget=_lose_a_webhook),
    Planted("a webhook overtakes", "webhooks", "webhook order", forget=_swap_a_webhook),
    Planted("a webhook is forged", "webhooks", "signature", forget=_forge_a_webhook),
)


def blind_spots(checker: Checker) -> list[Violation]:
    """Planted faults that the checker did not notice."""
    return [Violation("the checker is blind", planted.name) for planted in PLANTED if not _noticed(checker, planted)]


def _noticed(checker: Checker, planted: Planted) -> bool:
    truth = checker.seen
    for _ in range(TRIES):
        checker.seen = deepcopy(truth)
        try:
            if planted.forget is not None:
                planted.forget(checker.seen)
            return planted.rule in _rules_broken(checker, planted)
        except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
            continue  # the row was just changed by the running system
        finally:
            checker.seen = truth
    return False


def _rules_broken(checker: Checker, planted: Planted) -> set[str]:
    with checker.snapshot() as connection, connection.transaction(force_rollback=True):
        for statement in planted.statements:
            connection.execute(statement.encode())
        return {violation.rule for violation in checker.check(connection, only=planted.check)}
