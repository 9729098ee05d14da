"""`grid partner`: who may hand matters over, with a secret that is shown once and works."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from standardwebhooks.webhooks import Webhook

from services.intake.partners import run_partner
from tests.integration.intake.conftest import Street

pytestmark = pytest.mark.anyio
Partner = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def partner(
    street: Street,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Partner:
    """Runs the command as `grid` does; its exit code and what it wrote."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("GRID_HOME", str(tmp_path))

    async def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = await asyncio.to_thread(run_partner, list(words))
        out, err = capsys.readouterr()
        return code, out, err

    return run


async def asked(app: FastAPI, name: str, secret: str) -> int:
    """The status that a message signed with this secret gets; what it holds is beside the point."""
    raw, at = json.dumps({"matters": []}), datetime.now(UTC)
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("m1", at, raw),
        "content-type": "application/json",
    }
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        return (await client.post(f"/api/v1/push/{name}", content=raw, headers=headers)).status_code


async def test_added_listed_rotated_removed(partner: Partner, app: FastAPI, street: Street) -> None:
    code, first, told = await partner("add", "city", "--source", "platform_push")
    assert code == 0
    assert "shown this once" in told
    first = first.strip()
    assert await asked(app, "city", first) != 401

    code, listed, _ = await partner("list")
    assert code == 0
    assert "city" in listed
    assert "platform_push" in listed
    assert "CJ/T 214 2007" in listed
    assert first not in listed

    code, second, _ = await partner("rotate", "city")
    second = second.strip()
    assert code == 0
    assert second != first
    assert await asked(app, "city", second) != 401
    assert await asked(app, "city", first) != 401, "the old one is good for another day"

    assert (await partner("remove", "city"))[0] == 0
    assert await asked(app, "city", second) == 401
    assert "platform_push" not in (await partner("list"))[1]
    told_of = await street.scalar(
        "SELECT string_agg(action, ' ' ORDER BY at) FROM identity.audit_log WHERE subject = 'city'"
    )
    assert told_of == "partner.added partner.secret_rotated partner.removed"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "city", "--source", "nonsense"), "'nonsense'"),
        (("rotate", "nobody"), "'nobody'"),
        (("remove", "nobody"), "'nobody'"),
    ],
)
async def test_what_cannot_be_done_is_one_line_with_a_remedy(
    partner: Partner, words: tuple[str, ...], told: str
) -> None:
    code, out, err = await partner(*words)
    assert (code, out) == (1, "")
    assert err.startswith("grid partner: ")
    assert err.count("\n") == 1
    assert told in err


async def test_a_name_is_taken_once_and_free_again_when_removed(partner: Partner) -> None:
    assert (await partner("add", "city", "--source", "platform_push"))[0] == 0
    code, _, err = await partner("add", "city", "--source", "platform_push")
    assert code == 1
    assert "grid partner rotate city" in err
    assert (await partner("remove", "city"))[0] == 0
    assert (await partner("add", "city", "--source", "platform_push"))[0] == 0
