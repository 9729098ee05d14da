"""The statements that create the audit log, frozen: a released one is never edited, a change is a new `audit_vN`."""

from __future__ import annotations

from typing import Final


def audit_v1() -> tuple[str, ...]:
    """Table, chain and the refusal of any change."""
    return (*_TABLE, _CHAIN, _REFUSE, *_TRIGGERS)


_TABLE: Final = (
    """CREATE TABLE identity.audit_log (
        shard smallint NOT NULL,
        n bigint NOT NULL,
        at timestamptz DEFAULT directory.grid_now() NOT NULL,
        service text DEFAULT current_setting('application_name') NOT NULL,
        account text,
        action text NOT NULL,
        subject text,
        outcome text NOT NULL,
        reason text,
        details jsonb DEFAULT '{}' NOT NULL,
        request_id text,
        address text,
        prev_hash bytea NOT NULL,
        hash bytea NOT NULL,
        CONSTRAINT pk_audit_log PRIMARY KEY (shard, n),
        CONSTRAINT ck_audit_log_outcome CHECK (outcome IN ('done', 'refused'))
    )""",
    "COMMENT ON TABLE identity.audit_log IS 'append-only: who did what'",
    "COMMENT ON COLUMN identity.audit_log.n IS 'dense per shard from 1'",
    "CREATE INDEX ix_audit_log_at ON identity.audit_log (at, shard, n)",
    "CREATE INDEX ix_audit_log_account ON identity.audit_log (account, at)",
    "CREATE INDEX ix_audit_log_subject ON identity.audit_log (subject, at)",
)

# Eight chains, so that writers seldom wait for one another; one connection always writes to the same one. The text
# that is hashed is JSON as PostgreSQL prints it, which `services.chassis.audit.chain` builds again to compare. The
# owner's rights: most services may add rows and read none.
_CHAIN: Final = """CREATE FUNCTION identity.chain_audit() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog AS $body$
    DECLARE
      last record;
    BEGIN
      NEW.shard := pg_backend_pid() % 8;
      PERFORM pg_advisory_xact_lock(47112026, NEW.shard);
      SELECT n, hash INTO last FROM identity.audit_log WHERE shard = NEW.shard ORDER BY n DESC LIMIT 1;
      NEW.n := coalesce(last.n, 0) + 1;
      NEW.prev_hash := coalesce(last.hash, decode(repeat('00', 32), 'hex'));
      NEW.hash := sha256(NEW.prev_hash || convert_to(jsonb_build_array(
        NEW.shard, NEW.n, to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        NEW.service, NEW.account, NEW.action, NEW.subject, NEW.outcome, NEW.reason, NEW.details::text,
        NEW.request_id, NEW.address)::text, 'UTF8'));
      RETURN NEW;
    END $body$"""

_REFUSE: Final = """CREATE FUNCTION identity.refuse_change() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog AS $body$
    BEGIN
      RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $body$"""

_TRIGGERS: Final = (
    """CREATE TRIGGER chained BEFORE INSERT ON identity.audit_log
        FOR EACH ROW EXECUTE FUNCTION identity.chain_audit()""",
    """CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON identity.audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION identity.refuse_change()""",
)
