"""Timers, firings, webhook endpoints, deliveries and attempts, the platform's receipts.

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
    """CREATE TABLE escalation.firings (
        clock_id TEXT NOT NULL,
        rev INTEGER NOT NULL,
        rung SMALLINT NOT NULL,
        case_id TEXT NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        fired_at TIMESTAMP WITH TIME ZONE NOT NULL,
        event_id UUID NOT NULL,
        CONSTRAINT pk_firings PRIMARY KEY (clock_id, rev, rung)
    )""",
    """CREATE TABLE escalation.idempotency_keys (
        caller TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint BYTEA NOT NULL,
        status SMALLINT,
        media_type TEXT,
        headers JSONB,
        body BYTEA,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT directory.grid_now() NOT NULL,
        CONSTRAINT pk_idempotency_keys PRIMARY KEY (caller, key)
    )""",
    "CREATE INDEX ix_idempotency_keys_created_at ON escalation.idempotency_keys (created_at)",
    "COMMENT ON COLUMN escalation.idempotency_keys.status IS 'null only inside the transaction that works'",
    """CREATE TABLE escalation.platform_receipts (
        webhook_id TEXT NOT NULL,
        type TEXT NOT NULL,
        body JSONB NOT NULL,
        state TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT directory.grid_now() NOT NULL,
        CONSTRAINT pk_platform_receipts PRIMARY KEY (webhook_id),
        CONSTRAINT ck_platform_receipts_state
        CHECK (state IN ('passed_on', 'unknown'))
    )""",
    """CREATE TABLE escalation.sla_timers (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        case_id TEXT NOT NULL,
        clock_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        rev INTEGER NOT NULL,
        rung SMALLINT NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        rungs JSONB NOT NULL,
        state TEXT NOT NULL,
        fired_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_sla_timers PRIMARY KEY (id),
        CONSTRAINT uq_sla_timers_rung UNIQUE (clock_id, rev, rung),
        CONSTRAINT ck_sla_timers_state
        CHECK (state IN ('armed', 'fired', 'disarmed'))
    )
     WITH (fillfactor = 80)""",
    "CREATE INDEX ix_sla_timers_due ON escalation.sla_timers (due_at) WHERE state = 'armed'",
    "CREATE INDEX ix_sla_timers_armed_clock ON escalation.sla_timers (clock_id) WHERE state = 'armed'",
    """CREATE TABLE escalation.webhook_endpoints (
        id UUID NOT NULL,
        name TEXT NOT NULL,
        url TEXT NOT NULL,
        events TEXT[] NOT NULL,
        active BOOLEAN DEFAULT true NOT NULL,
        secret BYTEA NOT NULL,
        previous_secret BYTEA,
        previous_until TIMESTAMP WITH TIME ZONE,
        secret_hint TEXT NOT NULL,
        failures INTEGER DEFAULT '0' NOT NULL,
        open_until TIMESTAMP WITH TIME ZONE,
        open_for_s INTEGER DEFAULT '0' NOT NULL,
        created_by TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT directory.grid_now() NOT NULL,
        last_success_at TIMESTAMP WITH TIME ZONE,
        removed_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_webhook_endpoints PRIMARY KEY (id)
    )""",
    "COMMENT ON COLUMN escalation.webhook_endpoints.secret IS 'encrypted'",
    """COMMENT
        ON COLUMN escalation.webhook_endpoints.previous_secret
        IS 'encrypted; signs beside the new one until previous_until'""",
    "COMMENT ON COLUMN escalation.webhook_endpoints.failures IS 'in a row'",
    "COMMENT ON COLUMN escalation.webhook_endpoints.open_until IS 'breaker: nothing is sent before'",
    """CREATE TABLE escalation.webhook_sequences (
        endpoint_id UUID NOT NULL,
        case_id TEXT NOT NULL,
        last_seq BIGINT NOT NULL,
        CONSTRAINT pk_webhook_sequences PRIMARY KEY (endpoint_id, case_id)
    )""",
    """CREATE TABLE escalation.webhook_deliveries (
        id TEXT NOT NULL,
        endpoint_id UUID NOT NULL,
        event_id UUID NOT NULL,
        type TEXT NOT NULL,
        case_id TEXT NOT NULL,
        case_no TEXT,
        seq BIGINT NOT NULL,
        case_sequence BIGINT,
        intent TEXT,
        headers JSONB NOT NULL,
        body BYTEA NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER DEFAULT '0' NOT NULL,
        round INTEGER DEFAULT '0' NOT NULL,
        next_at TIMESTAMP WITH TIME ZONE,
        lease_until TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT directory.grid_now() NOT NULL,
        delivered_at TIMESTAMP WITH TIME ZONE,
        last_status INTEGER,
        last_error TEXT,
        CONSTRAINT pk_webhook_deliveries PRIMARY KEY (id),
        CONSTRAINT uq_webhook_deliveries_event UNIQUE (endpoint_id, event_id),
        CONSTRAINT uq_webhook_deliveries_seq UNIQUE (endpoint_id, case_id, seq),
        CONSTRAINT ck_webhook_deliveries_state
        CHECK (state IN ('waiting', 'sending', 'delivered', 'dead', 'skipped')),
        CONSTRAINT fk_webhook_deliveries_endpoint_id FOREIGN KEY(endpoint_id)
        REFERENCES escalation.webhook_endpoints (id)
    )""",
    "CREATE INDEX ix_webhook_deliveries_next ON escalation.webhook_deliveries (next_at) WHERE state = 'waiting'",
    """CREATE INDEX ix_webhook_deliveries_lease
        ON escalation.webhook_deliveries (lease_until)
        WHERE state = 'sending'""",
    "CREATE INDEX ix_webhook_deliveries_newest ON escalation.webhook_deliveries (created_at, id)",
    "COMMENT ON COLUMN escalation.webhook_deliveries.id IS 'the webhook-id, the same on every attempt'",
    "COMMENT ON COLUMN escalation.webhook_deliveries.seq IS 'dense per (endpoint, case)'",
    "COMMENT ON COLUMN escalation.webhook_deliveries.round IS 'attempts since the last replay'",
    """CREATE TABLE escalation.webhook_attempts (
        delivery_id TEXT NOT NULL,
        n INTEGER NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        status INTEGER,
        latency_ms INTEGER NOT NULL,
        error TEXT,
        reply TEXT,
        CONSTRAINT pk_webhook_attempts PRIMARY KEY (delivery_id, n),
        CONSTRAINT fk_webhook_attempts_delivery_id FOREIGN KEY(delivery_id)
        REFERENCES escalation.webhook_deliveries (id)
    )""",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (*_TABLES, *plumbing_v1("escalation")):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")
