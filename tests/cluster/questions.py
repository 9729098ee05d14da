"""What the run asks the database, beside the checker."""

from __future__ import annotations

from typing import Final

CONSUMERS: Final = {
    "grid.report.v1": ("dispatch",),
    "grid.case.v1": ("intake", "escalation"),
    "grid.sla.v1": ("dispatch",),
}
PRODUCERS: Final = {"grid.report.v1": "intake", "grid.case.v1": "dispatch", "grid.sla.v1": "escalation"}
"""Commands have two producers and are left to the checker."""

WAITING: Final = """
  SELECT count(*) FROM intake.reports r WHERE r.submitted_at < directory.grid_now() - interval '2 seconds'
  AND NOT EXISTS (SELECT FROM dispatch.case_reports c WHERE c.report_id = r.report_id)"""
"""Reports that have no case after two seconds."""
CASES: Final = "SELECT count(*) FROM dispatch.case_reports"
SESSIONS: Final = """
  SELECT application_name, usename, count(*) FROM pg_stat_activity
  WHERE datname = 'grid' AND backend_type = 'client backend' AND usename <> 'postgres' GROUP BY 1, 2"""
MOVED_KEYS: Final = """
  SELECT count(*) FROM (SELECT key FROM {schema}.outbox WHERE topic = '{topic}' AND "partition" IS NOT NULL
    GROUP BY key HAVING count(DISTINCT "partition") > 1) AS moved"""
"""Keys whose events lie in two partitions."""
TO_NEW: Final = """
  SELECT count(*) FROM {schema}.outbox WHERE topic = '{topic}' AND "partition" >= {first}"""
"""Events that lie in partitions that were not there at first."""
OUT_OF_ORDER: Final = """
  SELECT count(*) FROM (
    SELECT "partition" = lag("partition") OVER keys AND "offset" < lag("offset") OVER keys
      OR "partition" < lag("partition") OVER keys
      OR "partition" > lag("partition") OVER keys AND lag("partition") OVER keys >= {first} AS wrong
    FROM {schema}.outbox WHERE topic = '{topic}' AND "partition" IS NOT NULL
    WINDOW keys AS (PARTITION BY key ORDER BY seq)) AS pairs WHERE wrong"""
"""Events that lie before an earlier one of their key, or whose key has moved back, or twice."""
OUT_OF_STEP: Final = """
  WITH sent AS (SELECT key, max(seq) AS last FROM {schema}.outbox WHERE topic = '{topic}' GROUP BY key)
  SELECT count(*) FROM sent LEFT JOIN {consumer}.stream_positions p ON p.topic = '{topic}' AND p.key = sent.key
    AND p.source = 'grid/{schema}'
  WHERE p.last_seq IS DISTINCT FROM sent.last"""
"""Keys whose consumer, who only ever goes on by one, has not come to the last event."""
