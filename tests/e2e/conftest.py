"""One running system for all end-to-end tests, and the city platform that it tells what the street subscribed to."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.city import City, platform
from tests.e2e.town import Town
from tests.support.stand import start

FAST_RETRIES = "[0.3, 0.3, 0.5, 1, 1, 2, 2, 4, 8]"
EVENTS = ["case.escalated", "case.overdue", "case.supervised", "case.district_due", "case.closed", "case.reopened"]


@pytest.fixture(scope="session")
def city() -> Iterator[City]:
    with platform() as city:
        yield city


@contextmanager
def a_town(city: City, more: Mapping[str, str] | None = None) -> Iterator[Town]:
    """The whole system on free ports with an empty street: no history, every webhook subscribed to."""
    home = Path(tempfile.mkdtemp(prefix="grid-e2e-"))
    home.chmod(0o711)  # an unprivileged database server has to pass through
    extra = {
        "GRID_SAMPLE_HISTORY": "0",
        "GRID_WEBHOOK_ALLOW_HOSTS": city.address,
        "GRID_WEBHOOK_SCHEDULE_S": FAST_RETRIES,
        **(more or {}),
    }
    try:
        stand = start(home / "home", extra)
        try:
            town = Town(stand)
            city.secret = town.subscribe(f"http://{city.address}/hook", EVENTS)
            yield town
            town.close()
        finally:
            code = stand.stop()
        assert code in (0, 130), f"the system ended with {code}"
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def town(city: City) -> Iterator[Town]:
    with a_town(city) as town:
        yield town
