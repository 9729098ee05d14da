"""The long run on three brokers: one dies under load and comes back, then the topics grow; nothing is lost."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.run import run

LULL_S = 30.0


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="grid-test-cluster-", dir="/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_broker_dies_and_topics_grow_under_load(folder: Path) -> None:
    outcome = asyncio.run(run(folder, LULL_S))
    assert not outcome.violations, outcome.report()
    assert outcome.acknowledged > 500, outcome.report()
    assert outcome.caught_up_s is not None, outcome.report()
    assert outcome.moved_keys["grid.case.v1"] > 0, outcome.report()
    assert outcome.to_new_partitions["grid.report.v1"] > 0, outcome.report()
