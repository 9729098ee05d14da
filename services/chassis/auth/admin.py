"""What the command line does with accounts, links and tokens; its connection must be allowed to write accounts.

Each change is recorded in its transaction, as done by the user of this machine who ran the command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.audit import Audited, Entry, by_hand, record
from services.chassis.auth.passwords import Passwords, check_strength
from services.chassis.auth.sessions import close_sessions_of, digest
from services.chassis.auth.tables import accounts, one_time_links, sessions, tokens
from services.chassis.directory.tables import posts
from services.chassis.ids import IdSource
from services.governance.cycle import Role

_NOW = sa.func.directory.grid_now(type_=sa.TIMESTAMP(timezone=True))
OPEN311 = "open311"
LINK_LIFE_S = 24 * 3600


class UnknownAccount(LookupError):
    """No account has this login."""

    def __init__(self, login: str) -> None:
        super().__init__(f"no account {login!r}")


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """One account as `grid accounts --json` prints it. `password` is set for the sample street's accounts only."""

    account_id: str
    login: str
    name: str
    sample: bool
    disabled: bool
    posts: Sequence[Mapping[str, str | None]]
    password: str | None = None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A fresh machine token; the secret is shown this once."""

    token_id: str
    token: str


@dataclass(frozen=True, slots=True)
class NewLink:
    """A fresh one-time link; the secret is shown this once."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignIns:
    """How an account stands with signing in."""

    seen_at: datetime | None = None
    link_until: datetime | None = None


async def sign_ins(tx: AsyncConnection) -> dict[str, SignIns]:
    """By account: the last use of a sign-in that has not ended, the end of a link that was not used."""
    seen = sa.select(sessions.c.account_id, sa.func.max(sessions.c.seen_at)).where(sessions.c.expires_at > _NOW)
    waiting = sa.select(one_time_links.c.account_id, sa.func.max(one_time_links.c.expires_at)).where(
        one_time_links.c.used_at.is_(None), one_time_links.c.expires_at > _NOW
    )
    last = dict((await tx.execute(seen.group_by(sessions.c.account_id))).all())
    links = dict((await tx.execute(waiting.group_by(one_time_links.c.account_id))).all())
    return {account: SignIns(last.get(account), links.get(account)) for account in last.keys() | links.keys()}


async def list_accounts(tx: AsyncConnection, sample_password: str | None = None) -> list[ListedAccount]:
    """Every account with its posts, sample accounts with the sample's password."""
    held: dict[str, list[Mapping[str, str | None]]] = {}
    in_force = sa.and_(posts.c.since <= _NOW, sa.or_(posts.c.until.is_(None), posts.c.until > _NOW))
    for row in (await tx.execute(sa.select(posts).where(in_force).order_by(*posts.primary_key))).mappings():
        post = {"role": row["role"], "area": row["area"], "unit": row["unit"] or None, "label": row["label"]}
        held.setdefault(row["account_id"], []).append(post)
    found = await tx.execute(sa.select(accounts).order_by(accounts.c.created_at, accounts.c.account_id))
    return [
        ListedAccount(
            account_id=row["account_id"],
            login=row["login"],
            name=row["name"],
            sample=row["sample"],
            disabled=row["disabled_at"] is not None,
            posts=held.get(row["account_id"], []),
            password=sample_password if row["sample"] else None,
        )
        for row in found.mappings()
    ]


async def create_account(
    tx: AsyncConnection, ids: IdSource, *, login: str, name: str, password: str | None, lang: str = "zh-CN"
) -> str:
    """A new account; returns its id. Raises WeakPassword; a taken login is an integrity error. Hashing blocks."""
    if password is not None:
        check_strength(password, login)
    account_id = str(ids.uuid7())
    await tx.execute(
        sa.insert(accounts).values(
            account_id=account_id,
            login=login,
            name=name,
            lang=lang,
            password=Passwords().hash_now(password) if password is not None else None,
            created_at=_NOW,
        )
    )
    await record(tx, Entry(Audited.ACCOUNT_CREATED, by_hand(), account_id))
    return account_id


