"""Requests of one session that come at once ask the database together."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from services.chassis.auth.service import Authenticator
from services.chassis.auth.sessions import AccountRow, SessionRow
from services.chassis.auth.settings import AuthSettings
from services.chassis.db import Database
from services.chassis.ids import SystemIds

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Nobody:
    def posts_of(self, account_id: str, now: datetime) -> tuple[()]:
        return ()

    def covers_all(self, area: str) -> bool:
        return False


class Asked(Authenticator):
    """Counts what would go to the database, and answers when it is told to."""

    def __init__(self) -> None:
        super().__init__(cast("Database", None), Nobody(), SystemIds(), AuthSettings())
        self.count = 0
        self.may_answer = asyncio.Event()
        self.fault: Exception | None = None

    async def _look_up_session(self, key: bytes) -> SessionRow | None:
        self.count += 1
        await self.may_answer.wait()
        if self.fault is not None:
            raise self.fault
        return SessionRow(_account(), NOW + timedelta(days=1), 0.0, NOW)


def _account() -> Any:
    return AccountRow(account_id="a", login="l", name="n", lang="zh-CN", sample=False)


async def test_many_at_once_ask_once_and_all_are_answered() -> None:
    auth = Asked()
    asking = [asyncio.ensure_future(auth.by_session("token")) for _ in range(32)]
    await asyncio.sleep(0)
    asking[0].cancel()  # the first one hangs up
    auth.may_answer.set()
    found = await asyncio.gather(*asking[1:])
    assert {person.account_id for person in found if person} == {"a"}
    assert await auth.by_session("token") is not None
    assert auth.count == 1


async def test_a_failure_is_everybody_s_and_kept_for_nobody() -> None:
    auth = Asked()
    auth.may_answer.set()
    auth.fault = OSError("away")
    failed = await asyncio.gather(*(auth.by_session("token") for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in failed] == [OSError] * 3
    auth.fault = None
    assert await auth.by_session("token") is not None
    assert auth.count == 2
