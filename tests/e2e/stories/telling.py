"""The words that stories are told in: people do something, time passes, and everybody looks at what became of it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from schemas.labels import Labels
from tests.e2e.city import City
from tests.e2e.town import Person, Town, facts_are_dense, until
from tests.support.moved_clock import MovedClock, moment

_TOLD = (
    "SELECT payload FROM dispatch.outbox WHERE convert_from(key, 'UTF8') = %s AND headers->>'ce_type' = %s"
    " ORDER BY id DESC LIMIT 1"
)
CJK = re.compile("[\u4e00-\u9fff]")
EN = {"accept-language": "en-US"}
DIRECT, IN_GRID, IN_COMMUNITY = "direct", "grid", "community"


@dataclass
class Tale:
    """One story on its way: the clock, the people, the city platform, and the cases it has told of."""

    town: Town
    city: City
    clock: MovedClock
    cases: list[Matter] = field(default_factory=list)

    def who(self, login: str) -> Somebody:
        return Somebody(self, self.town.person(login))

    def takes_up(self, receipt_no: str, seen_by: Somebody) -> Matter:
        """The case that came of a report which somebody else registered, found by the number on the receipt."""

        def look() -> str | None:
            page = seen_by.person.dispatch.get("/api/v1/cases", params={"q": receipt_no}).raise_for_status().json()
            return next((str(row["case_no"]) for row in page["rows"]), None)

        case = Matter(self, until("the registered report becomes a case", look), "", seen_by)
        self.cases.append(case)
        return case

    def told(self, case: Matter, kind: str) -> set[tuple[str, str]]:
        """(post, area or unit) of everybody whom the latest published fact of that kind says must look."""
        wanted = (case.seen()["id"], f"case.{kind}")
        with psycopg.connect(self.clock.url) as connection:
            row = connection.execute(_TOLD, wanted).fetchone()
        assert row is not None, f"no {kind} of {case.no} was published"
        return {(one["post"], one["code"]) for one in json.loads(bytes(row[0]))["tell"]}

    def reads_well(self) -> None:
        """Whatever happened: every fact is there, and each can be read in both languages."""
        for case in self.cases:
            case.reads_well()


@dataclass(frozen=True)
class Somebody:
    """A person at his own desk. What he does must succeed; what he may not do is said with `cannot`."""

    tale: Tale
    person: Person

    # --- reporting ----------------------------------------------------------------------------------------------
    def reports(self, code: str | None, text: str, **more: Any) -> Matter:
        """From his own grid; the case that came of it. `near`: at the place of another case; `at`: (lng, lat)."""
        receipt = self.sends(code, text, **more)
        number = until("the report becomes a case", lambda: self.person.receipt(receipt)["case_no"])
        case = Matter(self.tale, number, receipt, self)
        self.tale.cases.append(case)
        return case

    def sends(self, code: str | None, text: str, **more: Any) -> str:
        """A report, whatever becomes of it; answers its id."""
        login = self.person.login
        body = {**self.tale.town.matter(login, code), "position": self.tale.town.pin_of(login), "text": text, **more}
        answer = self.person.send(body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    # --- acting -------------------------------------------------------------------------------------------------
    def does(self, action: str, case: Matter, **inputs: Any) -> dict[str, Any]:
        """Any action by its name; it must be offered to him, and succeed."""
        given = {name: _said(value, self.tale.clock) for name, value in inputs.items()}
        return self.person.act(case.no, action, **given)

    def cannot(self, action: str, case: Matter, code: str, **inputs: Any) -> dict[str, Any]:
        """Tries and is refused with that code; the case stays as it was. Answers the refusal."""
        before = case.seen()
        answer = self.person.ask(case.no, action, before["version"], inputs)
        refusal: dict[str, Any] = answer.json()
        assert answer.status_code in (403, 404, 409, 422), answer.text
        assert refusal["code"] == code, refusal
        after = case.seen()
        assert (after["version"], after["sequence"]) == (before["version"], before["sequence"])
        return refusal

    def is_offered(self, case: Matter, *actions: str) -> None:
        offered = set(self.person.offers(case.no))
        assert {*actions} <= offered, f"{self.person.login} is offered {sorted(offered)}"

    def is_not_offered(self, case: Matter, *actions: str) -> None:
        offered = set(self.person.offers(case.no))
        assert not offered & {*actions}, f"{self.person.login} is offered {sorted(offered)}"

    # --- the main road, in its own words --------------------------------------------------------------------------
    def calls_up(self, case: Matter, reason: str, note: str = "") -> None:
        self.does("call_up", case, reason=reason, **({"note": note} if note else {}))

    def answers(self, case: Matter) -> None:
        self.does("answer", case)

    def files(self, case: Matter, condition: str) -> None:
        self.does("file", case, condition=condition)

    def dispatches(self, case: Matter, lead: str, *co_units: str, reason: str | None = None) -> None:
        self.does("dispatch", case, lead_unit=lead, co_units=[*co_units], **({"reason": reason} if reason else {}))

    def files_and_dispatches(self, case: Matter, condition: str, lead: str, *co_units: str, **more: str) -> None:
        self.does("file_dispatch", case, condition=condition, lead_unit=lead, co_units=[*co_units], **more)

    def signs(self, case: Matter) -> None:
        self.does("sign", case)

    def responds(self, case: Matter, means: str = "on_site") -> None:
        self.does("respond", case, means=means)

    def feeds_back(self, case: Matter, note: str) -> None:
        self.does("feedback", case, note=note, close_condition_met=True, evidence=[self.person.show(case.no)])

    def passes(self, case: Matter) -> None:
        self.does("verify_pass", case, means="on_site")

    def fails(self, case: Matter, note: str) -> None:
        shown = [self.person.show(case.no)]
        self.does("verify_fail", case, reason="close_condition_unmet", note=note, evidence=shown)

    # --- looking ------------------------------------------------------------------------------------------------
    def looks_at(self, case: Matter) -> httpx.Response:
        return self.person.look(case.no)

    def has_in(self, queue: str, case: Matter) -> None:
        """His list shows the case."""
        until(f"{queue} of {self.person.login} shows the case", lambda: queue in self.person.queues_of(case.no))

    def searches(self, words: str) -> list[str]:
        """The numbers of the cases that he finds by these words."""
        page = self.person.dispatch.get("/api/v1/cases", params={"q": words}).raise_for_status()
        return [str(row["case_no"]) for row in page.json()["rows"]]

    def finds(self, case: Matter) -> dict[str, Any]:
        """The row that he gets for the case's number."""
        page = self.person.dispatch.get("/api/v1/cases", params={"q": case.no}).raise_for_status()
        found: dict[str, Any] = next(row for row in page.json()["rows"] if row["case_no"] == case.no)
        return found

    def opens_progress_page(self, case: Matter) -> str:
        """The public page behind the link on the receipt, as whoever has the link sees it."""
        link = self.person.receipt(case.report)["track_url"]
        return self.tale.town.client("intake").get(link).raise_for_status().text

    # --- mediation ------------------------------------------------------------------------------------------------
    def notes_in_mediation(self, case: Matter, text: str) -> None:
        body = {"id": str(uuid4()), "text": text}
        self.person.dispatch.post(f"/api/v1/cases/{case.no}/mediation", json=body).raise_for_status()

    def reads_mediation(self, case: Matter) -> str:
        return self.person.dispatch.get(f"/api/v1/cases/{case.no}/mediation").raise_for_status().text


