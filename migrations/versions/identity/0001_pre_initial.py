"""Accounts, sessions, machine tokens, one-time links, the throttle of sign-in.

Revision: 0001, the first
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """CREATE TABLE identity.accounts (
        account_id text NOT NULL,
        login text NOT NULL,
        name text NOT NULL,
        lang text DEFAULT 'zh-CN' NOT NULL,
        password text,
        sample boolean DEFAULT false NOT NULL,
        created_at timestamptz NOT NULL,
        disabled_at timestamptz,
        CONSTRAINT pk_accounts PRIMARY KEY (account_id),
        CONSTRAINT uq_accounts_login UNIQUE (login)
    )""",
    "COMMENT ON COLUMN identity.accounts.password IS 'argon2id; null: signs in by link only'",
    """CREATE TABLE identity.sessions (
        token_sha256 bytea NOT NULL,
        account_id text NOT NULL,
        created_at timestamptz NOT NULL,
        seen_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        address text,
        agent text,
        CONSTRAINT pk_sessions PRIMARY KEY (token_sha256),
        CONSTRAINT fk_sessions_account_id FOREIGN KEY (account_id)
            REFERENCES identity.accounts (account_id) ON DELETE CASCADE
    )""",
    "COMMENT ON COLUMN identity.sessions.token_sha256 IS 'the token itself is only in the cookie'",
    "COMMENT ON COLUMN identity.sessions.expires_at IS 'absolute end, whatever happens'",
    "CREATE INDEX ix_sessions_account_id ON identity.sessions (account_id)",
    "CREATE INDEX ix_sessions_expires_at ON identity.sessions (expires_at)",
    """CREATE TABLE identity.tokens (
        token_id text NOT NULL,
        token_sha256 bytea NOT NULL,
        name text NOT NULL,
        role text,
        area text DEFAULT '' NOT NULL,
        unit text,
        scope text,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        CONSTRAINT pk_tokens PRIMARY KEY (token_id),
        CONSTRAINT uq_tokens_token_sha256 UNIQUE (token_sha256),
        CONSTRAINT ck_tokens_role_or_scope CHECK ((role IS NULL) <> (scope IS NULL))
    )""",
    "COMMENT ON COLUMN identity.tokens.scope IS '''open311'' or null'",
    """CREATE TABLE identity.one_time_links (
        token_sha256 bytea NOT NULL,
        account_id text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        CONSTRAINT pk_one_time_links PRIMARY KEY (token_sha256),
        CONSTRAINT fk_one_time_links_account_id FOREIGN KEY (account_id)
            REFERENCES identity.accounts (account_id) ON DELETE CASCADE
    )""",
    """CREATE TABLE identity.throttle (
        key text NOT NULL,
        tries integer NOT NULL,
        since timestamptz NOT NULL,
        CONSTRAINT pk_throttle PRIMARY KEY (key)
    )""",
    "COMMENT ON COLUMN identity.throttle.key IS '''login:…'' or ''address:…'''",
    "COMMENT ON COLUMN identity.throttle.since IS 'start of the counting window'",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")
