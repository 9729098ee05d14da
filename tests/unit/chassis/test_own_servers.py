"""What is said about servers of somebody else's, from what they say of themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from services.chassis import own_servers
from services.chassis.finding import Finding, Verdict
from services.chassis.kafka_server import KafkaFacts
from services.chassis.postgres_server import LEAST_VERSION, PostgresFacts, unfit
from services.chassis.supervisor.settings import ROLE_URLS, SupervisorSettings
from services.chassis.topics import Difference

GOOD = PostgresFacts("grid_owner", 180_004, "18.4", "UTF8", False, True, 97, -1, -1)


def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *facts: PostgresFacts, **env: str) -> list[Finding]:
    answers = iter(facts * len(ROLE_URLS) if len(facts) == 1 else facts)
    monkeypatch.setattr(own_servers, "read_facts_of", lambda _url: next(answers))
    settings = SupervisorSettings.read({"GRID_HOME": str(tmp_path), "DATABASE_URL": "postgresql://x@db/grid", **env})
    return list(own_servers.own_postgres(settings))


def four(**changes: object) -> list[PostgresFacts]:
    return [replace(GOOD, role=f"grid_{role}", **changes) for role in ROLE_URLS]  # type: ignore[arg-type]


def verdicts(findings: list[Finding]) -> set[Verdict]:
    assert all(finding.remedy for finding in findings if finding.verdict is not Verdict.OK)
    return {finding.verdict for finding in findings}


def test_a_server_that_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert verdicts(told(monkeypatch, tmp_path, *four())) == {Verdict.OK}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"number": 150_004, "version": "15.4"}, f"15.4 is too old: {LEAST_VERSION} or newer"),
        ({"encoding": "SQL_ASCII"}, "encoded in SQL_ASCII"),
        ({"creates": False}, "may not create schemas"),
        ({"room": 60}, "80 connections needed, 60 to be had"),
        ({"database_limit": 50}, "80 connections needed, 50 to be had"),
    ],
)
def test_a_server_that_will_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    findings = told(monkeypatch, tmp_path, *four(**changes))
    assert any(words in finding.what for finding in findings if finding.verdict is Verdict.BAD), findings
    assert Verdict.BAD in verdicts(findings)


def test_more_workers_and_larger_pools_need_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    findings = told(monkeypatch, tmp_path, *four(), GRID_DISPATCH_WORKERS="4", GRID_DATABASE_POOL="8")
    assert Verdict.BAD in verdicts(findings)


def test_rights_nobody_needs_and_a_shared_role_are_mentioned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    findings = told(monkeypatch, tmp_path, replace(GOOD, role="postgres", superuser=True))
    assert [f.what for f in findings if f.verdict is Verdict.HINT] == [
        "postgres is a superuser, which nothing here needs",
        "all services share one role, so none is fenced off from the others",
    ]


def test_too_old_is_refused_and_the_least_is_not() -> None:
    assert list(unfit(replace(GOOD, number=LEAST_VERSION * 10_000))) == []
    assert list(unfit(replace(GOOD, number=LEAST_VERSION * 10_000 - 1)))


def test_brokers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(_address: object, _replication: object) -> tuple[KafkaFacts, list[Difference]]:
        offsets = Difference("__consumer_offsets", "1 replicas, should be 3", by_hand=True)
        return KafkaFacts({1: 10, 2: 9}), [offsets, Difference("grid.case.v1", "missing")]

    monkeypatch.setattr(own_servers, "_ask", answer)
    findings = list(own_servers.own_kafka("kafka://a,b", None))
    assert [(f.verdict, f.what.split(":")[0]) for f in findings] == [
        (Verdict.BAD, "Kafka is too old on broker 2"),
        (Verdict.HINT, "Kafka of your own, 2 broker(s) answer"),
        (Verdict.HINT, "__consumer_offsets"),
    ]
    assert Verdict.BAD in verdicts(findings)
    (wrong,) = own_servers.own_kafka("http://a", None)
    assert wrong.verdict is Verdict.BAD