@dataclass(frozen=True)
class Matter:
    """A case, as whoever reported it sees it."""

    tale: Tale
    no: str
    report: str
    finder: Somebody

    def seen(self, english: bool = False) -> dict[str, Any]:
        headers = EN if english else {}
        path = f"/api/v1/cases/{self.no}"
        found: dict[str, Any] = self.finder.person.dispatch.get(path, headers=headers).raise_for_status().json()
        return found

    # --- where it stands ------------------------------------------------------------------------------------------
    def is_(self, state: str) -> Matter:
        found = self.seen()["state"]
        assert found == state, f"{self.no} is {found}, not {state}"
        return self

    def becomes(self, state: str) -> Matter:
        """In a while, by itself."""
        until(f"{self.no} becomes {state} (it is {self.seen()['state']})", lambda: self.seen()["state"] == state)
        return self

    def belongs_to(self, tier: str, role: str) -> Matter:
        owner = self.seen()["owner"]
        assert (owner["tier"], owner["role"]) == (tier, role), owner
        return self

    def has(self, *flags: str) -> Matter:
        found = self.seen()["flags"]
        assert {*flags} <= {*found}, found
        return self

    def has_not(self, *flags: str) -> Matter:
        found = self.seen()["flags"]
        assert not {*flags} & {*found}, found
        return self

    def closed_as(self, kind: str) -> Matter:
        case = self.seen()
        assert (case["state"], case["closed_as"]) == ("closed", kind), (case["state"], case["closed_as"])
        return self

    def stands_in(self, stage: str, words: str, english: str) -> Matter:
        """The step of the bar that is lit, in both languages."""
        for case, wanted in ((self.seen(), words), (self.seen(english=True), english)):
            label = next(one["label"] for one in case["stages"] if one["stage"] == case["stage"])
            assert (case["stage"], label) == (stage, wanted)
        return self

    def skips(self, why: str, words: str, english: str, *stages: str) -> Matter:
        """Exactly these steps of the bar were not walked, and the bar says why in both languages."""
        bar = {one["stage"]: one["skipped"] for one in self.seen()["stages"] if one["skipped"]}
        assert bar == dict.fromkeys(stages, why), bar
        for language, wanted in (("zh-CN", words), ("en-US", english)):
            assert Labels(language).text(f"stage.skipped.{why}") == wanted
        return self

    def skips_nothing(self) -> Matter:
        assert not [one for one in self.seen()["stages"] if one["skipped"]]
        return self

    # --- when it is due -------------------------------------------------------------------------------------------
    def clock(self, kind: str) -> dict[str, Any]:
        """The latest clock of a kind."""
        found = [one for one in self.seen()["clocks"] if one["kind"] == kind]
        assert found, f"no {kind} clock in {self.no}"
        return max(found, key=lambda one: str(one["started_at"]))

    def due(self, kind: str, words: str, original: str | None = None, provisional: bool = False) -> Matter:
        """The clock of that kind is due then, to the seconds that the machine took."""
        clock = self.clock(kind)
        self._close(f"{kind} due", clock["due_at"], words)
        if original is not None:
            self._close(f"{kind} was due", clock["original_due"], original)
        assert clock["provisional"] is provisional
        return self

    def stopped(self, *kinds: str) -> Matter:
        return self._stand("stopped", kinds)

    def paused(self, *kinds: str) -> Matter:
        return self._stand("paused", kinds)

    def running(self, *kinds: str) -> Matter:
        return self._stand("running", kinds)

    def _stand(self, state: str, kinds: Sequence[str]) -> Matter:
        found = {kind: self.clock(kind)["state"] for kind in kinds}
        assert found == dict.fromkeys(kinds, state), found
        return self

    def _close(self, what: str, at: str, words: str) -> None:
        apart = abs((datetime.fromisoformat(at) - moment(words, self.tale.clock.said)).total_seconds())
        assert apart <= self.tale.clock.lost_s + 1, f"{what} {at}, not {words}"

    # --- what it tells --------------------------------------------------------------------------------------------
    def facts(self, english: bool = False) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.seen(english)["timeline"]
        return found

    def last(self, kind: str) -> dict[str, Any]:
        """The latest fact of a kind; waits for it."""

        def look() -> dict[str, Any] | None:
            return next((one for one in reversed(self.facts()) if one["kind"] == f"case.{kind}"), None)

        return until(f"{self.no}: {kind}", look)

    def did_by_machine(self, kind: str, rule: str, reason: str | None = None) -> dict[str, Any]:
        """The latest fact of that kind was the machine's, and says by which rule and, in words, why."""
        fact = self.last(kind)
        assert (fact["machine"], fact["rule"]) == (True, rule), fact
        if reason is not None:
            assert fact["reason"] == reason, fact
        return fact

    def reads(self, chinese: str, english: str | None = None) -> Matter:
        """Its whole timeline, joined by ' · '. Photos that arrive are left out."""
        for words, abroad in ((chinese, False), (english, True)):
            if words is not None:
                told = [one["label"] for one in self.facts(abroad) if one["kind"] != "case.report_attached"]
                assert " · ".join(told) == words, " · ".join(told)
        return self

    def reads_well(self) -> None:
        """Dense, in order, and no bare id where a word belongs."""
        case = self.seen()
        facts_are_dense(case)
        for fact, abroad in zip(case["timeline"], self.facts(english=True), strict=True):
            assert CJK.search(fact["label"]), fact["label"]
            assert not CJK.search(abroad["label"]), abroad["label"]
            assert abroad["label"] != abroad["kind"], abroad["kind"]
            if fact["reason"]:
                assert CJK.search(fact["reason"]), fact["reason"]

    # --- who hears and who sees -----------------------------------------------------------------------------------
    def city_hears(self, *told: str) -> Matter:
        """All that the platform was told of the case, as 'case.overdue notice' or 'case.closed'; nothing else."""
        wanted = [tuple(one.split()) for one in told]

        def heard() -> list[tuple[str, ...]]:
            return [tuple(x for x in pair if x) for pair in self.tale.city.kinds(self.no)]

        try:
            until(f"the city hears {wanted} of {self.no}", lambda: heard() == wanted)
        except AssertionError as silent:
            raise AssertionError(f"{silent}, but {heard()}") from None
        assert all(one.signed_with(self.tale.city.secret) for one in self.tale.city.of(self.no))
        return self

    def is_hidden_from(self, *logins: str) -> Matter:
        for login in logins:
            assert self.tale.who(login).looks_at(self).status_code == 404, f"{login} sees {self.no}"
        return self

    def is_shown_to(self, *logins: str) -> Matter:
        for login in logins:
            answer = self.tale.who(login).looks_at(self)
            assert answer.status_code == 200, f"{login} does not see {self.no}"
            assert answer.json()["timeline"], f"{login} sees class and community only"
        return self

    def shows_only_its_class_to(self, *logins: str) -> Matter:
        for login in logins:
            seen = self.tale.who(login).looks_at(self).raise_for_status().json()
            assert seen["category"]
            assert seen["place"]["community"]
            hidden = (*seen["reports"], *seen["timeline"], *seen["clocks"], seen["place"]["cell"], seen["place"]["lng"])
            assert not any(hidden), f"{login} sees more than class and community of {self.no}"
        return self


def _said(value: Any, clock: MovedClock) -> Any:
    """A moment in words becomes one on the wire."""
    if isinstance(value, Moment):
        return moment(value.words, clock.said).isoformat()
    return value


@dataclass(frozen=True)
class Moment:
    """'03-10 09:00' among the inputs of an action."""

    words: str
