"""The schema `intake`: only this service writes here.

`ledger` is what counts as acknowledged and is append-only; `vault` and `identities` alone hold raw words and who
reported, both encrypted; everything else may be shown to those who may see the report.
"""

from __future__ import annotations

from services.intake.tables.deeds import good_deeds
from services.intake.tables.imports import import_jobs, import_mappings, import_names
from services.intake.tables.meta import SCHEMA, inbox, metadata, outbox
from services.intake.tables.partners import partners, pushes
from services.intake.tables.progress import case_reports, case_steps, case_views, commands
from services.intake.tables.reports import (
    identities,
    ledger,
    photos,
    receipt_seq,
    reports,
    reveals,
    track_tokens,
    vault,
)

__all__ = [
    "SCHEMA",
    "case_reports",
    "case_steps",
    "case_views",
    "commands",
    "good_deeds",
    "identities",
    "import_jobs",
    "import_mappings",
    "import_names",
    "inbox",
    "ledger",
    "metadata",
    "outbox",
    "partners",
    "photos",
    "pushes",
    "receipt_seq",
    "reports",
    "reveals",
    "track_tokens",
    "vault",
]
