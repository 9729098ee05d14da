"""How often a password may be guessed: counted before it is looked at, in a table, so guesses at once and through
several processes count too.

Three counts in one window. An address may fail so often at any accounts, an address at one account, and everybody
together at one account. Who has used up the last one locks nobody out: an address that has not failed at this account
itself is still looked at once per window, so that its owner gets in from wherever he is.

Anything may be typed as a login, so the rows know it by its SHA-256 only.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.auth.settings import AuthSettings
from services.chassis.auth.tables import throttle
from services.chassis.network import network_of

_NOW = sa.func.directory.grid_now(type_=sa.TIMESTAMP(timezone=True))


@dataclass(frozen=True, slots=True)
class Refused:
    """No look at the password now. `begins`: the first try of its kind that was not looked at."""

    retry_after_s: int
    whose: str  # address | account
    begins: bool


@dataclass(frozen=True, slots=True)
class _Count:
    tries: int  # within the window, this one included
    wait_s: float  # until the window ends


def login_key(login: str) -> str:
    return f"login:{_hidden(login)}"


def address_key(address: str) -> str:
    return f"address:{network_of(address)}"


def pair_key(login: str, address: str) -> str:
    return f"pair:{_hidden(login)}@{network_of(address)}"


async def count_try(tx: AsyncConnection, login: str | None, address: str, settings: AuthSettings) -> Refused | None:
    """Counts one try; without a login, of the address alone. None: the password may be looked at.

    The transaction must commit either way. Rows are always taken in the same order, here and in `forgive`.
    """
    window, most = settings.throttle_window_s, settings.tries_per_address
    by_address = await _count(tx, address_key(address), window)
    if by_address.tries > most:
        return _refused(by_address, "address", begins=by_address.tries == most + 1)
    if login is None:
        return None
    most = settings.tries_per_account
    here = await _count(tx, pair_key(login, address), window)
    if here.tries > most:
        return _refused(here, "account", begins=here.tries == most + 1)
    everywhere = await _count(tx, login_key(login), window)
    if everywhere.tries > most and here.tries > 1:
        return _refused(everywhere, "account", begins=here.tries == 2)
    return None


async def forgive(tx: AsyncConnection, login: str | None, address: str) -> None:
    """A right password clears the account's counts and takes its own try off the address's."""
    own = throttle.c.key == address_key(address)
    await tx.execute(sa.update(throttle).where(own).values(tries=sa.func.greatest(throttle.c.tries - 1, 0)))
    if login is not None:
        for key in (pair_key(login, address), login_key(login)):
            await tx.execute(sa.delete(throttle).where(throttle.c.key == key))


def _hidden(login: str) -> str:
    return sha256(login.strip().lower()[:100].encode("utf-8", "surrogatepass")).hexdigest()


def _refused(count: _Count, whose: str, *, begins: bool) -> Refused:
    return Refused(max(1, int(count.wait_s)), whose, begins)


async def _count(tx: AsyncConnection, key: str, window_s: int) -> _Count:
    window = sa.func.make_interval(0, 0, 0, 0, 0, 0, window_s)
    over = throttle.c.since < _NOW - window
    upsert = (
        insert(throttle)
        .values(key=key, tries=1, since=_NOW)
        .on_conflict_do_update(
            index_elements=[throttle.c.key],
            set_={
                "tries": sa.case((over, 1), else_=throttle.c.tries + 1),
                "since": sa.case((over, _NOW), else_=throttle.c.since),
            },
        )
        .returning(throttle.c.tries, sa.extract("epoch", throttle.c.since + window - _NOW))
    )
    tries, wait_s = (await tx.execute(upsert)).one()
    return _Count(int(tries), float(wait_s))
