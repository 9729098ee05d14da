"""How often a password may be guessed: counted before it is looked at, so parallel guesses count too."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.asgi.problem import Problem
from services.chassis.auth.settings import AuthSettings
from services.chassis.auth.tables import throttle

_NOW = sa.func.directory.grid_now(type_=sa.TIMESTAMP(timezone=True))


def login_key(login: str) -> str:
    return f"login:{login.strip().lower()[:100]}"


def address_key(address: str) -> str:
    return f"address:{address[:60]}"


async def count_try(tx: AsyncConnection, login: str | None, address: str, settings: AuthSettings) -> None:
    """Counts one try; without a login, of the address alone.

    Raises Problem 429 with Retry-After when the account or the address has used up its own.
    """
    limits = {address_key(address): settings.tries_per_address}
    if login is not None:
        limits[login_key(login)] = settings.tries_per_account
    for key, allowed in limits.items():
        tries, wait_s = await _count(tx, key, settings.throttle_window_s)
        if tries > allowed:
            seconds = max(1, int(wait_s))
            raise Problem(
                429, "too_many_tries", headers={"retry-after": str(seconds)}, extra={"retry_after_s": seconds}
            )


async def forgive(tx: AsyncConnection, login: str | None, address: str) -> None:
    """A right password clears the account's count and takes its own try off the address's."""
    if login is not None:
        await tx.execute(sa.delete(throttle).where(throttle.c.key == login_key(login)))
    own = throttle.c.key == address_key(address)
    await tx.execute(sa.update(throttle).where(own).values(tries=sa.func.greatest(throttle.c.tries - 1, 0)))


async def _count(tx: AsyncConnection, key: str, window_s: int) -> tuple[int, float]:
    """(tries within the window including this one, seconds until the window ends)."""
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
    return int(tries), float(wait_s)
