"""Calls that belong to another service: passed on with the service token and the caller, answered as they come back.

Who may do what is decided by the owner; dispatch adds nothing and reads nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.api.intake import PhotoFactsOut, PhotoFactsPageOut
from services.chassis.auth import Person
from services.chassis.http_client import ServiceClient, passed_headers


@dataclass(frozen=True, slots=True)
class Given:
    """Another service's answer."""

    status: int
    content: bytes
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Passing:
    """A request to be passed on. `path` is the owner's own."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    content: bytes | AsyncIterable[bytes] | None = None


class Forwarder:
    """Knows the two other services."""

    def __init__(self, intake: ServiceClient, escalation: ServiceClient) -> None:
        self._intake = intake
        self._escalation = escalation

    async def intake(self, passing: Passing, person: Person) -> Given:
        """Raises Problem 503 when intake does not answer."""
        return await _pass(self._intake, passing, person)

    async def escalation(self, passing: Passing, person: Person) -> Given:
        """Raises Problem 503 when escalation does not answer."""
        return await _pass(self._escalation, passing, person)

    async def photo(self, report_id: str, photo_id: str, person: Person, params: Mapping[str, str]) -> Given:
        """A report's photo; whether the caller may see the case has been asked here."""
        return await _pass(self._intake, Passing("GET", f"/api/v1/media/{report_id}/{photo_id}", params=params), person)

    async def photo_facts(self, report_id: str, person: Person) -> tuple[PhotoFactsOut, ...]:
        """What intake knows of a report's photos; whether the caller may see the case has been asked here."""
        given = await self._intake.call_json("GET", f"/api/v1/reports/{report_id}/photos", person=person)
        return PhotoFactsPageOut.model_validate(given).photos

    async def timer_checks(self, person: Person) -> Any:
        """What the last comparisons of the timers with the cases' clocks have found. Raises Problem 503 when escalation
        does not answer."""
        return await self._escalation.call_json("GET", "/api/v1/timers/checks", person=person)

    async def close(self) -> None:
        """Give back the connections."""
        await self._intake.close()
        await self._escalation.close()


async def _pass(client: ServiceClient, passing: Passing, person: Person) -> Given:
    response = await client.call(
        passing.method,
        passing.path,
        person=person,
        headers=passing.headers,
        params=passing.params,
        content=passing.content,
    )
    return Given(response.status_code, response.content, passed_headers(response))
