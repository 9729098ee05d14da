"""Calls from one service to another: the service token, the real caller's id, the same request id, short patience."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from types import TracebackType
from typing import Any

import httpx
from pydantic import SecretStr

from services.chassis.asgi.errors import unavailable
from services.chassis.asgi.problem import Problem
from services.chassis.audit import came_from
from services.chassis.auth.depends import ADDRESS_HEADER, CALLER_HEADER
from services.chassis.auth.person import Person
from services.chassis.telemetry import request_id

TIMEOUT = httpx.Timeout(10.0, connect=2.0)
_PASSED_ON = ("content-type", "content-length", "idempotency-key", "if-match", "accept-language", "range")
_GIVEN_BACK = ("content-type", "etag", "cache-control", "content-disposition", "retry-after", "content-range")


class ServiceClient:
    """One other service. Redirects are not followed; no proxy from the environment; answers are not interpreted."""

    def __init__(
        self,
        name: str,
        base_url: str,
        token: SecretStr,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self.name = name
        self._token = token
        self._client = httpx.AsyncClient(
            base_url=base_url, timeout=timeout, follow_redirects=False, trust_env=False, transport=transport
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        person: Person | None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | AsyncIterable[bytes] | None = None,
    ) -> httpx.Response:
        """Sends the request on behalf of `person`, or for the calling service itself.

        Raises Problem 503 when the service does not answer.
        """
        request = self._client.build_request(
            method, path, params=params, json=json, content=content, headers=self._headers(person, headers or {})
        )
        try:
            return await self._client.send(request)
        except httpx.TransportError as error:
            raise unavailable(self.name) from error

    async def call_json(self, method: str, path: str, *, person: Person | None, json: Any = None) -> Any:
        """The decoded body of a successful call; the other service's problem is raised as our own."""
        response = await self.call(method, path, person=person, json=json)
        if response.is_success:
            return response.json() if response.content else None
        raise passed_problem(self.name, response)

    async def close(self) -> None:
        await self._client.aclose()

    async def __aenter__(self) -> ServiceClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _headers(self, person: Person | None, given: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in given.items() if name.lower() in _PASSED_ON}
        kept["authorization"] = f"Bearer {self._token.get_secret_value()}"
        if person is not None:
            kept[CALLER_HEADER] = person.account_id
        if (address := came_from()) is not None:
            kept[ADDRESS_HEADER] = address
        if (current := request_id()) is not None:
            kept["x-request-id"] = current
        return kept


def passed_headers(response: httpx.Response) -> dict[str, str]:
    """The headers of an answer that may be given back to our own caller."""
    return {name: response.headers[name] for name in _GIVEN_BACK if name in response.headers}


def passed_problem(name: str, response: httpx.Response) -> Problem:
    """The other service's problem as ours; what is no problem document counts as that service failing."""
    try:
        body = response.json()
        members = {k: v for k, v in body.items() if k not in {"type", "title", "status", "code", "detail", "instance"}}
        code, title, detail = str(body["code"]), body.get("title"), body.get("detail")
    except (ValueError, KeyError, AttributeError):
        return unavailable(name)
    members.pop("errors", None)
    return Problem(response.status_code, code, title, detail=detail, extra=members)
