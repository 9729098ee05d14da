"""A hundred phones with the shipped outbox, while server, database and broker go down: each report arrives once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.e2e.town import Town, until
from tests.e2e.weather.crowd import Crowd, Plan, bundle, start
from tests.e2e.weather.faults import away, kill
from tests.e2e.weather.judge import Found, judge, look
from tests.support.stand import Stand

pytestmark = pytest.mark.timeout(1800)
THROUGH_WITHIN_S = 900.0
DRAINED_WITHIN_S = 240.0
Harm = Callable[[Stand], None]

SHORT: Sequence[Harm] = (
    lambda stand: kill(stand, "intake"),
    lambda stand: away(stand, "kafka", signal.SIGKILL, 2.0),
    lambda stand: away(stand, "postgres", signal.SIGQUIT, 1.5),
    lambda stand: kill(stand, "intake"),
)
LONG: Sequence[Harm] = (
    *SHORT,
    lambda stand: away(stand, "intake", signal.SIGKILL, 8.0),
    lambda stand: away(stand, "kafka", signal.SIGKILL, 25.0),
    lambda stand: away(stand, "postgres", signal.SIGQUIT, 10.0),
    lambda stand: kill(stand, "dispatch-worker-1"),
    *SHORT,
)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("phones"))


def settled(town: Town, plan: Plan, crowd: Crowd) -> Found:
    """Everybody is through, and everything has come to the dispatch desk."""
    crowd.finish(THROUGH_WITHIN_S)
    assert crowd.stuck() == []

    def drained() -> Found | None:
        found = look(town.stand.database_url, plan.name)
        return found if found.drained else None

    return until("the streams are drained", drained, DRAINED_WITHIN_S)


def weather(town: Town, script: Path, plan: Plan, harms: Sequence[Harm]) -> None:
    crowd = start(town, script, plan)
    for harm in harms:
        harm(town.stand)
    found = settled(town, plan, crowd)
    assert len(crowd.promises) == plan.phones * plan.reports
    assert judge(crowd.promises, crowd.receipts(), found) == []


def test_each_report_of_a_hundred_phones_arrives_once_through_outages(town: Town, script: Path) -> None:
    weather(town, script, Plan("短", seed=20261122, phones=100, within_s=6.0), SHORT)


@pytest.mark.long
def test_the_same_for_longer_with_more_reports_photos_and_outages(town: Town, script: Path) -> None:
    plan = Plan("长", seed=20261123, phones=100, reports=3, photos=2, within_s=90.0, deaths=3, lost=1)
    weather(town, script, plan, LONG)


def test_lost_answers_double_nothing_and_the_judge_would_see_it(town: Town, script: Path) -> None:
    plan = Plan("丢", seed=7, phones=6, within_s=0.0, deaths=0, lost=1)
    crowd = start(town, script, plan)
    found = settled(town, plan, crowd)
    assert judge(crowd.promises, crowd.receipts(), found) == []

    planted = Plan("换号", seed=8, phones=6, within_s=0.0, deaths=0, lost=1, planted="fresh_keys")
    crowd = start(town, script, planted)
    found = settled(town, planted, crowd)
    wrong = judge(crowd.promises, crowd.receipts(), found)
    assert sum("there 2 times" in one for one in wrong) == planted.phones, wrong
