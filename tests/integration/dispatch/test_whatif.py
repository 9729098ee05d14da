"""The rules that might have been, over a street that has worked for a while in a real database."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.chassis.db import move_clock
from services.chassis.telemetry import Metrics
from services.dispatch.__main__ import _parser
from services.dispatch.usecases.ground import Ground
from services.dispatch.whatif.command import run_whatif
from tests.integration.dispatch.conftest import SAMPLE, Street
from tests.support.street_walks import StreetAtWork

pytestmark = pytest.mark.anyio
RULEBOOK = SAMPLE.parents[1] / "rulebooks" / "fengcheng.toml"


@pytest.fixture
async def at_work(street: Street) -> AsyncIterator[StreetAtWork]:
    working = StreetAtWork(street, seed=5)
    yield working
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(0))


def asked(file: Path, *words: str) -> argparse.Namespace:
    return _parser().parse_args(["what-if", str(file), "--since", "2020-01-01", *words])


def base_of(street: Street) -> Ground:
    return Ground(street.db, street.cache, street.ids, Metrics("dispatch"))


async def test_the_unchanged_rulebook_differs_in_nothing(
    street: Street, at_work: StreetAtWork, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await at_work.work(cases=20, steps=14)
    data = tmp_path / "same.json"
    assert await run_whatif(base_of(street), asked(RULEBOOK, "--json", str(data))) == 0
    told = json.loads(data.read_text())
    print(capsys.readouterr().out, at_work.refused)
    figures = told["figures"]
    print(await street.rows("SELECT kind, count(*) FROM dispatch.case_facts GROUP BY 1 ORDER BY 2 DESC"))
    assert figures["cases"] == 20
    assert figures["not_reproducible"] == 0, figures["faults"]
    assert figures["diverged"] == 0
    assert figures["differ"] == 0
    assert told["cases"] == []
