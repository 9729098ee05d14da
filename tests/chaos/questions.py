"""The checker's questions to the database."""

from __future__ import annotations

from typing import Final

SERVICES: Final = ("intake", "dispatch", "escalation")

# Rows of our files; the sample's own history tells its outcome as well.
IMPORTED: Final = (
    "SELECT count(DISTINCT source_event_id) FROM intake.reports WHERE imported IS NOT NULL AND recorded IS NULL"
)
REPORTS_WITHOUT_CASE: Final = (
    "SELECT r.report_id FROM intake.reports r"
    " WHERE NOT EXISTS (SELECT FROM dispatch.case_reports c WHERE c.report_id = r.report_id)"
)
CASES_WITHOUT_REPORT: Final = (
    "SELECT c.case_no FROM dispatch.cases c"
    " WHERE NOT EXISTS (SELECT FROM dispatch.case_reports r WHERE r.case_id = c.id)"
)
REPORTS_OF_NOBODY: Final = (
    "SELECT r.report_id FROM dispatch.case_reports r"
    " WHERE NOT EXISTS (SELECT FROM intake.reports i WHERE i.report_id = r.report_id)"
)
NOT_DENSE: Final = (
    "SELECT c.case_no, c.sequence, count(f.*), min(f.sequence), max(f.sequence) FROM dispatch.cases c"
    " LEFT JOIN dispatch.case_facts f ON f.case_id = c.id GROUP BY c.case_no, c.sequence"
    " HAVING count(f.*) <> c.sequence OR min(f.sequence) <> 1 OR max(f.sequence) <> c.sequence"
)
BACKWARDS: Final = (
    "SELECT count(*) FROM (SELECT at < lag(at) OVER (PARTITION BY case_id ORDER BY sequence) AS back"
    " FROM dispatch.case_facts) AS steps WHERE back"
)
FACTS_WITHOUT_EVENT: Final = (
    "SELECT count(*) FROM dispatch.case_facts f"
    " WHERE NOT EXISTS (SELECT FROM dispatch.outbox o WHERE o.event_id = f.fact_id)"
)
TIMERS_DUE: Final = (
    "SELECT count(*) FROM escalation.sla_timers"
    " WHERE state = 'armed' AND due_at < directory.grid_now() - interval '2 seconds'"
)
# Facts that make a webhook, after the platform subscribed.
WANTED_HOOKS: Final = (
    "SELECT event_id FROM dispatch.outbox WHERE topic = 'grid.case.v1' AND headers->>'ce_type' IN"
    " ('case.overdue', 'case.escalated', 'case.supervised', 'case.closed', 'case.self_resolved', 'case.unfounded',"
    " 'case.reopened') AND created_at > (SELECT min(created_at) FROM escalation.webhook_endpoints)"
)
UNSENT: Final = {service: f"SELECT count(*) FROM {service}.outbox WHERE published_at IS NULL" for service in SERVICES}
_ROADS: Final = (
    ("grid.report.v1", "intake", "dispatch"),
    ("grid.command.v1", "intake", "dispatch"),
    ("grid.command.v1", "escalation", "dispatch"),
    ("grid.case.v1", "dispatch", "intake"),
    ("grid.case.v1", "dispatch", "escalation"),
    ("grid.sla.v1", "escalation", "dispatch"),
)
UNSEEN: Final = {
    f"{topic} from {producer} at {consumer}": (
        f"SELECT count(*) FROM {producer}.outbox o WHERE o.topic = '{topic}' AND NOT EXISTS"
        f" (SELECT FROM {consumer}.inbox_seen i WHERE i.event_id = o.event_id)"
    )
    for topic, producer, consumer in _ROADS
}
