"""The short fault run of every test run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.chaos.run import run

MINUTES = 2.0


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_nothing_is_lost_doubled_or_out_of_order_under_kills(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("chaos")
    verdict = asyncio.run(run(folder, MINUTES, seed=20260930))
    assert not verdict.violations, verdict.report()
    assert verdict.acknowledged > 100, verdict.report()
    assert verdict.deliveries > 5, verdict.report()
    assert not verdict.spared, verdict.report()
