"""Sessions and tokens in the database: opaque random values, of which only the SHA-256 is stored."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.auth.settings import AuthSettings
from services.chassis.auth.tables import accounts, one_time_links, sessions, tokens
from services.governance.cycle import Role

_NOW = sa.func.directory.grid_now(type_=sa.TIMESTAMP(timezone=True))
TOUCH_S = 60  # `seen_at` is written at most once a minute


@dataclass(frozen=True, slots=True)
class AccountRow:
    """What signing in needs to know about an account."""

    account_id: str
    login: str
    name: str
    lang: str
    sample: bool
    work_no: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session in force. `now` is the database's time of the look-up."""

    account: AccountRow
    expires_at: datetime
    idle_for_s: float
    now: datetime


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A machine token in force."""

    token_id: str
    name: str
    role: Role | None
    area: str
    unit: str | None
    scope: str | None


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


_ACCOUNT = (
    accounts.c.account_id,
    accounts.c.login,
    accounts.c.name,
    accounts.c.lang,
    accounts.c.sample,
    accounts.c.work_no,
)


async def find_account(tx: AsyncConnection, login: str) -> AccountRow | None:
    """An account that may sign in, by login."""
    query = sa.select(*_ACCOUNT, accounts.c.password).where(
        accounts.c.login == login.strip(), accounts.c.disabled_at.is_(None)
    )
    row = (await tx.execute(query)).mappings().one_or_none()
    return AccountRow(**row) if row else None


async def account_by_id(tx: AsyncConnection, account_id: str) -> AccountRow | None:
    query = sa.select(*_ACCOUNT).where(accounts.c.account_id == account_id, accounts.c.disabled_at.is_(None))
    row = (await tx.execute(query)).mappings().one_or_none()
    return AccountRow(**row) if row else None


@dataclass(frozen=True, slots=True)
class Device:
    """What signs in: its address, its browser, and whether it came by a one-time link."""

    address: str
    agent: str
    by_link: bool = False


async def open_session(
    tx: AsyncConnection, token: str, account_id: str, settings: AuthSettings, device: Device
) -> datetime:
    """Stores a new session; returns when it ends for good. Housekeeping removes those that have ended."""
    life_s = settings.life_s(by_link=device.by_link)
    made = await tx.execute(
        sa.insert(sessions)
        .values(
            token_sha256=digest(token),
            account_id=account_id,
            created_at=_NOW,
            seen_at=_NOW,
            expires_at=_NOW + sa.func.make_interval(0, 0, 0, 0, 0, 0, life_s),
            address=device.address[:60],
            agent=device.agent[:200],
            by_link=device.by_link,
        )
        .returning(sessions.c.expires_at)
    )
    ends: datetime = made.scalar_one()
    return ends


async def find_session(tx: AsyncConnection, token_sha256: bytes, settings: AuthSettings) -> SessionRow | None:
    """The session if it is in force: neither over nor, unless opened by a link, idle for too long; its account not
    disabled."""
    idle = sa.extract("epoch", _NOW - sessions.c.seen_at)
    query = (
        sa.select(*_ACCOUNT, sessions.c.expires_at, idle.label("idle_for_s"), _NOW.label("now"))
        .join(accounts, accounts.c.account_id == sessions.c.account_id)
        .where(
            sessions.c.token_sha256 == token_sha256,
            sessions.c.expires_at > _NOW,
            sa.or_(sessions.c.by_link, idle < settings.idle_s),
            accounts.c.disabled_at.is_(None),
        )
    )
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    account = AccountRow(*(row[column.name] for column in _ACCOUNT))
    return SessionRow(account, row["expires_at"], float(row["idle_for_s"]), row["now"])


async def touch_session(tx: AsyncConnection, token_sha256: bytes) -> None:
    await tx.execute(sa.update(sessions).where(sessions.c.token_sha256 == token_sha256).values(seen_at=_NOW))


async def close_session(tx: AsyncConnection, token_sha256: bytes) -> str | None:
    """Ends a session; the account that held it, None where there was none."""
    ended = sa.delete(sessions).where(sessions.c.token_sha256 == token_sha256).returning(sessions.c.account_id)
    account_id: str | None = (await tx.execute(ended)).scalar_one_or_none()
    return account_id


async def close_sessions_of(tx: AsyncConnection, account_id: str) -> int:
    """Ends every session of an account; returns how many."""
    return (await tx.execute(sa.delete(sessions).where(sessions.c.account_id == account_id))).rowcount


async def find_token(tx: AsyncConnection, token_sha256: bytes) -> TokenRow | None:
    """A machine token that is neither revoked nor over."""
    return await _token(tx, tokens.c.token_sha256 == token_sha256)


async def token_by_id(tx: AsyncConnection, token_id: str) -> TokenRow | None:
    """The same by the id that other services know."""
    return await _token(tx, tokens.c.token_id == token_id)


async def _token(tx: AsyncConnection, which: sa.ColumnElement[bool]) -> TokenRow | None:
    query = sa.select(tokens.c.token_id, tokens.c.name, tokens.c.role, tokens.c.area, tokens.c.unit, tokens.c.scope)
    query = query.where(
        which,
        tokens.c.revoked_at.is_(None),
        sa.or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > _NOW),
    )
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    return TokenRow(**{**row, "role": Role(row["role"]) if row["role"] else None})


async def use_link(tx: AsyncConnection, token: str) -> AccountRow | None:
    """Uses up a one-time link: its account if it was valid, once."""
    used = await tx.execute(
        sa.update(one_time_links)
        .where(
            one_time_links.c.token_sha256 == digest(token),
            one_time_links.c.used_at.is_(None),
            one_time_links.c.expires_at > _NOW,
        )
        .values(used_at=_NOW)
        .returning(one_time_links.c.account_id)
    )
    account_id = used.scalar_one_or_none()
    return await account_by_id(tx, account_id) if account_id else None
