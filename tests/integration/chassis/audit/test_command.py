"""`grid audit verify` over a real database."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from services.chassis.db import Database
from services.chassis.grid.audit import verify_record
from tests.integration.chassis.audit.test_chain import tamper, tell

pytestmark = pytest.mark.anyio


async def verified(heads: Path | None = None) -> int:
    return await asyncio.to_thread(verify_record, heads)


async def test_the_command_says_whether_the_record_holds(
    database: Database,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    heads = tmp_path / "heads.json"
    assert await verified(heads) == 0
    await tell(database, "a", "b", "c")
    assert await verified(heads) == 0
    assert "3 rows in 1 chains" in capsys.readouterr().out

    tamper(database_url, "DELETE FROM identity.audit_log WHERE n = 3")
    assert await verified() == 0, "what is cut off leaves no gap"
    assert await verified(heads) == 1
    assert "row 3: rows that were there at an earlier proof are gone" in capsys.readouterr().err
    assert await verified(heads) == 1, "a proof with findings does not become the new measure"

    tamper(database_url, "UPDATE identity.audit_log SET subject = 'x' WHERE n = 1")
    assert await verified() == 1
    assert "row 1: it is not what was written" in capsys.readouterr().err


async def test_a_file_that_holds_no_heads_is_refused(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    heads = tmp_path / "heads.json"
    heads.write_text("[]")
    assert await verified(heads) == 1
    assert heads.read_text() == "[]"
