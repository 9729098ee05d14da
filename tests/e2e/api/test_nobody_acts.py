"""Nobody acts: the clock of a test database is moved ahead, and the system does what it says it does by itself."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.chassis.migrate import migrate
from tests.e2e.city import City, platform
from tests.e2e.conftest import EVENTS, FAST_RETRIES
from tests.e2e.town import Town, facts_are_dense, kinds_of, until
from tests.support.moved_clock import set_ahead
from tests.support.postgres import TestServer
from tests.support.stand import start


@dataclass
class Later:
    """A running system whose clock can be moved, forwards only."""

    town: Town
    city: City
    database_url: str
    ahead: timedelta = field(default_factory=timedelta)
    signed_in: dict[str, timedelta] = field(default_factory=dict)

    def pass_by(self, **time: float) -> None:
        """Let so much time go by at once, and housekeeping make the weeks that it would have made on the way."""
        self.ahead += timedelta(**time)
        set_ahead(self.database_url, self.ahead)

    def case(self, case_no: str) -> dict[str, Any]:
        """As the duty chief sees it."""
        answer = self.chief().look(case_no)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def chief(self) -> Any:
        return self.somebody("zhiban")

    def somebody(self, login: str) -> Any:
        """He signs in anew when time has passed, for sessions grow old too."""
        person = self.town.person(login)
        if self.signed_in.get(login) != self.ahead:
            person.sign_in()
            self.signed_in[login] = self.ahead
        return person

    def until_kind(self, case_no: str, kind: str, reason: str | None = None) -> dict[str, Any]:
        """Wait for a fact; answers it with the case as it is then."""

        def look() -> dict[str, Any] | None:
            case = self.case(case_no)
            hits = [
                one for one in case["timeline"] if one["kind"] == f"case.{kind}" and reason in (None, one["reason"])
            ]
            return {"fact": hits[-1], "case": case} if hits else None

        return until(f"{kind} happens by itself", look)


@pytest.fixture(scope="module")
def later(postgres: TestServer) -> Iterator[Later]:
    template = postgres.template("grid_test_template", lambda url: [*migrate(url, test_database=True)].clear())
    name = postgres.copy_of(template)
    home = Path(tempfile.mkdtemp(prefix="grid-e2e-late-"))
    with platform() as city:
        extra = {
            "DATABASE_URL": postgres.url(name),
            "GRID_SAMPLE_HISTORY": "0",
            "GRID_TIMER_JUMP_PAUSE_S": "0",
            "GRID_WEBHOOK_ALLOW_HOSTS": city.address,
            "GRID_WEBHOOK_SCHEDULE_S": FAST_RETRIES,
        }
        stand = start(home / "home", extra)
        try:
            town = Town(stand)
            city.secret = town.subscribe(f"http://{city.address}/hook", EVENTS)
            yield Later(town, city, postgres.url(name))
            town.close()
        finally:
            stand.stop()
            shutil.rmtree(home, ignore_errors=True)
    postgres.drop(name)


def owner_of(case: dict[str, Any]) -> tuple[str, str]:
    return case["owner"]["tier"], case["owner"]["role"]


def test_a_case_nobody_looks_at_goes_up_by_itself_and_is_late(later: Later) -> None:
    no = later.town.report("wangge01", "0101")
    case = later.case(no)
    assert (case["state"], owner_of(case)) == ("reported", ("T0", "GS"))

    later.pass_by(minutes=31)  # 网格研判 30 分钟
    found = until("it goes to the community", lambda: (c := later.case(no))["state"] == "at_community" and c)
    called = found["timeline"][-1]
    assert (called["kind"], called["machine"], called["rule"]) == ("case.called", True, "auto_call_up_t0")
    assert called["recall_until"]
    assert owner_of(found) == ("T1", "CS")

    later.pass_by(minutes=61)  # 社区应答 1 小时
    found = until("it goes to the street", lambda: (c := later.case(no))["state"] == "at_street" and c)
    called = found["timeline"][-1]
    assert (called["machine"], called["rule"]) == (True, "auto_call_up_t1")
    assert owner_of(found)[0] == "T2"

    later.pass_by(days=12)  # 街道受理 1 工作时, over whatever holidays; 全程 2 自然日
    late = until("both limits pass", lambda: (c := later.case(no)) and kinds_of(c).count("overdue") == 2 and c)
    assert {"overdue", "forced_choice"} <= {*late["flags"]}
    assert (late["state"], owner_of(late)) == ("at_street", owner_of(found)), "lateness moves nobody"
    assert no in {row["case_no"] for row in _rows(later, "overdue")}
    until("the city hears that it is late", lambda: len(later.city.of(no)) == 2)
    for one in later.city.of(no):
        assert (one.kind, one.data["intent"]) == ("case.overdue", "notice")
        assert one.signed_with(later.city.secret)
    assert "escalated" not in kinds_of(late), "nobody has been told to handle it, so nobody is late with handling"
    facts_are_dense(late)
    assert [one.data["sequence"] for one in later.city.of(no)] == list(range(1, len(later.city.of(no)) + 1))


def _rows(later: Later, queue: str) -> list[dict[str, Any]]:
    page = later.chief().dispatch.get(f"/api/v1/queues/{queue}", params={"limit": 200})
    found: list[dict[str, Any]] = page.raise_for_status().json()["rows"]
    return found


def dispatched(later: Later, code: str) -> str:
    later.somebody("wangge01")
    no = later.town.report("wangge01", code)
    later.somebody("zhibu01").act(no, "call_up", reason="no_enforcement")
    later.somebody("shequ01").act(no, "call_up", reason="no_enforcement", note="劝过")
    lead = later.case(no)["routing"]["lead"]
    later.somebody("shouli").act(no, "file_dispatch", condition=f"{code}.1", lead_unit=lead)
    return no


def test_a_unit_that_does_nothing_is_late_and_the_platform_gets_a_notice_where_the_class_says_so(later: Later) -> None:
    """Two cases side by side: the class of one is marked for notices, that of the other is not."""
    marked, plain = dispatched(later, "0101"), dispatched(later, "0302")
    before = {no: owner_of(later.case(no)) for no in (marked, plain)}
    assert set(before.values()) == {("T2", "HU")}

    assert later.somebody("quji").look(marked).status_code == 404

    later.pass_by(hours=37)  # 75 % of two days
    later.until_kind(marked, "reminded")
    later.pass_by(hours=12)
    late = later.until_kind(marked, "overdue")["case"]
    assert owner_of(late) == before[marked]
    assert late["lead_unit"] == "zhifadui"
    until("overdue, as a notice", lambda: ("case.overdue", "notice") in later.city.kinds(marked))

    for _ in range(10):
        later.pass_by(days=2)
    noticed = later.until_kind(marked, "escalated")
    fact, case = noticed["fact"], noticed["case"]
    assert (fact["intent"], fact["machine"], fact["rule"]) == ("notice", True, "ladder")
    assert (case["state"], case["tier"], owner_of(case)) == ("dispatched", "T2", before[marked])
    until("the notice reaches the city", lambda: ("case.escalated", "notice") in later.city.kinds(marked))
    notice = next(one for one in later.city.of(marked) if one.kind == "case.escalated")
    assert (notice.data["lead_unit"], notice.data["tier"]) == ("zhifadui", "T2")
    assert notice.signed_with(later.city.secret)
    assert later.somebody("quji").look(marked).status_code == 200, "who was told may look"
    assert later.somebody("quji").ask(marked, "answer_whistle", case["version"], {}).status_code in (403, 409)

    forced = until(
        "a person must choose", lambda: (c := later.case(plain)) and kinds_of(c).count("choice_forced") >= 2 and c
    )
    assert "escalated" not in kinds_of(forced)
    assert owner_of(forced) == before[plain]
    assert ("case.escalated", "notice") not in later.city.kinds(plain)
    for no in (marked, plain):
        facts_are_dense(later.case(no))
        numbers = [one.data["sequence"] for one in later.city.of(no)]
        assert numbers == list(range(1, len(numbers) + 1))


def test_each_point_of_a_ladder_is_acted_on_once(later: Later) -> None:
    """Whoever comes first, the timer or a person: the facts are the same."""
    no = dispatched(later, "0101")
    later.pass_by(days=2, minutes=1)
    unit = later.somebody("zhifadui")
    unit.act(no, "respond", means="on_site")
    case = until("both have come", lambda: (c := later.case(no)) and {"overdue", "responded"} <= {*kinds_of(c)} and c)
    overdue = [one for one in case["timeline"] if one["kind"] == "case.overdue"]
    clocks = [one["reason"] for one in overdue]
    assert len(clocks) == len(set(clocks))
    first = next(one for one in case["timeline"] if one["kind"] == "case.responded")
    assert all(one["sequence"] < first["sequence"] for one in overdue), "what was late stays late"
    facts_are_dense(case)
