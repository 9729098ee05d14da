"""What of people goes by itself once a case is over, and the change of the vault's key while all is running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from services.chassis.clock import SystemClock
from services.chassis.housekeeping import RetentionSettings
from services.chassis.housekeeping.chore import Turn
from services.chassis.housekeeping.metrics import HouseMetrics
from services.chassis.housekeeping.sweeps import Sweeps
from services.chassis.telemetry import Metrics
from services.intake.store.retention import vault_sweeps
from services.intake.usecases.identity import vault_sealer
from services.intake.usecases.resealing import Resealing
from tests.integration.intake.conftest import Street, key

pytestmark = pytest.mark.anyio
URL = "/api/v1/reports"
_VIEW = """
  INSERT INTO intake.case_views (case_id, case_no, sequence, state, stage, tier, restricted, history, skipped, flags,
    opened_at, closed_at, changed_at, master)
  VALUES (:case, :case, 1, 'closed', 'discovery', 'grid', false, false, '[]', '[]', now(), :closed, now(), :master)"""


@asynccontextmanager
async def turn_of(street: Street) -> AsyncIterator[Turn]:
    async with street.db.transaction() as tx:  # all has gone out: for what has not, a chore would stand aside
        await tx.execute(sa.text("UPDATE intake.outbox SET published_at = directory.grid_now()"))
    async with street.db.session() as connection:
        told = HouseMetrics(Metrics("intake"), "intake")
        yield Turn(connection, "intake", 2, told, SystemClock(), asyncio.Event())


async def told(worker: httpx.AsyncClient, report: dict[str, object]) -> str:
    made = (await worker.post(URL, json=report, headers=key())).json()["id"]
    answer = await worker.put(f"{URL}/{made}/reporter", json={"name": "王小明", "phone": "13812345678"})
    assert answer.status_code == 200
    return str(made)


async def ended(street: Street, report_id: str, days_ago: int | None, master: str | None = None) -> None:
    async with street.db.transaction() as tx:
        now = (await tx.execute(sa.text("SELECT directory.grid_now()"))).scalar_one()
        closed = None if days_ago is None else now - timedelta(days=days_ago)
        await tx.execute(sa.text(_VIEW), {"case": f"c-{report_id}", "closed": closed, "master": master})
        values = {"report": UUID(report_id), "case": f"c-{report_id}"}
        await tx.execute(
            sa.text("INSERT INTO intake.case_reports (report_id, case_id) VALUES (:report, :case)"), values
        )


async def test_what_names_people_goes_in_its_time(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object]
) -> None:
    fresh, over, old, alive = [await told(worker, report) for _ in range(4)]
    duplicate = await told(worker, report)
    await ended(street, fresh, 89)
    await ended(street, over, 91)
    await ended(street, old, 731)
    await ended(street, alive, None)
    await ended(street, duplicate, 400, master=f"c-{alive}")
    async with turn_of(street) as turn:
        await Sweeps(vault_sweeps(RetentionSettings()), timedelta(hours=1)).do(turn)
    async with street.db.reading() as tx:
        kept = set((await tx.execute(sa.text("SELECT report_id::text FROM intake.identities"))).scalars())
        erased = set((await tx.execute(sa.text(
            "SELECT report_id::text FROM intake.vault WHERE sealed IS NULL AND erased_at IS NOT NULL"
        ))).scalars())  # fmt: skip
    assert kept == {fresh, alive, duplicate}
    assert erased == {old}
    gone = await worker.get(f"{URL}/{over}/reporter")
    assert gone.json()["given"] is False
    assert (await worker.get(f"{URL}/{old}")).status_code == 200


async def test_the_key_is_changed_while_all_is_running(
    worker: httpx.AsyncClient, street: Street, report: dict[str, object], tmp_path: Path
) -> None:
    reports = [await told(worker, report) for _ in range(3)]
    async with street.db.transaction() as tx:  # as a version before the vault was sealed left it
        await tx.execute(
            sa.text("UPDATE intake.vault SET sealed = NULL, text = '原话', place_words = '某处' WHERE report_id = :id"),
            {"id": UUID(reports[0])},
        )
    (tmp_path / "secrets" / "vault" / "0002.key").write_bytes(bytes(range(32)))
    sealer = vault_sealer(tmp_path)
    async with turn_of(street) as turn:
        await Resealing(sealer).do(turn)
    (tmp_path / "secrets" / "vault" / "0001.key").unlink()
    newest = vault_sealer(tmp_path)
    async with street.db.reading() as tx:
        words = (await tx.execute(sa.text("SELECT report_id, sealed, text FROM intake.vault"))).all()
        people = (await tx.execute(sa.text("SELECT report_id, sealed FROM intake.identities"))).all()
    assert [row.text for row in words] == ["", "", ""]
    opened = {str(row.report_id): newest.words_of(bytes(row.sealed), row.report_id) for row in words}
    assert opened[reports[0]] == ("原话", "某处", "")
    assert opened[reports[1]][0] == report["text"]
    assert {newest.identity_of(bytes(row.sealed), row.report_id).name for row in people} == {"王小明"}
