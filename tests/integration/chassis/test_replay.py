"""`grid replay` over a real database."""

from __future__ import annotations

import asyncio

import pytest

from services.chassis.grid import replay
from tests.integration.chassis.streams.conftest import Stand
from tests.integration.chassis.streams.conftest import stand as stand
from tests.support.events import message, noted

pytestmark = pytest.mark.anyio


async def test_what_waits_is_shown_and_let_go(
    stand: Stand, plumbing_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", plumbing_url)
    await stand.run(message(noted("case-1", 1), 1, payload=b"no json"), message(noted("case-1", 2), 2))
    capsys.readouterr()

    assert await asyncio.to_thread(replay.show) == 0
    shown = capsys.readouterr().out
    assert "dispatch: 1 dead letters, 1 blocked keys" in shown
    assert "waits for no. 1, holds 1 from no. 2 (gap)" in shown

    assert await asyncio.to_thread(replay.give_up, "dispatch", 999, "x") == 1
    assert "no open dead letter 999" in capsys.readouterr().err
    assert await asyncio.to_thread(replay.give_up, "dispatch", 1, "a test") == 0
    await stand.runner.release()
    assert await stand.seen("case-1") == [2]
