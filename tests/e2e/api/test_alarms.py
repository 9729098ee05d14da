"""Alarms on the running system: every part can be read, every rule asks for what is really told, and one comes true."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from services.chassis.supervisor.status import PartStatus, read_status
from services.chassis.supervisor.table import own_commands
from tests.e2e.town import Town, until
from tests.support.alarms import every_alarm
from tests.support.promql import Labels, Store, evaluate, grouped_by, selectors
from tests.support.scraping import scrape, targets


def part(town: Town, name: str) -> PartStatus:
    status = read_status(town.stand.home)
    assert status is not None
    return status.parts[name]


def test_every_part_tells_of_itself(town: Town) -> None:
    listed = {target.labels["part"] for target in targets(town.stand.home)}
    assert listed == {command.name for command in own_commands() if not command.once} | {"supervisor"}

    def down() -> list[str]:
        store = Store()
        now = scrape(town.stand.home, store)
        return [dict(labels)["part"] for labels, up in evaluate("up", store, now).items() if not up]

    until("every part answers", lambda: not down())


def test_every_rule_asks_for_what_is_told(town: Town) -> None:
    """A metric or label that nobody tells would make an alarm that never comes."""
    victim = part(town, "intake-relay").pid
    assert victim is not None
    os.kill(victim, signal.SIGKILL)  # how often a part was started anew is told from the first time on
    until("the relay is back", lambda: part(town, "intake-relay").pid not in (None, victim), 120)
    town.report("wangge01", "0302")

    def missing() -> list[str]:
        store = Store()
        scrape(town.stand.home, store)
        told: dict[str, set[str]] = {}
        for labels in store.series:
            known = dict(labels)
            told.setdefault(known["__name__"], set()).update(known)
        wanted = {
            (alarm.name, selector.name, label)
            for alarm in every_alarm()
            for selector in selectors(alarm.expression)
            for label in (*(m.name for m in selector.matchers.matchers), *grouped_by(alarm.expression), "__name__")
        }
        return sorted(f"{a}: {name}{{{label}}}" for a, name, label in wanted if label not in told.get(name, set()))

    end = time.monotonic() + 120
    while (lacking := missing()) and time.monotonic() < end:
        time.sleep(2)
    assert lacking == []


@pytest.fixture
def stopped_relay(town: Town) -> Iterator[None]:
    """Intake's relay hangs: it is there and does nothing."""
    pid = part(town, "intake-relay").pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if part(town, "intake-relay").pid == pid:
            os.kill(pid, signal.SIGCONT)


def oldest(town: Town) -> set[Labels]:
    """For whom the rule holds now, without its waiting time."""
    rule = next(alarm for alarm in every_alarm() if alarm.name == "GridOutboxOld")
    store = Store()
    return set(evaluate(rule.expression, store, scrape(town.stand.home, store)))


def test_a_relay_that_hangs_comes_true_as_an_alarm_and_goes_when_it_works_again(
    town: Town, request: pytest.FixtureRequest
) -> None:
    until("nothing waits", lambda: not oldest(town), 120)
    request.getfixturevalue("stopped_relay")
    intake = town.person("wangge01")
    report = str(intake.send(town.matter("wangge01", "0302")).raise_for_status().json()["id"])
    intakes = frozenset({("service", "intake")})
    until("the alarm holds for intake", lambda: intakes in oldest(town), 120)
    assert oldest(town) <= {intakes}
    # nobody wakes it: the supervisor ends what gives no heartbeat, and its heir sends what waited
    until("it holds no more", lambda: not oldest(town), 120)
    until("the report is a case", lambda: intake.receipt(report)["case_no"] is not None, 120)
