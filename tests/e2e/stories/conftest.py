"""One system for all stories, its clock at the beginning of 2026; stories are told in the order of their dates."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.chassis.migrate import migrate
from tests.e2e.city import City, platform
from tests.e2e.conftest import EVENTS, FAST_RETRIES
from tests.e2e.stories.telling import Tale
from tests.e2e.town import Town
from tests.support.moved_clock import MovedClock
from tests.support.postgres import TestServer
from tests.support.stand import start

BEFORE_ALL = "2025-12-31 12:00"
YEARS_S = str(3 * 366 * 86400)


@dataclass
class Street:
    """What runs for all stories."""

    town: Town
    city: City
    clock: MovedClock


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stories by their dates, where other tests stood: the clock only goes forwards."""
    places = [n for n, item in enumerate(items) if item.get_closest_marker("story")]
    told = sorted((items[n] for n in places), key=lambda item: str(item.get_closest_marker("story").args[1]))  # type: ignore[union-attr]
    for place, item in zip(places, told, strict=True):
        items[place] = item


@pytest.fixture(scope="session")
def street(postgres: TestServer) -> Iterator[Street]:
    template = postgres.template("grid_test_template", lambda url: [*migrate(url, test_database=True)].clear())
    name = postgres.copy_of(template)
    clock = MovedClock(postgres.url(name), BEFORE_ALL)
    home = Path(tempfile.mkdtemp(prefix="grid-e2e-stories-"))
    with platform() as city:
        extra = {
            "DATABASE_URL": postgres.url(name),
            "GRID_SAMPLE_HISTORY": "0",
            "GRID_TIMER_JUMP_PAUSE_S": "0",
            "GRID_SESSION_SECONDS": YEARS_S,
            "GRID_SESSION_IDLE_SECONDS": YEARS_S,
            "GRID_WEBHOOK_ALLOW_HOSTS": city.address,
            "GRID_WEBHOOK_SCHEDULE_S": FAST_RETRIES,
        }
        stand = start(home / "home", extra)
        try:
            town = Town(stand)
            city.secret = town.subscribe(f"http://{city.address}/hook", EVENTS)
            yield Street(town, city, clock)
            town.close()
        finally:
            stand.stop()
            shutil.rmtree(home, ignore_errors=True)
    postgres.drop(name)


@pytest.fixture
def tale(street: Street, request: pytest.FixtureRequest) -> Iterator[Tale]:
    marker = request.node.get_closest_marker("story")
    assert marker is not None, "a story says which one it is and when it begins"
    street.clock.begins_at(marker.args[1])
    told = Tale(street.town, street.city, street.clock)
    yield told
    told.reads_well()
