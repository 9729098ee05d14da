"""The quick way to a report asks for all that the described route asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from services.chassis.auth import current_person
from services.intake.api.room import required_key, same_account
from services.intake.app import offline_app


def test_the_route_has_no_dependency_that_the_lane_does_not_know() -> None:
    """Whoever adds one here adds it to `open_report_lane`, too."""
    assert set(_asked(_route().dependant)) == {current_person, required_key, same_account}


def _route() -> APIRoute:
    for included in offline_app().router.routes:
        for route in getattr(getattr(included, "original_router", None), "routes", ()):
            if isinstance(route, APIRoute) and route.path == "/api/v1/reports" and "POST" in route.methods:
                return route
    raise AssertionError("no route takes reports")


def _asked(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for part in dependant.dependencies:
        assert part.call is not None
        yield part.call
        yield from _asked(part)
