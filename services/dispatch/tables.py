"""Tables of schema `dispatch`. Dispatch alone writes them.

`cases` holds each case twice: `body` is the case as the rules know it (schemas.cases), the columns beside it are read
off the body at every write so that queues, lists and figures need no decoding. Never write one without the other.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.chassis.asgi.idempotency import idempotency_tables
from services.chassis.db import metadata_for
from services.chassis.inbox import inbox_tables
from services.chassis.outbox import outbox_tables
from services.chassis.outbox.tables import Xid8
from services.dispatch.orders import OF_FEW, ORDERS, holds
from services.governance.cycle import State

SCHEMA = "dispatch"
metadata: MetaData = metadata_for(SCHEMA)

_STATES = ", ".join(f"'{state.value}'" for state in State)
_WHEN = DateTime(timezone=True)
_TEXTS = ARRAY(Text)


def _texts(name: str) -> Column[list[str]]:
    return Column(name, _TEXTS, nullable=False, server_default=text("'{}'"))


case_numbers = Sequence("case_numbers", schema=SCHEMA, metadata=metadata)

cases = Table(
    "cases",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_no", Text, nullable=False),
    Column("street", Text, nullable=False),
    Column("community", Text),
    Column("grid", Text),
    Column("cell", Text),
    Column("lng", Double),
    Column("lat", Double),
    Column("state", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("nature", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("owner_tier", Text),
    Column("owner_code", Text),
    Column("owner_role", Text),
    Column("lead_unit", Text),
    _texts("co_units"),
    Column("imported_unit", Text),
    Column("rulebook_lead", Text),
    Column("scheme", Text),
    Column("scheme_version", Text),
    Column("category", Text),
    Column("condition", Text),
    Column("reporter", Text),
    Column("restricted", Boolean, nullable=False),
    Column("history", Boolean, nullable=False),
    Column("live", Boolean, nullable=False),
    _texts("flags"),
    _texts("audience"),
    Column("reports", Integer, nullable=False),
    Column("hand_overs", Integer, nullable=False),
    Column("returns", Integer, nullable=False),
    Column("due", JSONB),
    Column("stage_due_at", _WHEN),
    Column("due_soon_at", _WHEN),
    Column("due_at", _WHEN),
    Column("budget_s", BigInteger),
    Column("last_work_due", _WHEN),  # of all clocks that run on working time; -infinity: none; NULL: not told yet
    Column("over_ratio", Numeric(10, 2)),  # 超时倍数 of what has been counted to its end
    Column("review_at", _WHEN),
    Column("reply_at", _WHEN),  # by when an order of the street is to be answered
    Column("twice_at", _WHEN),  # when twice the limit of `due` is used
    Column("arrival", Text, nullable=False, server_default=""),  # urgency, then when it came
    _texts("queues"),  # where it stands for whoever sees all of it (store.standing)
    Column("late", Boolean, nullable=False, server_default=text("false")),
    Column("turns_at", _WHEN),  # when `queues` or `late` change by time alone
    Column("standing", BigInteger, nullable=False, server_default=text("0")),  # the sequence they were found for
    Column("opened_at", _WHEN, nullable=False),
    Column("last_at", _WHEN, nullable=False),
    Column("closed_at", _WHEN),
    Column("closed_as", Text),
    Column("grade", Text),  # how it was found when that was last said
    Column("version", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("summary", Text, nullable=False, server_default=""),
    Column("address", Text, nullable=False, server_default=""),
    Column("body", JSON(none_as_null=True), nullable=False),
    UniqueConstraint("case_no", name="uq_cases_case_no"),
    CheckConstraint(f"state IN ({_STATES})", name="state"),
    CheckConstraint("sequence >= version", name="sequence"),
    Index(
        "ix_cases_live_work_due",
        text("coalesce(last_work_due, 'infinity'::timestamptz)"),
        "id",
        postgresql_where=text("live"),
    ),
    Index("ix_cases_live_lead", "lead_unit", "state", postgresql_where=text("live")),
    # with a short list of waiting entries: every reader has to read through it
    Index(
        "ix_cases_live_standing",
        "audience",
        "queues",
        postgresql_using="gin",
        postgresql_where=text("live"),
        postgresql_with={"gin_pending_list_limit": "256"},
    ),
    Index("ix_cases_live_opened", "opened_at", postgresql_where=text("live")),
    Index("ix_cases_turns", "turns_at", postgresql_where=text("turns_at IS NOT NULL")),
    Index("ix_cases_unstood", "id", postgresql_where=text("standing <> sequence AND (live OR queues <> '{}'::text[])")),
    Index("ix_cases_closed", "rulebook", "closed_at", postgresql_where=text("state = 'closed' AND NOT history")),
    Index("ix_cases_opened", "opened_at", "id"),
    Index("ix_cases_near", "category", "lng", postgresql_where=text("lng IS NOT NULL")),
    Index("ix_cases_figures", "street", "category", "lead_unit"),
    # rows are rewritten at every fact: leave room so that most stay on their page
    postgresql_with={"fillfactor": "80"},
)

for _queue, _order in ORDERS.items():
    if _queue not in OF_FEW:  # as the list sorts
        _index = Index(f"ix_cases_in_{_queue}", text(_order.key), cases.c.id, postgresql_where=text(holds(_queue)))

# Cases that changed lists by time alone. No fact of theirs says so: the live feed reads it here.
turned = Table(
    "turned",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("xid", Xid8(), nullable=False, server_default=text("pg_current_xact_id()")),
    Column("case_id", Uuid, nullable=False),
    Column("at", _WHEN, nullable=False, server_default=text("directory.grid_now()")),
    Index("ix_turned_xid", "xid"),
    comment="cases that changed lists by time alone",
)

# How many cases came into a list and left it, for everybody who sees an area. Written by triggers of `cases`, taken
# into `queue_counts` by one job; what a list holds is both together.
queue_deltas = Table(
    "queue_deltas",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("token", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("open", Integer, nullable=False),
    Column("overdue", Integer, nullable=False),
    Column("came_at", _WHEN),  # the oldest that came, by when it was opened
    Column("left_at", _WHEN),  # the oldest that left
    comment="cases that came into a list and left it",
)
queue_counts = Table(
    "queue_counts",
    metadata,
    Column("token", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("open", BigInteger, nullable=False),
    Column("overdue", BigInteger, nullable=False),
    Column("oldest_at", _WHEN),
    Column("left_at", _WHEN),  # not after `oldest_at`: the oldest may have left, look for it anew
    PrimaryKeyConstraint("token", "queue"),
    postgresql_with={"fillfactor": "50"},
    comment="what each list holds, but for what queue_deltas still has",
)

# The lasting guard: one report is never two cases, however often and through whatever channel its event arrives.
case_reports = Table(
    "case_reports",
    metadata,
    Column("report_id", Uuid, primary_key=True),
    # deferred: a report is claimed before its case row is written
    Column("case_id", Uuid, ForeignKey(cases.c.id, deferrable=True, initially="DEFERRED"), nullable=False, index=True),
    Column("receipt_no", Text, nullable=False, index=True),
    Column("reporter_ref", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", _WHEN, nullable=False),
    Column("imported", JSONB),  # the file's own codes and words, by which an import is counted
)

# Whoever brings one of these numbers again speaks of the same matter, through whatever door.
matters = Table(
    "matters",
    metadata,
    Column("system", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("report_id", Uuid, nullable=False, comment="that brought it; its case is the matter's"),
    PrimaryKeyConstraint("system", "number"),
)

case_texts = Table(
    "case_texts",
    metadata,
    Column("report_id", Uuid, ForeignKey(case_reports.c.report_id), primary_key=True),
    Column("masked_text", Text, nullable=False),
    Column("masked_place", Text, nullable=False),
)

report_photos = Table(
    "report_photos",
    metadata,
    Column("report_id", Uuid, nullable=False),
    Column("photo_id", Text, nullable=False),
    Column("mime", Text, nullable=False),
    Column("arrived", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("report_id", "photo_id"),
)

# The role has no UPDATE or DELETE here and a trigger refuses both.
case_facts = Table(
    "case_facts",
    metadata,
    Column("case_id", Uuid, ForeignKey(cases.c.id), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("fact_id", Uuid, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", _WHEN, nullable=False),
    Column("account", Text),
    Column("role", Text),
    Column("unit", Text),
    Column("action", Text),
    Column("reason", Text),
    Column("intent", Text),
    Column("rule", Text),
    Column("rulebook", Text),
    Column("from_state", Text),  # only where the state changed
    Column("to_state", Text),
    Column("stage", Text, nullable=False),
    Column("left_audience", _TEXTS),  # who could see the case before this fact and cannot any more
    Column("body", JSON, nullable=False),
    Column("asked", JSON(none_as_null=True)),  # what the rules were asked, with the first fact of their answer
    PrimaryKeyConstraint("case_id", "sequence"),
    UniqueConstraint("fact_id", name="uq_case_facts_fact_id"),
    CheckConstraint(f"to_state IN ({_STATES})", name="to_state"),
    Index("ix_case_facts_account", "account", "at", postgresql_where=text("account IS NOT NULL")),
    comment="append-only: what happened to cases",
)

# By what cases are found. Made of the other tables, a moment after them, and at any time anew.
search_rows = Table(
    "search_rows",
    metadata,
    Column("case_id", Uuid, ForeignKey(cases.c.id), primary_key=True),
    Column("opened_at", _WHEN, nullable=False),
    Column("words", Text, nullable=False),
    Column("open_words", Text),  # without house numbers; NULL: there are none
    Column("keys", ARRAY(BigInteger), nullable=False),
    # without a list of waiting entries: every search would have to read through it
    Index("ix_search_rows_keys", "keys", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
    comment="by what cases are found; made of the other tables",
)

# Only ever added to by those who change cases: a row that is taken away has been seen with everything before it.
search_todo = Table(
    "search_todo",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("case_id", Uuid, nullable=False),
    comment="cases whose search row is to be made anew, oldest first",
)

views = Table(
    "views",
    metadata,
    Column("account", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("at", _WHEN, nullable=False, server_default=text("directory.grid_now()")),
    comment="lists that people keep under a name",
)

# Unlogged: it tells of half a minute. A seat is a window of a page; in each a person has one case open.
presence = Table(
    "presence",
    metadata,
    Column("account", Text, nullable=False),
    Column("seat", Text, nullable=False),
    Column("case_id", Uuid, nullable=False),
    Column("acting", Boolean, nullable=False),
    Column("at", _WHEN, nullable=False),
    PrimaryKeyConstraint("account", "seat"),
    prefixes=["UNLOGGED"],
    postgresql_with={"fillfactor": "50"},
    comment="who has a case open just now, one window a row",
)

# What people typed; it never leaves this table in an event.
notes = Table(
    "notes",
    metadata,
    Column("fact_id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey(cases.c.id), nullable=False, index=True),
    Column("note", Text, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    Column("case_id", Uuid, ForeignKey(cases.c.id), nullable=False),
    Column("id", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("mime", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("path", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("at", _WHEN, nullable=False),
    Column("fact_id", Uuid),
    PrimaryKeyConstraint("case_id", "id"),
)

tasks = Table(
    "tasks",
    metadata,
    Column("case_id", Uuid, ForeignKey(cases.c.id), nullable=False),
    Column("task_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit", Text),
    Column("person", Text),
    Column("state", Text, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("given_at", _WHEN, nullable=False),
    Column("due_at", _WHEN),
    PrimaryKeyConstraint("case_id", "task_id"),
    Index("ix_tasks_unit", "unit", "case_id", postgresql_where=text("open")),
    Index("ix_tasks_person", "person", "case_id", postgresql_where=text("open")),
)

requests = Table(
    "requests",
    metadata,
    Column("case_id", Uuid, ForeignKey(cases.c.id), nullable=False),
    Column("request_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("account", Text),
    Column("unit", Text),
    Column("status", Text, nullable=False),
    Column("at", _WHEN, nullable=False),
    Column("until", _WHEN),
    Column("reason", Text),
    _texts("deciders"),
    PrimaryKeyConstraint("case_id", "request_id"),
    Index("ix_requests_pending", "case_id", postgresql_where=text("status = 'pending'")),
    Index("ix_requests_unit", "unit", "at"),
)

# Units that an import named and the directory does not know; somebody has to look at them.
import_units = Table(
    "import_units",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("first_at", _WHEN, nullable=False),
    Column("last_at", _WHEN, nullable=False),
)

# What is said in mediation of a restricted case. No fact and no note of one: it goes nowhere they go.
mediation_notes = Table(
    "mediation_notes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey(cases.c.id), nullable=False),
    Column("account", Text, nullable=False),
    Column("at", _WHEN, nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_mediation_notes_case", "case_id", "at"),
)

# Commands of other services that a rule refused; the sender got the same as an event.
refusals = Table(
    "refusals",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("command_id", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("case_id", Uuid),
    Column("code", Text, nullable=False),
    Column("at", _WHEN, nullable=False),
)

# A calendar has changed: due times are counted anew, latest first, as far as the cursor says. `before`: the revisions
# of the calendar files until then; `since`: what is due before stays; `total`: cases to look at, counted when asked.
recomputes = Table(
    "recomputes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("before", JSONB, nullable=False),
    Column("since", _WHEN, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", _WHEN, nullable=False, server_default=text("directory.grid_now()")),
    Column("total", BigInteger, nullable=False),
    Column("looked", BigInteger, nullable=False, server_default=text("0")),
    Column("changed", BigInteger, nullable=False, server_default=text("0")),
    Column("cursor_due", _WHEN),
    Column("cursor_id", Uuid),
    Column("ended_at", _WHEN),
)

outbox = outbox_tables(metadata, SCHEMA)
Index("ix_outbox_feed", outbox.outbox.c.xid, outbox.outbox.c.id)  # the live feed reads in this order
inbox = inbox_tables(metadata, SCHEMA)
idempotency = idempotency_tables(metadata, SCHEMA)
