"""`grid accounts` and `grid token`: who may sign in, and tokens for machines."""

from __future__ import annotations

import asyncio
import json
import sys
import tomllib
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.auth.admin import OPEN311, ListedAccount, create_token, list_accounts, revoke_token
from services.chassis.db import Database
from services.chassis.grid.asking import failed
from services.chassis.grid.target import database_url
from services.chassis.ids import SystemIds
from services.chassis.settings import DatabaseSettings
from services.chassis.supervisor.settings import CHECKOUT
from services.governance.cycle import Role

SAMPLE_STREET = CHECKOUT / "deploy" / "sample" / "fengcheng" / "street.toml"

Answer = TypeVar("Answer")


def show_accounts(as_json: bool) -> int:
    """Print them, as a table or as JSON."""
    password = _sample_password()
    try:
        found = _in_transaction(lambda tx: list_accounts(tx, password))
    except (SQLAlchemyError, OSError) as error:
        return failed(error)
    if as_json:
        sys.stdout.write(json.dumps([asdict(account) for account in found], ensure_ascii=False, indent=1) + "\n")
        return 0
    for account in found:
        sys.stdout.write(_row(account) + "\n")
    return 0


def create_token_for(role: str | None, label: str, area: str, unit: str | None) -> int:
    """Make one and print it, once. Without a role it is a key for Open311 clients."""
    try:
        known = Role(role) if role is not None else None
    except ValueError:
        sys.stderr.write(f"grid: no role {role!r}; roles are {', '.join(each.value for each in Role)}\n")
        return 2
    scope = OPEN311 if known is None else None
    name = label or (f"machine {role}" if role else "open311 client")
    try:
        made = _in_transaction(
            lambda tx: create_token(tx, SystemIds(), name=name, role=known, scope=scope, area=area, unit=unit)
        )
    except (SQLAlchemyError, OSError) as error:
        return failed(error)
    sys.stdout.write(f"{made.token}\n")
    sys.stderr.write(f"token {made.token_id} ({name}); it is shown this once\n")
    return 0


def end_token(token_id: str) -> int:
    """End a token by its id; 1 where none in force has it."""
    try:
        ended = _in_transaction(lambda tx: revoke_token(tx, token_id))
    except (SQLAlchemyError, OSError) as error:
        return failed(error)
    if not ended:
        sys.stderr.write(f"grid: no token in force has the id {token_id!r}\n")
        return 1
    sys.stderr.write(f"token {token_id} ended\n")
    return 0


def _in_transaction(work: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
    """The answer of `work`. Runs as dispatch, which alone writes accounts."""

    async def run() -> Answer:
        db = Database(DatabaseSettings(url=database_url("dispatch")), "grid")
        try:
            async with db.transaction() as tx:
                return await work(tx)
        finally:
            await db.close()

    return asyncio.run(run())


def _sample_password() -> str | None:
    """The public password of the made-up street's accounts; printed on purpose."""
    if not SAMPLE_STREET.exists():
        return None
    password: str | None = tomllib.loads(SAMPLE_STREET.read_text()).get("password")
    return password


def _row(account: ListedAccount) -> str:
    posts = " ".join(sorted({f"{post['role']}" for post in account.posts}))
    return f"{account.login:<14} {account.password or '':<16} {posts:<10} {account.name}"
