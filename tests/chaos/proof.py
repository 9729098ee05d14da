"""Proof that the checker can fail: faults are planted in the very data it has just judged, one at a time, and undone.

Each planting happens inside a transaction that is rolled back; the system under it notices nothing but a short wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import psycopg

from tests.chaos.checker import Beside, Checker, Violation
from tests.chaos.ledger import Deed, PhotoEntry, PoisonEntry
from tests.chaos.receiver import Seen

TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault, and the rule of a check that has to notice it.

    `forget` changes what was received, `claim` what was noted beside the reports.
    """

    name: str
    check: str
    rule: str
    statements: tuple[str, ...] = ()
    forget: Callable[[Seen], None] | None = None
    claim: Callable[[Beside], Beside] | None = None


def _lose_webhooks(seen: Seen) -> None:
    seen.events.clear()


def _swap_a_webhook(seen: Seen) -> None:
    next(iter(seen.first_sight.values())).insert(0, 9)


def _forge_a_webhook(seen: Seen) -> None:
    seen.bad_signatures += 1


def _rename_a_webhook(seen: Seen) -> None:
    next(iter(seen.ids.values())).add("another id")


def _claim_a_photo(beside: Beside) -> Beside:
    return replace(beside, photos=(*beside.photos, PhotoEntry("x", True, "x", "x")))


def _claim_an_act(beside: Beside) -> Beside:
    return replace(beside, deeds=(*beside.deeds, Deed("x", "done", "x", "x", "close", 2)))


def _deny_an_act(beside: Beside) -> Beside:
    return replace(beside, deeds=tuple(replace(deed, outcome="refused") for deed in beside.deeds))


def _claim_poison(beside: Beside) -> Beside:
    return replace(beside, poison=(*beside.poison, PoisonEntry("x", True, "grid.sla.v1", "dead")))


def _claim_a_pulse(beside: Beside) -> Beside:
    return replace(beside, pulses=(*beside.pulses, UUID(int=1)))


_REPORT = "(SELECT report_id FROM intake.reports WHERE imported IS NULL ORDER BY report_id LIMIT 1)"
_CASE = "(SELECT id FROM dispatch.cases ORDER BY id LIMIT 1)"
_EVENT = "(SELECT event_id FROM dispatch.outbox WHERE topic = 'grid.case.v1' ORDER BY event_id LIMIT 1)"
_FIRST_OF_MANY = (
    "(SELECT event_id FROM dispatch.outbox WHERE topic = 'grid.case.v1' AND seq = 1 AND published_at IS NOT NULL"
    " AND key IN"
    " (SELECT key FROM dispatch.outbox WHERE topic = 'grid.case.v1' AND seq = 2 AND published_at IS NOT NULL)"
    " ORDER BY event_id LIMIT 1)"
)
_OTHER_CASE = "(SELECT id FROM dispatch.cases ORDER BY id DESC LIMIT 1)"


def _fact(left: str, reached: str, op_id: str, case: str = _CASE) -> str:
    """One more fact of a case, in SQL."""
    return (
        "INSERT INTO dispatch.case_facts"
        " (case_id, sequence, fact_id, version, kind, at, stage, from_state, to_state, body)"
        f" SELECT {case}, 9999, gen_random_uuid(), 9999, 'case.noted', directory.grid_now(), 'discovery',"
        f" {left}, {reached}, json_build_object('op_id', {op_id}::text)"
    )


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
    Planted("a held event is nobody's", "dead", "dead_letters", claim=_claim_poison),
    Planted(
        "a clock has no timer",
        "timers",
        "timers",
        ("UPDATE escalation.sla_timers SET state = 'disarmed' WHERE state = 'armed'",),
    ),
    Planted(
        "a timer had to be mended",
        "timers",
        "timer mended",
        (
            "WITH made AS (INSERT INTO escalation.timer_checks (started_at) VALUES (now()) RETURNING id)"
            " INSERT INTO escalation.timer_repairs (check_id, what, case_id, clock_id, rev, rung, due_at)"
            " SELECT id, 'missing', 'planted', 'planted', 1, 1, now() FROM made",
        ),
    ),
    Planted(
        "a firing is told to nobody",
        "firings",
        "timers",
        (
            "INSERT INTO escalation.firings (clock_id, rev, rung, case_id, due_at, fired_at, event_id)"
            " VALUES ('planted', 1, 1, 'planted', directory.grid_now(), directory.grid_now(), gen_random_uuid())",
        ),
    ),
    Planted(
        "an event overtakes on its topic",
        "order",
        "order on the topic",
        (f'UPDATE dispatch.outbox SET "offset" = "offset" + 1000000 WHERE event_id = {_FIRST_OF_MANY}',),
    ),
    Planted(
        "a list is miscounted",
        "lists",
        "count of a list",
        ("INSERT INTO dispatch.queue_deltas (token, queue, open, overdue) VALUES ('s:*', 'intake', 1, 0)",),
    ),
    Planted(
        "a case stands in a list where it does not belong",
        "lists",
        "case in a wrong list",
        (
            "UPDATE dispatch.cases SET queues = queues || '{whistles}' WHERE id = (SELECT id FROM dispatch.cases"
            " WHERE live AND state <> 'at_district' ORDER BY turns_at DESC NULLS FIRST LIMIT 1)",
        ),
    ),
    Planted("a step is illegal", "steps", "illegal step", (_fact("'closed'", "'reported'", "NULL"),)),
    Planted(
        "an act is done twice",
        "acts",
        "act doubled",
        (_fact("NULL", "NULL", "'planted'"), _fact("NULL", "NULL", "'planted'", case=_OTHER_CASE)),
    ),
    Planted("an act is lost", "acts", "act lost", claim=_claim_an_act),
    Planted("a refused act is done", "acts", "refused act done", claim=_deny_an_act),
    Planted("a photo is lost", "photos", "photo lost", claim=_claim_a_photo),
    Planted("a pulse is lost", "pulses", "pulse lost", claim=_claim_a_pulse),
    Planted("webhooks are lost", "webhooks", "webhook", forget=_lose_webhooks),
    Planted("a webhook has two ids", "webhooks", "webhook id", forget=_rename_a_webhook),
    Planted("a delivery never came", "webhooks", "delivery log", forget=lambda seen: seen.by_id.clear()),
    Planted("a webhook overtakes", "webhooks", "webhook order", forget=_swap_a_webhook),
    Planted("a webhook is forged", "webhooks", "signature", forget=_forge_a_webhook),
)


def blind_spots(checker: Checker) -> list[Violation]:
    """Planted faults that the checker did not notice."""
    return [Violation("the checker is blind", planted.name) for planted in PLANTED if not _noticed(checker, planted)]


def _noticed(checker: Checker, planted: Planted) -> bool:
    seen, beside = checker.seen, checker.beside
    for _ in range(TRIES):
        checker.seen = seen.copy()
        try:
            if planted.forget is not None:
                planted.forget(checker.seen)
            if planted.claim is not None:
                checker.beside = planted.claim(beside)
            return planted.rule in _rules_broken(checker, planted)
        except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
            continue  # the row was just changed by the running system
        finally:
            checker.seen, checker.beside = seen, beside
    return False


def _rules_broken(checker: Checker, planted: Planted) -> set[str]:
    with checker.snapshot() as connection, connection.transaction(force_rollback=True):
        for statement in planted.statements:
            connection.execute(statement.encode())
        return {violation.rule for violation in checker.check(connection, only=planted.check)}
