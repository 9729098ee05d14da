"""The short fault run of every test run, and the long one."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.plan import ALONE, Fault
from tests.chaos.run import run
from tests.chaos.verdict import RECOVERED_WITHIN_S

MINUTES = 2.0
"""With what engines take to come back, and the judgement, four minutes on two cores that do nothing else."""
LONG_MINUTES = 30.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that an unprivileged database server can reach; pytest's own are closed to it."""
    with tempfile.TemporaryDirectory(prefix="grid-chaos-", dir="/tmp") as name:
        yield Path(name)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_nothing_is_lost_doubled_or_out_of_order_under_faults(folder: Path) -> None:
    verdict = asyncio.run(run(folder, MINUTES, seed=20260930))
    assert not verdict.violations, verdict.report()
    assert verdict.acknowledged > 100, verdict.report()
    assert verdict.deliveries > 5, verdict.report()
    assert verdict.counts.acts > 10, verdict.report()
    assert verdict.counts.firings > 20, verdict.report()
    assert not verdict.spared, verdict.report()
    done = {wound.fault for wound in verdict.wounds}
    assert done >= {fault.value for fault in Fault} - ALONE - verdict.undone, verdict.report()


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_half_an_hour_with_a_long_outage_of_broker_and_database(folder: Path) -> None:
    verdict = asyncio.run(run(folder, LONG_MINUTES, seed=20261122))
    assert not verdict.violations, verdict.report()
    assert verdict.recoveries, verdict.report()
    assert min(one.recovered_s for one in verdict.recoveries) <= RECOVERED_WITHIN_S, verdict.report()
