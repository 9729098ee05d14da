"""People of the sample street as HTTP clients: each signs in once and then acts through the pages' own routes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import httpx

from services.chassis.telemetry import logger
from services.dispatch.feed.matters import Kind, Matter, Spot

TIMEOUT_S = 20.0
ACTED_ON_TOO_LATE = frozenset({403, 404, 409})
"""Somebody was quicker, or the case has moved on: what happens to people every day."""
REFUSED = 422


class Done(StrEnum):
    """What became of an act."""

    DONE = "done"
    LATE = "late"
    REFUSED = "refused"  # the form was filled in wrongly: people do that too


@dataclass(frozen=True, slots=True)
class Streets:
    """Where the two services listen."""

    intake: str
    dispatch: str


class PersonClient:
    """One signed-in person. Raises httpx.HTTPStatusError for any answer that a person would call a fault."""

    def __init__(self, streets: Streets, login: str, password: str) -> None:
        self.login = login
        self._password = password
        self.intake = httpx.AsyncClient(base_url=streets.intake, timeout=TIMEOUT_S, headers={"origin": streets.intake})
        self.dispatch = httpx.AsyncClient(
            base_url=streets.dispatch, timeout=TIMEOUT_S, headers={"origin": streets.dispatch}
        )
        self.roles: frozenset[str] = frozenset()

    async def sign_in(self) -> None:
        """Signs in at dispatch; the cookie is good for both services, as it is in a browser on one host."""
        body = {"login": self.login, "password": self._password}
        answer = (await self.dispatch.post("/api/v1/session", json=body)).raise_for_status()
        self.intake.cookies.update(answer.cookies)
        self.roles = frozenset(post["role"] for post in answer.json()["posts"])

    async def signed_in(self) -> None:
        """Sign in unless done already."""
        if not self.roles:
            await self.sign_in()

    async def close(self) -> None:
        await self.intake.aclose()
        await self.dispatch.aclose()

    async def form(self) -> tuple[list[Kind], list[str]]:
        """The classes the form offers, and the cells of the street."""
        form = (await self.intake.get("/api/v1/form")).raise_for_status().json()
        kinds = [Kind(c["scheme"], c["version"], c["code"], c["tile"]) for c in form["categories"]]
        return kinds, [feature["properties"]["code"] for feature in form["cells"]["features"]]

    async def places(self, cell: str) -> list[Spot]:
        """The named places of a cell."""
        answer = (await self.intake.get("/api/v1/places", params={"cell": cell, "q": ""})).raise_for_status()
        return [Spot(p["name"], p["cell"], p["lng"], p["lat"]) for p in answer.json()["places"]]

    async def report(self, report_id: UUID, matter: Matter) -> str:
        """Send a report as the phone does; answers the receipt number."""
        headers = {"idempotency-key": str(report_id)}
        answer = await self.intake.post("/api/v1/reports", json=report_body(matter), headers=headers)
        receipt: str = answer.raise_for_status().json()["receipt_no"]
        return receipt

    async def queue_rows(self, queue: str, limit: int = 20) -> list[dict[str, Any]]:
        """The head of a queue; empty where this person has no such queue."""
        answer = await self.dispatch.get(f"/api/v1/queues/{queue}", params={"limit": limit})
        if answer.status_code in (403, 404):
            return []
        rows: list[dict[str, Any]] = answer.raise_for_status().json()["rows"]
        return rows

    async def queues(self) -> list[str]:
        """Ids of this person's queues that hold anything."""
        answer = (await self.dispatch.get("/api/v1/queues")).raise_for_status().json()
        return [queue["id"] for queue in answer["queues"] if queue["open"]]

    async def case(self, case_no: str) -> dict[str, Any] | None:
        """The case page; None when it went out of sight meanwhile."""
        answer = await self.dispatch.get(f"/api/v1/cases/{case_no}")
        if answer.status_code == 404:
            return None
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def act(self, case: dict[str, Any], action: str, inputs: dict[str, Any], op_id: UUID) -> Done:
        """Do it, or learn why not."""
        answer = await self.dispatch.post(
            f"/api/v1/cases/{case['case_no']}/actions/{action}",
            json=inputs,
            headers={"if-match": f'"{case["version"]}"', "idempotency-key": str(op_id)},
        )
        return _done(answer)

    async def put_evidence(self, case_no: str, evidence_id: UUID, picture: bytes) -> Done:
        """Store a photo that an action will name."""
        path = f"/api/v1/cases/{case_no}/evidence/{evidence_id}"
        return _done(await self.dispatch.put(path, content=picture, headers={"content-type": "image/jpeg"}))


def _done(answer: httpx.Response) -> Done:
    if answer.status_code in ACTED_ON_TOO_LATE:
        return Done.LATE
    if answer.status_code == REFUSED:
        logger("feed").warning("form_refused", path=answer.request.url.path, why=answer.json().get("errors"))
        return Done.REFUSED
    answer.raise_for_status()
    return Done.DONE


def report_body(matter: Matter) -> dict[str, Any]:
    """The matter as POST /api/v1/reports takes it."""
    kind = matter.kind
    position: dict[str, Any] = {"cell": matter.spot.cell}
    if matter.pin is not None:
        position = {"lng": matter.pin[0], "lat": matter.pin[1], "crs": "wgs84", "accuracy_m": 15}
    body: dict[str, Any] = {
        "category": None if kind is None else {"scheme": kind.scheme, "version": kind.version, "code": kind.code},
        "text": matter.text,
        "position": position,
        "place_words": matter.spot.name,
        "landmark": matter.landmark,
        "danger": matter.danger,
    }
    if matter.done_with is not None:
        body["on_the_spot"] = {"act": matter.done_with[0], "note": matter.done_with[1]}
    return body
