"""The people of the sample street at their desks: each signs in and sees and does what the services let him."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from PIL import Image

from tests.support.stand import PASSWORD, Stand

T = TypeVar("T")
PATIENCE_S = 90.0
"""How long anything may take before a test gives up; no promise of speed."""
WALKERS = ("wangge01", "zhibu01", "shequ01", "shouli", "zhiban", "zhifadui", "huanwei", "hecha", "quji")


def until(what: str, look: Callable[[], T | None], patience_s: float = PATIENCE_S) -> T:
    """Look again and again until there is something. AssertionError naming `what` when nothing comes."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.15)
    raise AssertionError(f"not within {patience_s:.0f} s: {what}")


def picture(colour: str = "red", size: tuple[int, int] = (640, 480)) -> bytes:
    """A small photo."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


@dataclass
class Person:
    """Somebody signed in, with a client for each service he meets."""

    login: str
    intake: httpx.Client
    dispatch: httpx.Client
    session: dict[str, Any] = field(default_factory=dict)

    def sign_in(self) -> None:
        body = {"login": self.login, "password": PASSWORD}
        answer = self.dispatch.post("/api/v1/session", json=body).raise_for_status()
        self.session = answer.json()
        self.intake.cookies.update(answer.cookies)

    def look(self, case_no: str) -> httpx.Response:
        return self.dispatch.get(f"/api/v1/cases/{case_no}")

    def case(self, case_no: str) -> dict[str, Any]:
        found: dict[str, Any] = self.look(case_no).raise_for_status().json()
        return found

    def offers(self, case_no: str) -> dict[str, dict[str, Any]]:
        """What he may do now, by action."""
        return {one["action"]: one for one in self.case(case_no)["actions"]}

    def ask(self, case_no: str, action: str, version: int, inputs: Mapping[str, Any], **headers: str) -> httpx.Response:
        """One attempt, as a page sends it."""
        sent = {"if-match": f'"{version}"', "idempotency-key": str(uuid4()), **headers}
        return self.dispatch.post(f"/api/v1/cases/{case_no}/actions/{action}", json=dict(inputs), headers=sent)

    def act(self, case_no: str, action: str, **inputs: Any) -> dict[str, Any]:
        """Do what is offered to him and answer the case afterwards; anything but success fails the test."""
        case = self.case(case_no)
        offered = [one["action"] for one in case["actions"]]
        assert action in offered, f"{self.login} is not offered {action} but {offered} in {case['state']}"
        answer = self.ask(case_no, action, case["version"], inputs)
        assert answer.status_code == 200, f"{self.login} {action}: {answer.status_code} {answer.text}"
        done: dict[str, Any] = answer.json()
        return done

    def show(self, case_no: str, evidence: bytes | None = None) -> str:
        """Put a photo beside the case; answers the id that an action may name."""
        evidence_id = f"ev-{uuid4().hex[:12]}"
        path = f"/api/v1/cases/{case_no}/evidence/{evidence_id}"
        headers = {"content-type": "image/jpeg"}
        self.dispatch.put(path, content=evidence or picture(), headers=headers).raise_for_status()
        return evidence_id

    def send(self, body: Mapping[str, Any], key: str | None = None, **headers: str) -> httpx.Response:
        """One attempt to report."""
        sent = {"idempotency-key": key or str(uuid4()), **headers}
        return self.intake.post("/api/v1/reports", json=dict(body), headers=sent)

    def receipt(self, report_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.intake.get(f"/api/v1/reports/{report_id}").raise_for_status().json()
        return found

    def queues_of(self, case_no: str) -> set[str]:
        """His queues that show the case."""
        counts = self.dispatch.get("/api/v1/queues").raise_for_status().json()["queues"]
        return {one["id"] for one in counts if one["open"] and case_no in self._numbers(one["id"])}

    def _numbers(self, queue: str) -> set[str]:
        page = self.dispatch.get(f"/api/v1/queues/{queue}", params={"limit": 200}).raise_for_status().json()
        return {row["case_no"] for row in page["rows"]}


class Town:
    """A running system and the people in it."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self._people: dict[str, Person] = {}
        self._cells: dict[str, str] = {}
        self._clients: list[httpx.Client] = []

    def person(self, login: str) -> Person:
        """Signed in once, then the same."""
        if login not in self._people:
            self._people[login] = self.newcomer(login)
        return self._people[login]

    def newcomer(self, login: str) -> Person:
        """A sign-in of its own."""
        streets = self.stand.streets
        person = Person(login, self._client(streets.intake), self._client(streets.dispatch))
        person.sign_in()
        return person

    def client(self, service: str) -> httpx.Client:
        """Nobody in particular at a service."""
        streets = {"intake": self.stand.streets.intake, "dispatch": self.stand.streets.dispatch}
        return self._client(streets.get(service, self.stand.escalation))

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def form_of(self, login: str) -> dict[str, Any]:
        """The form of this person. Intake reads the street's posts once a second: just started, it may lack them."""

        def shown() -> httpx.Response | None:
            answer = self.person(login).intake.get("/api/v1/form")
            return None if answer.status_code == 503 else answer

        found: dict[str, Any] = until("intake knows the street", shown).raise_for_status().json()
        return found

    def cell_of(self, login: str) -> str:
        """A cell of this person's own grid."""
        if login not in self._cells:
            form = self.form_of(login)
            own = form["me"]["grid"]
            cells = [one["properties"] for one in form["cells"]["features"]]
            self._cells[login] = next(cell["code"] for cell in cells if cell["grid"] == own)
        return self._cells[login]

    def place_of(self, login: str) -> dict[str, Any]:
        """A named place of this person's own grid."""
        asked = {"cell": self.cell_of(login), "q": ""}
        found = self.person(login).intake.get("/api/v1/places", params=asked).raise_for_status().json()["places"]
        return next(place for place in found if place["cell"] == self.cell_of(login))

    def pin_of(self, login: str) -> dict[str, Any]:
        """A pin at that place."""
        place = self.place_of(login)
        return {"lng": place["lng"], "lat": place["lat"], "crs": "wgs84", "accuracy_m": 8}

    def matter(self, login: str, code: str | None, **more: Any) -> dict[str, Any]:
        """The body of a report from this person's own grid. `code` None: unsure."""
        form = self.form_of(login)
        kinds = {one["code"]: one for one in form["categories"]}
        kind = None if code is None else {name: kinds[code][name] for name in ("scheme", "version", "code")}
        return {"category": kind, "text": "巡查时发现", "position": {"cell": self.cell_of(login)}, **more}

    def report(self, login: str, code: str | None, **more: Any) -> str:
        """Report and answer the case number that came of it."""
        person = self.person(login)
        receipt = person.send(self.matter(login, code, **more)).raise_for_status().json()
        return until("the report becomes a case", lambda: person.receipt(receipt["id"])["case_no"])

    def expect(
        self,
        case_no: str,
        state: str,
        stage: str,
        *,
        may: Mapping[str, set[str]],
        unseen_by: tuple[str, ...],
    ) -> dict[str, Any]:
        """Everybody sees the same standing or nothing at all.

        `may` gives for each of these people the actions of the main road that he is offered, no more and no fewer;
        every other one of the walkers who sees the case is offered none of them.
        """
        shown: dict[str, Any] = {}
        for login in {*WALKERS, *may, *unseen_by}:
            answer = self.person(login).look(case_no)
            if login in unseen_by:
                assert answer.status_code == 404, f"{login} sees {case_no} in {state}"
                continue
            assert answer.status_code == 200, f"{login} does not see {case_no} in {state}"
            shown = answer.json()
            assert (shown["state"], shown["stage"]) == (state, stage), login
            road = {one["action"] for one in shown["actions"] if one["primary"]}
            assert road == may.get(login, set()), f"{login} in {state}"
        return shown

    def subscribe(self, url: str, events: list[str]) -> str:
        """Make a webhook endpoint as the administrator does; answers its secret.

        Each service reads the street's posts once a second: one just started may not know the administrator yet.
        """
        body = {"url": url, "events": events, "name": "city platform"}

        def made() -> httpx.Response | None:
            answer = self.person("admin").dispatch.post("/api/v1/escalation/webhooks", json=body)
            return None if answer.status_code == 403 else answer

        return str(until("escalation knows the administrator", made).raise_for_status().json()["secret"])

    def _client(self, address: str) -> httpx.Client:
        headers = {"origin": address, "accept-language": "zh-CN"}
        self._clients.append(httpx.Client(base_url=address, timeout=60.0, headers=headers))
        return self._clients[-1]


def facts_are_dense(case: Mapping[str, Any]) -> None:
    """Every fact of the case is in its timeline, numbered from 1 without a gap, in the order of time."""
    numbers = [fact["sequence"] for fact in case["timeline"]]
    assert numbers == list(range(1, case["sequence"] + 1))
    times = [fact["at"] for fact in case["timeline"]]
    assert times == sorted(times)


def kinds_of(case: Mapping[str, Any]) -> list[str]:
    """The kinds of its facts, oldest first."""
    return [fact["kind"].removeprefix("case.") for fact in case["timeline"]]
