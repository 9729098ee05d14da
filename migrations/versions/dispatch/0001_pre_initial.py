"""Cases with their facts, tasks, requests, reports and evidence; outbox and inbox.

Revision: 0001, the first
"""

from __future__ import annotations

from alembic import op

from services.chassis.plumbing import plumbing_v1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATES = (
    "'reported', 'grid_handling', 'at_community', 'community_handling', 'at_street', 'confirming', 'filed', "
    "'dispatched', 'handling', 'disputed', 'at_district', 'district_handling', 'fed_back', 'verified', "
    "'suspended', 'closed', 'void', 'not_filed', 'merged', 'archived'"
)

_TABLES = (
    "CREATE SEQUENCE dispatch.case_numbers",
    """CREATE TABLE dispatch.cases (
        id uuid NOT NULL,
        case_no text NOT NULL,
        street text NOT NULL,
        community text,
        grid text,
        cell text,
        lng double precision,
        lat double precision,
        state text NOT NULL,
        stage text NOT NULL,
        tier text NOT NULL,
        urgency text NOT NULL,
        nature text NOT NULL,
        source text NOT NULL,
        owner_tier text,
        owner_code text,
        owner_role text,
        lead_unit text,
        co_units text[] DEFAULT '{}' NOT NULL,
        imported_unit text,
        rulebook_lead text,
        scheme text,
        scheme_version text,
        category text,
        condition text,
        reporter text,
        restricted boolean NOT NULL,
        history boolean NOT NULL,
        live boolean NOT NULL,
        flags text[] DEFAULT '{}' NOT NULL,
        audience text[] DEFAULT '{}' NOT NULL,
        reports integer NOT NULL,
        hand_overs integer NOT NULL,
        returns integer NOT NULL,
        due jsonb,
        stage_due_at timestamptz,
        due_soon_at timestamptz,
        due_at timestamptz,
        budget_s bigint,
        review_at timestamptz,
        opened_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL,
        closed_at timestamptz,
        closed_as text,
        version bigint NOT NULL,
        sequence bigint NOT NULL,
        rulebook text NOT NULL,
        summary text DEFAULT '' NOT NULL,
        address text DEFAULT '' NOT NULL,
        body json NOT NULL,
        CONSTRAINT pk_cases PRIMARY KEY (id),
        CONSTRAINT uq_cases_case_no UNIQUE (case_no),
        CONSTRAINT ck_cases_state CHECK (state IN (@states)),
        CONSTRAINT ck_cases_sequence CHECK (sequence >= version)
    ) WITH (fillfactor = 80)""",
    "CREATE INDEX ix_cases_figures ON dispatch.cases (street, category, lead_unit)",
    "CREATE INDEX ix_cases_live_audience ON dispatch.cases USING gin (audience) WHERE live",
    "CREATE INDEX ix_cases_live_due ON dispatch.cases (stage_due_at, id) WHERE live",
    "CREATE INDEX ix_cases_live_state_due ON dispatch.cases"
    " (state, coalesce(stage_due_at, 'infinity'::timestamptz), id) WHERE live",
    "CREATE INDEX ix_cases_live_lead ON dispatch.cases (lead_unit, state) WHERE live",
    "CREATE INDEX ix_cases_live_flags ON dispatch.cases USING gin (flags) WHERE live",
    "CREATE INDEX ix_cases_near ON dispatch.cases (category, lng) WHERE lng IS NOT NULL",
    "CREATE INDEX ix_cases_opened ON dispatch.cases (opened_at, id)",
    """CREATE TABLE dispatch.idempotency_keys (
        caller text NOT NULL,
        key text NOT NULL,
        fingerprint bytea NOT NULL,
        status smallint,
        media_type text,
        headers jsonb,
        body bytea,
        created_at timestamptz DEFAULT directory.grid_now() NOT NULL,
        CONSTRAINT pk_idempotency_keys PRIMARY KEY (caller, key)
    )""",
    "COMMENT ON COLUMN dispatch.idempotency_keys.status IS 'null only inside the transaction that works'",
    "CREATE INDEX ix_idempotency_keys_created_at ON dispatch.idempotency_keys (created_at)",
    """CREATE TABLE dispatch.import_units (
        unit text NOT NULL,
        rows bigint NOT NULL,
        first_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL,
        CONSTRAINT pk_import_units PRIMARY KEY (unit)
    )""",
    """CREATE TABLE dispatch.refusals (
        event_id uuid NOT NULL,
        command_id text NOT NULL,
        command text NOT NULL,
        case_id uuid,
        code text NOT NULL,
        at timestamptz NOT NULL,
        CONSTRAINT pk_refusals PRIMARY KEY (event_id)
    )""",
    """CREATE TABLE dispatch.report_photos (
        report_id uuid NOT NULL,
        photo_id text NOT NULL,
        mime text NOT NULL,
        arrived boolean DEFAULT false NOT NULL,
        CONSTRAINT pk_report_photos PRIMARY KEY (report_id, photo_id)
    )""",
    """CREATE TABLE dispatch.case_facts (
        case_id uuid NOT NULL,
        sequence bigint NOT NULL,
        fact_id uuid NOT NULL,
        version bigint NOT NULL,
        kind text NOT NULL,
        at timestamptz NOT NULL,
        account text,
        role text,
        unit text,
        action text,
        reason text,
        intent text,
        rule text,
        rulebook text,
        from_state text,
        to_state text,
        stage text NOT NULL,
        left_audience text[],
        body json NOT NULL,
        CONSTRAINT pk_case_facts PRIMARY KEY (case_id, sequence),
        CONSTRAINT uq_case_facts_fact_id UNIQUE (fact_id),
        CONSTRAINT ck_case_facts_to_state CHECK (to_state IN (@states)),
        CONSTRAINT fk_case_facts_case_id FOREIGN KEY(case_id) REFERENCES dispatch.cases (id)
    )""",
    "COMMENT ON TABLE dispatch.case_facts IS 'append-only: what happened to cases'",
    "CREATE INDEX ix_case_facts_account ON dispatch.case_facts (account, at) WHERE account IS NOT NULL",
    """CREATE TABLE dispatch.case_reports (
        report_id uuid NOT NULL,
        case_id uuid NOT NULL,
        receipt_no text NOT NULL,
        reporter_ref text NOT NULL,
        source text NOT NULL,
        at timestamptz NOT NULL,
        imported jsonb,
        CONSTRAINT pk_case_reports PRIMARY KEY (report_id),
        CONSTRAINT fk_case_reports_case_id
            FOREIGN KEY (case_id) REFERENCES dispatch.cases (id) DEFERRABLE INITIALLY DEFERRED
    )""",
    "CREATE INDEX ix_case_reports_case_id ON dispatch.case_reports (case_id)",
    """CREATE TABLE dispatch.evidence (
        case_id uuid NOT NULL,
        id text NOT NULL,
        sha256 text NOT NULL,
        mime text NOT NULL,
        bytes bigint NOT NULL,
        path text NOT NULL,
        account text NOT NULL,
        at timestamptz NOT NULL,
        fact_id uuid,
        CONSTRAINT pk_evidence PRIMARY KEY (case_id, id),
        CONSTRAINT fk_evidence_case_id FOREIGN KEY(case_id) REFERENCES dispatch.cases (id)
    )""",
    """CREATE TABLE dispatch.notes (
        fact_id uuid NOT NULL,
        case_id uuid NOT NULL,
        note text NOT NULL,
        CONSTRAINT pk_notes PRIMARY KEY (fact_id),
        CONSTRAINT fk_notes_case_id FOREIGN KEY(case_id) REFERENCES dispatch.cases (id)
    )""",
    "CREATE INDEX ix_notes_case_id ON dispatch.notes (case_id)",
    """CREATE TABLE dispatch.requests (
        case_id uuid NOT NULL,
        request_id text NOT NULL,
        kind text NOT NULL,
        account text,
        unit text,
        status text NOT NULL,
        at timestamptz NOT NULL,
        until timestamptz,
        CONSTRAINT pk_requests PRIMARY KEY (case_id, request_id),
        CONSTRAINT fk_requests_case_id FOREIGN KEY(case_id) REFERENCES dispatch.cases (id)
    )""",
    "CREATE INDEX ix_requests_pending ON dispatch.requests (case_id) WHERE status = 'pending'",
    "CREATE INDEX ix_requests_unit ON dispatch.requests (unit, at)",
    """CREATE TABLE dispatch.tasks (
        case_id uuid NOT NULL,
        task_id text NOT NULL,
        kind text NOT NULL,
        unit text,
        person text,
        state text NOT NULL,
        open boolean NOT NULL,
        given_at timestamptz NOT NULL,
        due_at timestamptz,
        CONSTRAINT pk_tasks PRIMARY KEY (case_id, task_id),
        CONSTRAINT fk_tasks_case_id FOREIGN KEY(case_id) REFERENCES dispatch.cases (id)
    )""",
    "CREATE INDEX ix_tasks_person ON dispatch.tasks (person, case_id) WHERE open",
    "CREATE INDEX ix_tasks_unit ON dispatch.tasks (unit, case_id) WHERE open",
    """CREATE TABLE dispatch.case_texts (
        report_id uuid NOT NULL,
        masked_text text NOT NULL,
        masked_place text NOT NULL,
        CONSTRAINT pk_case_texts PRIMARY KEY (report_id),
        CONSTRAINT fk_case_texts_report_id FOREIGN KEY(report_id) REFERENCES dispatch.case_reports (report_id)
    )""",
)

# The live feed reads what was committed in the order of transactions, then of rows.
_FEED = "CREATE INDEX ix_outbox_feed ON dispatch.outbox (xid, id)"

# Also where one database user does everything and no grant can hold it back.
_APPEND_ONLY = (
    """CREATE FUNCTION dispatch.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $body$
        BEGIN
          RAISE EXCEPTION 'dispatch.case_facts is append-only' USING ERRCODE = 'restrict_violation';
        END $body$""",
    """CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON dispatch.case_facts
        FOR EACH STATEMENT EXECUTE FUNCTION dispatch.refuse_change()""",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _TABLES:
        op.execute(statement.replace("@states", _STATES))
    for statement in plumbing_v1("dispatch"):
        op.execute(statement)
    op.execute(_FEED)
    for statement in _APPEND_ONLY:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")
