"""Metadata of the schema and the plumbing tables that the chassis makes for it."""

from __future__ import annotations

from services.chassis.db import metadata_for
from services.chassis.inbox import inbox_tables
from services.chassis.outbox import outbox_tables

SCHEMA = "intake"
metadata = metadata_for(SCHEMA)
outbox = outbox_tables(metadata, SCHEMA)
inbox = inbox_tables(metadata, SCHEMA)
