"""The checker's questions to the database. What is younger than GRACE may still be on its way: nobody asks for it."""

from __future__ import annotations

from typing import Final

SERVICES: Final = ("intake", "dispatch", "escalation")
BEGUN: Final = "(directory.grid_now() - (statement_timestamp() - now()))"
"""The moment of the snapshot. Time goes on while it is asked, and what was young in it stays so."""
GRACE: Final = f"{BEGUN} - interval '5 seconds'"
"""Clocks keep running while the checker looks: there is always something very young on its way."""
HOOK_GRACE: Final = f"{BEGUN} - interval '15 seconds'"

# Rows of our files; the sample's own history tells its outcome as well.
IMPORTED: Final = (
    "SELECT count(DISTINCT source_event_id) FROM intake.reports WHERE imported IS NOT NULL AND recorded IS NULL"
)
REPORTS_WITHOUT_CASE: Final = (
    f"SELECT r.report_id FROM intake.reports r WHERE r.submitted_at < {GRACE}"
    " AND NOT EXISTS (SELECT FROM dispatch.case_reports c WHERE c.report_id = r.report_id)"
)
CASES_WITHOUT_REPORT: Final = (
    "SELECT c.case_no FROM dispatch.cases c"
    " WHERE (c.state = 'merged') = EXISTS (SELECT FROM dispatch.case_reports r WHERE r.case_id = c.id)"
)
"""Neither is there a merged case with one: its reports are its master's."""
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
STATE_STEPS: Final = (
    "SELECT case_id::text, action, from_state, to_state FROM dispatch.case_facts WHERE to_state IS NOT NULL"
    " ORDER BY case_id, sequence"
)
OPERATIONS: Final = (
    "SELECT f.body->>'op_id', count(*), max(f.sequence) - min(f.sequence) + 1, count(DISTINCT f.case_id),"
    " min(c.case_no)"
    " FROM dispatch.case_facts f JOIN dispatch.cases c ON c.id = f.case_id"
    " WHERE f.body->>'op_id' IS NOT NULL GROUP BY 1"
)
TIMERS_DUE: Final = f"SELECT count(*) FROM escalation.sla_timers WHERE state = 'armed' AND due_at < {GRACE}"
FIRINGS_WITHOUT_EVENT: Final = (
    "SELECT count(*) FROM escalation.firings f WHERE NOT EXISTS"
    " (SELECT FROM escalation.outbox o WHERE o.topic = 'grid.sla.v1' AND o.event_id = f.event_id)"
)
EVENTS_WITHOUT_FIRING: Final = (
    "SELECT count(*) FROM escalation.outbox o WHERE o.topic = 'grid.sla.v1' AND NOT EXISTS"
    " (SELECT FROM escalation.firings f WHERE f.event_id = o.event_id)"
)
LATENESS: Final = (
    "SELECT coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY late), 0), coalesce(max(late), 0), count(*) FROM"
    " (SELECT extract(epoch FROM f.fired_at - f.due_at)::float8 AS late FROM escalation.firings f) AS fired"
)
# Facts that make a webhook, after the platform subscribed.
WANTED_HOOKS: Final = (
    "SELECT event_id FROM dispatch.outbox WHERE topic = 'grid.case.v1' AND headers->>'ce_type' IN"
    " ('case.overdue', 'case.escalated', 'case.supervised', 'case.closed', 'case.self_resolved', 'case.unfounded',"
    " 'case.reopened') AND created_at > (SELECT min(created_at) FROM escalation.webhook_endpoints)"
    f" AND created_at < {HOOK_GRACE}"
)
HOOKS_WAITING: Final = (
    "SELECT count(*) FROM escalation.webhook_deliveries WHERE state IN ('waiting', 'sending')"
    f" AND created_at < {HOOK_GRACE}"
)
HOOKS_DELIVERED: Final = "SELECT id FROM escalation.webhook_deliveries WHERE state = 'delivered'"
HOOKS_KNOWN: Final = "SELECT id FROM escalation.webhook_deliveries"
UNSENT: Final = {
    service: f"SELECT count(*) FROM {service}.outbox WHERE published_at IS NULL AND created_at < {GRACE}"
    for service in SERVICES
}
OVERTAKEN: Final = {
    service: (
        'SELECT count(*) FROM (SELECT "offset" < lag("offset") OVER keys OR "partition" <> lag("partition") OVER keys'
        f" AS wrong FROM {service}.outbox WHERE published_at IS NOT NULL AND seq > 0"
        " WINDOW keys AS (PARTITION BY topic, key ORDER BY seq)) AS pairs WHERE wrong"
    )
    for service in SERVICES
}
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
        f"SELECT count(*) FROM {producer}.outbox o WHERE o.topic = '{topic}' AND o.created_at < {GRACE} AND NOT EXISTS"
        f" (SELECT FROM {consumer}.inbox_seen i WHERE i.event_id = o.event_id)"
    )
    for topic, producer, consumer in _ROADS
}
# A lane that has not come to the last number sent on it, though everything has arrived, has lost one on the way.
NOT_REACHED: Final = {
    f"{topic} from {producer} at {consumer}": (
        f"SELECT count(*) FROM (SELECT key, max(seq) AS last FROM {producer}.outbox WHERE topic = '{topic}'"
        f" AND created_at < {GRACE} GROUP BY key) AS sent WHERE NOT EXISTS (SELECT FROM {consumer}.stream_positions p"
        f" WHERE p.source = 'grid/{producer}' AND p.topic = '{topic}' AND p.key = sent.key AND p.last_seq >= sent.last)"
    )
    for topic, producer, consumer in _ROADS
}
PULSES_SEEN: Final = "SELECT event_id::text FROM dispatch.inbox WHERE topic = 'grid.sla.v1' AND event_id = ANY(%s)"
PHOTOS: Final = "SELECT report_id::text, photo_id, sha256, state, path FROM intake.photos"
PHOTOS_ARRIVED: Final = "SELECT report_id::text FROM dispatch.report_photos WHERE arrived"