async def set_password(tx: AsyncConnection, login: str, password: str) -> None:
    """A new password; every session of the account ends. Raises UnknownAccount, WeakPassword. Hashing blocks."""
    check_strength(password, login)
    hashed = Passwords().hash_now(password)
    changed = await tx.execute(
        sa.update(accounts).where(accounts.c.login == login).values(password=hashed).returning(accounts.c.account_id)
    )
    account_id = changed.scalar_one_or_none()
    if account_id is None:
        raise UnknownAccount(login)
    ended = await close_sessions_of(tx, account_id)
    await record(tx, Entry(Audited.PASSWORD_SET, by_hand(), account_id, details={"sessions_ended": ended}))


async def disable_account(tx: AsyncConnection, login: str) -> None:
    """No more sign-in; every session of the account ends. Raises UnknownAccount."""
    changed = await tx.execute(
        sa.update(accounts).where(accounts.c.login == login).values(disabled_at=_NOW).returning(accounts.c.account_id)
    )
    account_id = changed.scalar_one_or_none()
    if account_id is None:
        raise UnknownAccount(login)
    ended = await close_sessions_of(tx, account_id)
    await record(tx, Entry(Audited.ACCOUNT_DISABLED, by_hand(), account_id, details={"sessions_ended": ended}))


async def create_link(
    tx: AsyncConnection, ids: IdSource, login: str, by: str | None = None, life_s: int = LINK_LIFE_S
) -> NewLink:
    """A link that signs `login` in once; links made for him before are good no more. `by` is the account that made
    it, None the user of this machine. Raises UnknownAccount, also for an account that is disabled."""
    wanted = sa.select(accounts.c.account_id).where(accounts.c.login == login, accounts.c.disabled_at.is_(None))
    account_id = (await tx.execute(wanted.with_for_update())).scalar()
    if account_id is None:
        raise UnknownAccount(login)
    unused = (one_time_links.c.account_id == account_id, one_time_links.c.used_at.is_(None))
    await tx.execute(sa.delete(one_time_links).where(*unused))
    token = ids.token(24)
    made = await tx.execute(
        sa.insert(one_time_links)
        .values(
            token_sha256=digest(token),
            account_id=account_id,
            created_at=_NOW,
            expires_at=_NOW + sa.func.make_interval(0, 0, 0, 0, 0, 0, life_s),
        )
        .returning(one_time_links.c.expires_at)
    )
    await record(tx, Entry(Audited.LINK_CREATED, by or by_hand(), account_id, details={"life_s": life_s}))
    return NewLink(token, made.scalar_one())


async def create_token(
    tx: AsyncConnection,
    ids: IdSource,
    *,
    name: str,
    role: Role | None = None,
    scope: str | None = None,
    area: str = "",
    unit: str | None = None,
    life_s: int | None = None,
) -> NewToken:
    """A bearer token for a machine: with a role (like a post over `area` or for `unit`), or with one scope."""
    if (role is None) == (scope is None):
        raise ValueError("a token has either a role or a scope")
    token_id, token = str(ids.uuid7()), f"grid_{ids.token(32)}"
    await tx.execute(
        sa.insert(tokens).values(
            token_id=token_id,
            token_sha256=digest(token),
            name=name,
            role=role.value if role else None,
            scope=scope,
            area=area,
            unit=unit,
            created_at=_NOW,
            expires_at=_NOW + sa.func.make_interval(0, 0, 0, 0, 0, 0, life_s) if life_s else None,
        )
    )
    rights = {"role": role, "scope": scope, "area": area, "unit": unit}
    await record(tx, Entry(Audited.TOKEN_CREATED, by_hand(), token_id, details=rights))
    return NewToken(token_id, token)


async def revoke_token(tx: AsyncConnection, token_id: str) -> bool:
    """Ends a token (within five seconds everywhere); False if there is none in force with that id."""
    ended = await tx.execute(
        sa.update(tokens).where(tokens.c.token_id == token_id, tokens.c.revoked_at.is_(None)).values(revoked_at=_NOW)
    )
    if ended.rowcount == 0:
        return False
    await record(tx, Entry(Audited.TOKEN_REVOKED, by_hand(), token_id))
    return True
