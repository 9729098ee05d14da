"""Reports and their ledger, photos, the reporter's view of cases, wishes, imports; outbox and inbox.

Revision: 0001, the first
"""

from __future__ import annotations

from alembic import op

from services.chassis.plumbing import plumbing_v1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "CREATE SEQUENCE intake.receipt_seq",
    """CREATE TABLE intake.case_reports (
        report_id uuid NOT NULL,
        case_id text NOT NULL,
        CONSTRAINT pk_case_reports PRIMARY KEY (report_id)
    )""",
    "CREATE INDEX case_reports_case ON intake.case_reports (case_id)",
    """CREATE TABLE intake.case_steps (
        case_id text NOT NULL,
        sequence bigint NOT NULL,
        kind text NOT NULL,
        state text NOT NULL,
        stage text NOT NULL,
        at timestamptz NOT NULL,
        CONSTRAINT pk_case_steps PRIMARY KEY (case_id, sequence)
    )""",
    """CREATE TABLE intake.case_views (
        case_id text NOT NULL,
        case_no text NOT NULL,
        sequence bigint NOT NULL,
        state text NOT NULL,
        stage text NOT NULL,
        tier text NOT NULL,
        category text,
        restricted boolean NOT NULL,
        history boolean NOT NULL,
        community text,
        grid text,
        lng double precision,
        lat double precision,
        due_at timestamptz,
        skipped jsonb NOT NULL,
        flags jsonb NOT NULL,
        opened_at timestamptz NOT NULL,
        closed_at timestamptz,
        closed_as text,
        changed_at timestamptz NOT NULL,
        CONSTRAINT pk_case_views PRIMARY KEY (case_id),
        CONSTRAINT uq_case_views_case_no UNIQUE (case_no)
    )""",
    "CREATE INDEX case_views_near ON intake.case_views"
    " (category, lat, lng) WHERE closed_at IS NULL AND lat IS NOT NULL AND NOT history",
    "COMMENT ON COLUMN intake.case_views.due_at IS 'the next running clock of the case itself'",
    "COMMENT ON COLUMN intake.case_views.skipped IS '[{stage, why}]'",
    """CREATE TABLE intake.commands (
        command_id uuid NOT NULL,
        report_id uuid NOT NULL,
        caller text NOT NULL,
        key text NOT NULL,
        body_sha256 bytea NOT NULL,
        action text NOT NULL,
        state text NOT NULL,
        code text,
        note text NOT NULL,
        asked_at timestamptz NOT NULL,
        answered_at timestamptz,
        CONSTRAINT pk_commands PRIMARY KEY (command_id),
        CONSTRAINT commands_caller_key UNIQUE (caller, key),
        CONSTRAINT ck_commands_state CHECK (state IN ('asked', 'done', 'refused'))
    )""",
    "CREATE INDEX commands_report ON intake.commands (report_id, asked_at)",
    "COMMENT ON COLUMN intake.commands.code IS 'why it was refused'",
    "COMMENT ON COLUMN intake.commands.note IS 'raw words, never published'",
    """CREATE TABLE intake.import_jobs (
        job_id uuid NOT NULL,
        file_sha256 text NOT NULL,
        file_name text NOT NULL,
        system text NOT NULL,
        clock text NOT NULL,
        cursor bigint NOT NULL,
        accepted bigint NOT NULL,
        refused bigint NOT NULL,
        known bigint NOT NULL,
        started_at timestamptz NOT NULL,
        finished_at timestamptz,
        CONSTRAINT pk_import_jobs PRIMARY KEY (job_id),
        CONSTRAINT ck_import_jobs_clock CHECK (clock IN ('history', 'now'))
    )""",
    "CREATE INDEX import_jobs_file ON intake.import_jobs (file_sha256, system, clock)",
    "COMMENT ON COLUMN intake.import_jobs.cursor IS 'data rows dealt with'",
    "COMMENT ON COLUMN intake.import_jobs.known IS 'rows that were here before'",
    """CREATE TABLE intake.import_names (
        system text NOT NULL,
        kind text NOT NULL,
        code text NOT NULL,
        name text NOT NULL,
        parent text,
        CONSTRAINT pk_import_names PRIMARY KEY (system, kind, code, name)
    )""",
    "COMMENT ON COLUMN intake.import_names.kind IS 'street | community | category | unit'",
    "COMMENT ON COLUMN intake.import_names.name IS 'one code may carry several names, and is kept so'",
    """CREATE TABLE intake.ledger (
        report_id uuid NOT NULL,
        caller text NOT NULL,
        key text NOT NULL,
        body_sha256 bytea NOT NULL,
        source text NOT NULL,
        source_event_id text,
        answer text NOT NULL,
        at timestamptz NOT NULL,
        CONSTRAINT pk_ledger PRIMARY KEY (report_id),
        CONSTRAINT ledger_caller_key UNIQUE (caller, key),
        CONSTRAINT ledger_source_event UNIQUE (source, source_event_id)
    )""",
    "COMMENT ON TABLE intake.ledger IS 'append-only: what was acknowledged, for ever'",
    "COMMENT ON COLUMN intake.ledger.caller IS 'account or token; keys belong to the caller'",
    "COMMENT ON COLUMN intake.ledger.key IS 'Idempotency-Key; kept for ever'",
    "COMMENT ON COLUMN intake.ledger.answer IS 'the first answer, given again to every repeat'",
    """CREATE TABLE intake.photos (
        report_id uuid NOT NULL,
        photo_id text NOT NULL,
        sha256 text NOT NULL,
        bytes bigint NOT NULL,
        mime text NOT NULL,
        state text NOT NULL,
        path text,
        stored_at timestamptz,
        CONSTRAINT pk_photos PRIMARY KEY (report_id, photo_id),
        CONSTRAINT ck_photos_state CHECK (state IN ('named', 'stored', 'broken'))
    )""",
    "COMMENT ON COLUMN intake.photos.sha256 IS 'of the bytes the phone holds'",
    "COMMENT ON COLUMN intake.photos.path IS 'below the media folder'",
    """CREATE TABLE intake.reports (
        report_id uuid NOT NULL,
        receipt_no text NOT NULL,
        reporter_ref text NOT NULL,
        reporter_account text,
        reporter_role text,
        anonymous boolean NOT NULL,
        staff boolean NOT NULL,
        source text NOT NULL,
        source_event_id text,
        nature text NOT NULL,
        scheme text,
        edition text,
        category text,
        danger boolean NOT NULL,
        life boolean NOT NULL,
        street text NOT NULL,
        community text,
        grid text,
        cell text,
        place_id text,
        lng double precision,
        lat double precision,
        raw_lng double precision,
        raw_lat double precision,
        raw_crs text,
        accuracy_m double precision,
        fixed_at timestamptz,
        masked_text text NOT NULL,
        masked_place text NOT NULL,
        on_the_spot text,
        direct boolean NOT NULL,
        call_now boolean NOT NULL,
        joins text,
        occurred_at timestamptz NOT NULL,
        submitted_at timestamptz NOT NULL,
        rulebook text NOT NULL,
        recorded jsonb,
        imported jsonb,
        import_job uuid,
        event_seq bigint NOT NULL,
        CONSTRAINT pk_reports PRIMARY KEY (report_id),
        CONSTRAINT uq_reports_receipt_no UNIQUE (receipt_no)
    )""",
    "CREATE INDEX reports_import ON intake.reports (import_job) WHERE import_job IS NOT NULL",
    "CREATE INDEX reports_mine ON intake.reports (reporter_account, submitted_at, report_id)",
    "COMMENT ON COLUMN intake.reports.reporter_ref IS 'random per report; all that leaves the service'",
    "COMMENT ON COLUMN intake.reports.reporter_account IS 'stays here; null: imported'",
    "COMMENT ON COLUMN intake.reports.anonymous IS 'the account leaves in no event'",
    "COMMENT ON COLUMN intake.reports.category IS 'null: the reporter was unsure'",
    "COMMENT ON COLUMN intake.reports.cell IS 'null: outside every cell, or unknown'",
    "COMMENT ON COLUMN intake.reports.lng IS 'WGS-84'",
    "COMMENT ON COLUMN intake.reports.lat IS 'WGS-84'",
    "COMMENT ON COLUMN intake.reports.raw_lng IS 'as sent, in raw_crs'",
    "COMMENT ON COLUMN intake.reports.recorded IS 'imported history: the outcome its file tells'",
    "COMMENT ON COLUMN intake.reports.imported IS 'the file''s own codes and words'",
    "COMMENT ON COLUMN intake.reports.event_seq IS 'events published about this report so far'",
    """CREATE TABLE intake.track_tokens (
        token text NOT NULL,
        report_id uuid NOT NULL,
        CONSTRAINT pk_track_tokens PRIMARY KEY (token)
    )""",
    "CREATE INDEX track_tokens_report ON intake.track_tokens (report_id)",
    """CREATE TABLE intake.vault (
        report_id uuid NOT NULL,
        text text NOT NULL,
        place_words text NOT NULL,
        note text NOT NULL,
        CONSTRAINT pk_vault PRIMARY KEY (report_id)
    )""",
    "COMMENT ON COLUMN intake.vault.text IS 'raw words of the reporter'",
    "COMMENT ON COLUMN intake.vault.note IS 'what was done on the spot'",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (*_TABLES, *plumbing_v1("intake")):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")
