"""Writing the projection of cases. The newest standing wins; an older one that comes late changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson
import sqlalchemy as sa

from services.intake.store import Tx
from services.intake.tables import case_views
from services.intake.tables.rows import CaseReportRow, CaseViewRow, CommandAnswerRow, StepRow


def _replaced() -> str:
    names = [column.name for column in case_views.columns if not column.primary_key]
    return ", ".join(f"{name} = excluded.{name}" for name in names)


_VIEWS: Final = sa.text(
    "INSERT INTO intake.case_views AS v"  # noqa: S608 - column names of our own table
    " SELECT r.* FROM jsonb_populate_recordset(NULL::intake.case_views, CAST(:doc AS jsonb)) r ORDER BY r.case_id"
    f" ON CONFLICT (case_id) DO UPDATE SET {_replaced()} WHERE v.sequence < excluded.sequence"
)
_REPORTS: Final = sa.text("""
INSERT INTO intake.case_reports AS c
SELECT r.* FROM jsonb_populate_recordset(NULL::intake.case_reports, CAST(:doc AS jsonb)) r ORDER BY r.report_id
ON CONFLICT (report_id) DO UPDATE SET case_id = excluded.case_id WHERE c.case_id <> excluded.case_id
""")
_STEPS: Final = sa.text("""
INSERT INTO intake.case_steps
SELECT r.* FROM jsonb_populate_recordset(NULL::intake.case_steps, CAST(:doc AS jsonb)) r
ON CONFLICT DO NOTHING
""")
_ANSWERS: Final = sa.text("""
UPDATE intake.commands c SET state = a.state, code = a.code, answered_at = a.answered_at
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS a(command_id uuid, state text, code text, answered_at timestamptz)
WHERE c.command_id = a.command_id AND c.state = 'asked'
""")


async def put_views(tx: Tx, rows: Sequence[CaseViewRow]) -> None:
    """The standing of cases; at most one row per case."""
    await _put(tx, _VIEWS, rows)


async def put_reports(tx: Tx, rows: Sequence[CaseReportRow]) -> None:
    """Which case took a report in; at most one row per report."""
    await _put(tx, _REPORTS, rows)


async def put_steps(tx: Tx, rows: Sequence[StepRow]) -> None:
    """Public steps; one that is there already stays."""
    await _put(tx, _STEPS, rows)


async def answer_commands(tx: Tx, rows: Sequence[CommandAnswerRow]) -> None:
    """What became of reporters' wishes; the first answer stands."""
    await _put(tx, _ANSWERS, rows)


async def _put(tx: Tx, statement: sa.TextClause, rows: Sequence[object]) -> None:
    if rows:
        await tx.execute(statement, {"doc": orjson.dumps(list(rows)).decode()})
