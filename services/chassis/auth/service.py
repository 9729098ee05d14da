"""Who is calling: the one place where a cookie or a token becomes a Person."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.asgi.problem import Problem
from services.chassis.audit import Audited, Entry, Outcome, record
from services.chassis.auth import sessions as store
from services.chassis.auth.denials import Denials
from services.chassis.auth.passwords import Passwords
from services.chassis.auth.person import Person
from services.chassis.auth.sessions import AccountRow, Device, SessionRow, TokenRow
from services.chassis.auth.settings import AuthSettings
from services.chassis.auth.throttle import Refused, count_try, forgive
from services.chassis.db import Database, grid_now
from services.chassis.ids import IdSource
from services.chassis.telemetry import logger
from services.governance.acts import Post
from services.governance.cycle import Role

CACHE_S = 5.0
CACHE_SIZE = 10_000
MACHINE = "token:"
_Kept = tuple[float, SessionRow | None]  # when it was asked for, and the answer


class PostBook(Protocol):
    """What the directory says about posts (a DirectoryCache, or a fake)."""

    def posts_of(self, account_id: str, now: datetime) -> tuple[Post, ...]:
        """The posts an account holds at `now`."""
        ...

    def covers_all(self, area: str) -> bool:
        """Whether an area code takes in every street there is."""
        ...


@dataclass(frozen=True, slots=True)
class SessionToken:
    """A fresh sign-in: the secret for the cookie, and who it is."""

    token: str
    expires_at: datetime
    person: Person
    life_s: int


class Authenticator:
    """Signs in and recognises callers. Look-ups of sessions are kept for at most five seconds; which posts are in force
    is asked of the directory each time."""

    def __init__(
        self,
        db: Database,
        posts: PostBook,
        ids: IdSource,
        settings: AuthSettings | None = None,
        service_token: SecretStr | None = None,
    ) -> None:
        self._db = db
        self._posts = posts
        self._ids = ids
        self.settings = settings or AuthSettings()
        self._service_token = service_token
        self._passwords = Passwords()
        self.denials = Denials(db, self._monotonic)
        self._sessions: dict[bytes, _Kept] = {}
        self._asking: dict[bytes, asyncio.Future[_Kept]] = {}
        self._tokens: dict[bytes, tuple[float, TokenRow | None, datetime]] = {}

    def close(self) -> None:
        self._passwords.close()

    # --- signing in and out -----------------------------------------------------------------------------------------
    async def sign_in(self, login: str, password: str, *, address: str, agent: str) -> SessionToken:
        """Problem 401 `wrong_password` whether the account or the password is wrong; 429 after too many tries."""
        await self._count(login, address)
        async with self._db.reading() as tx:
            account = await store.find_account(tx, login)
        if not await self._passwords.verify(account.password if account else None, password) or account is None:
            await self._refused("wrong_password", account)
            raise Problem(401, "wrong_password")
        return await self._open(account, Device(address, agent), login)

    async def sign_in_by_link(self, link: str, *, address: str, agent: str) -> SessionToken:
        """A one-time link signs in once. Problem 401 `link_invalid` for a used, old or unknown one."""
        await self._count(None, address)
        async with self._db.transaction() as tx:
            account = await store.use_link(tx, link)
        if account is None:
            await self._refused("link_invalid", None)
            raise Problem(401, "link_invalid")
        return await self._open(account, Device(address, agent, by_link=True), None)

    async def sign_out(self, token: str) -> None:
        """Ends one session at once here, within five seconds in the other services."""
        async with self._db.transaction() as tx:
            account_id = await store.close_session(tx, store.digest(token))
            if account_id is not None:
                await record(tx, Entry(Audited.SIGNED_OUT, account_id, account_id))
        for known in (self._sessions, self._asking):
            known.pop(store.digest(token), None)
        logger("auth").info("signed_out", account_id=account_id)

    async def _refused(self, reason: str, account: AccountRow | None) -> None:
        """Only the id of an account that exists is kept: into the field for the name people type passwords, too."""
        known = account.account_id if account is not None else None
        async with self._db.transaction() as tx:
            await record(tx, Entry(Audited.SIGN_IN_REFUSED, None, known, Outcome.REFUSED, reason))
        logger("auth").warning("sign_in_refused", reason=reason, account_id=known)

    async def _count(self, login: str | None, address: str) -> None:
        async with self._db.transaction() as tx:  # the count must be kept, so no exception may leave this block
            refused = await count_try(tx, login, address, self.settings)
            if refused is not None and refused.begins:
                await self._throttled(tx, login, refused)
        if refused is not None:
            seconds = refused.retry_after_s
            headers = {"retry-after": str(seconds)}
            raise Problem(429, "too_many_tries", headers=headers, extra={"retry_after_s": seconds})

    async def _throttled(self, tx: AsyncConnection, login: str | None, refused: Refused) -> None:
        """The first of each window is recorded; the flood behind it is counted."""
        account = await store.find_account(tx, login) if login is not None else None
        known = account.account_id if account is not None else None
        await record(tx, Entry(Audited.SIGN_IN_THROTTLED, None, known, Outcome.REFUSED, refused.whose))
        logger("auth").warning("sign_in_throttled", whose=refused.whose, account_id=known)

    async def _open(self, account: AccountRow, device: Device, login: str | None) -> SessionToken:
        token = self._ids.token(32)
        async with self._db.transaction() as tx:
            await forgive(tx, login, device.address)
            ends = await store.open_session(tx, token, account.account_id, self.settings, device)
            now = await grid_now(tx)
            means = {"means": "link" if device.by_link else "password"}
            await record(tx, Entry(Audited.SIGNED_IN, account.account_id, account.account_id, details=means))
        logger("auth").info("signed_in", account_id=account.account_id)
        return SessionToken(token, ends, self._person(account, now), self.settings.life_s(by_link=device.by_link))

    def holds_everywhere(self, person: Person, roles: Collection[Role]) -> bool:
        """Whether one of the person's posts of these roles is over every street of this installation."""
        return any(post.role in roles and self._posts.covers_all(post.area) for post in person.posts)

    # --- recognising ------------------------------------------------------------------------------------------------
    async def by_session(self, token: str) -> Person | None:
        """The person behind a session cookie; None when it is not in force."""
        key = store.digest(token)
        kept = self._sessions.get(key)
        if kept is None or kept[0] + CACHE_S < self._monotonic():
            kept = await self._asked(key)
        asked_at, row = kept
        if row is None:
            return None
        # The clock goes on while a look-up is kept: a post begins and ends on its second.
        return self._person(row.account, row.now + timedelta(seconds=self._monotonic() - asked_at))

    async def by_bearer(self, token: str, on_behalf_of: str | None) -> Person | None:
        """A machine by its token; with the service token, the person whose id the calling service gives."""
        if self.vouches(token):
            return await self._on_behalf(on_behalf_of) if on_behalf_of else _service_itself()
        key = store.digest(token)
        kept = self._tokens.get(key)
        if kept is None or kept[0] < self._monotonic():
            async with self._db.reading() as tx:
                kept = (self._monotonic() + CACHE_S, await store.find_token(tx, key), await grid_now(tx))
            _make_room(self._tokens)
            self._tokens[key] = kept
        return _machine(kept[1]) if kept[1] else None

    async def _asked(self, key: bytes) -> _Kept:
        """However many requests of one session come at once, one of them asks the database for all."""
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.ensure_future(self._ask(key))
            self._asking[key] = asking
            asking.add_done_callback(lambda done: self._answered(key, done))
        return await asyncio.shield(asking)  # who hangs up takes the answer from nobody

    async def _ask(self, key: bytes) -> _Kept:
        return self._monotonic(), await self._look_up_session(key)

    def _answered(self, key: bytes, asked: asyncio.Future[_Kept]) -> None:
        failed = asked.cancelled() or asked.exception() is not None
        if self._asking.get(key) is not asked:
            return  # signed out meanwhile
        del self._asking[key]
        if not failed:
            _make_room(self._sessions)
            self._sessions[key] = asked.result()

    async def _look_up_session(self, key: bytes) -> SessionRow | None:
        async with self._db.reading() as tx:
            row = await store.find_session(tx, key, self.settings)
        if row is not None and row.idle_for_s > store.TOUCH_S:
            async with self._db.transaction() as tx:
                await store.touch_session(tx, key)
        return row

    async def _on_behalf(self, account_id: str) -> Person | None:
        """The caller as another service knows him: a person's account id, or 'token:…' of a machine."""
        if account_id.startswith(MACHINE):
            async with self._db.reading() as tx:
                token = await store.token_by_id(tx, account_id.removeprefix(MACHINE))
            return _machine(token) if token else None
        async with self._db.reading() as tx:
            account, now = await store.account_by_id(tx, account_id), await grid_now(tx)
        return self._person(account, now) if account else None

    def vouches(self, token: str) -> bool:
        """Whether it is the token of another service, whose word about the caller and where he sits is taken."""
        ours = self._service_token
        return ours is not None and hmac.compare_digest(ours.get_secret_value().encode(), token.encode())

    def _person(self, account: AccountRow, now: datetime) -> Person:
        return Person(
            account_id=account.account_id,
            login=account.login,
            name=account.name,
            posts=self._posts.posts_of(account.account_id, now),
            lang=account.lang,
            sample=account.sample,
            work_no=account.work_no,
            at=now,
        )

    def _monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def _machine(row: TokenRow) -> Person:
    posts = (Post(row.role, row.area, row.unit),) if row.role else ()
    name = f"{MACHINE}{row.token_id}"
    return Person(name, name, row.name, posts, machine=True, scope=row.scope)


def _service_itself() -> Person:
    return Person("service", "service", "service", (), machine=True, scope="service")


def _make_room(cache: dict[bytes, Any]) -> None:
    if len(cache) >= CACHE_SIZE:
        cache.clear()
