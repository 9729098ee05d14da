"""What reporters ask goes to dispatch and comes back answered, once each, through a crash and a second sending."""

from __future__ import annotations

import os
import signal
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest

from services.chassis.supervisor.status import read_status
from tests.e2e.town import Person, Town, until

CASES = 4


def ask(person: Person, report_id: str, action: str, key: str, **body: Any) -> str:
    """The id of the command that a wish became."""
    path = f"/api/v1/reports/{report_id}/actions/{action}"
    answer = person.intake.post(path, json=body, headers={"idempotency-key": key}).raise_for_status()
    return str(answer.json()["command_id"])


def rows(town: Town, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(town.stand.database_url) as connection:
        return connection.execute(statement.encode(), values).fetchall()


def answers(town: Town, commands: list[str]) -> dict[str, Counter[str]]:
    """Per command the kinds of events with which dispatch answered."""
    found = rows(
        town,
        "SELECT headers ->> 'ce_causationid', headers ->> 'ce_type' FROM dispatch.outbox"
        " WHERE headers ->> 'ce_causationid' = ANY(%s)",
        commands,
    )
    return {command: Counter(kind for cause, kind in found if cause == command) for command in commands}


def unanswered(town: Town, commands: list[str]) -> list[tuple[Any, ...]]:
    return rows(
        town, "SELECT command_id FROM intake.commands WHERE state = 'asked' AND command_id::text = ANY(%s)", commands
    )


def kill_the_workers(town: Town) -> None:
    status = read_status(town.stand.home)
    assert status is not None
    for name, part in status.parts.items():
        if name.startswith("dispatch-worker") and part.pid is not None:
            os.kill(part.pid, signal.SIGKILL)


@pytest.mark.timeout(400)
def test_each_wish_is_answered_once_whatever_happens_on_the_way(town: Town) -> None:
    person = town.person("wangge01")
    began = datetime.now(ZoneInfo("Asia/Shanghai")).replace(microsecond=0) - timedelta(minutes=1)
    reports = []
    for _ in range(CASES):
        sent = person.send(town.matter("wangge01", "0302")).raise_for_status().json()
        reports.append(sent["id"])
    for report in reports:
        until("it becomes a case", lambda report=report: person.receipt(report)["case_no"])
    granted, refused, keys = [], [], {}
    for n, report in enumerate(reports):
        key = str(uuid4())
        granted.append(ask(person, report, "urge", key))
        keys[report] = key
        if n == CASES // 2:
            kill_the_workers(town)
        refused.append(ask(person, report, "urge", str(uuid4())))  # too soon after the first
        refused.append(ask(person, report, "rate", str(uuid4()), grade="satisfied"))  # nothing to rate yet
    assert [ask(person, report, "urge", keys[report]) for report in reports] == granted  # the phone asks again
    until("every wish is answered", lambda: not unanswered(town, granted + refused), 120)

    def judge() -> None:
        told = answers(town, granted + refused)
        for command in granted:
            assert told[command]["case.urged"] == 1
            assert told[command]["case.command_refused"] == 0
        for command in refused:
            assert told[command] == Counter({"case.command_refused": 1})

    judge()
    last = person.receipt(reports[0])
    assert last["pending"] is None
    assert last["answer"]["result"] == "refused"
    assert last["answer"]["text"]

    until_then = datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(minutes=1)
    span = ("--from", f"{began:%Y-%m-%d %H:%M:%S}", "--to", f"{until_then:%Y-%m-%d %H:%M:%S}")
    dropped = rows(town, "SELECT count(*) FROM dispatch.inbox WHERE topic = 'grid.command.v1'")
    said = town.stand.grid("replay", "outbox", "intake", *span, "--topic", "grid.command.v1")
    since = "SELECT count(*) FROM intake.outbox WHERE topic = 'grid.command.v1' AND created_at >= %s"
    wished = rows(town, since, began)[0][0]  # others of this street may have had wishes in that minute
    assert wished >= len(granted + refused)
    assert f" {wished} events sent again" in said.stdout
    until(
        "they are in Kafka again",
        lambda: not rows(town, "SELECT 1 FROM intake.outbox WHERE published_at IS NULL"),
    )
    marker = ask(person, reports[0], "urge", str(uuid4()))  # behind them on its partition
    until("what came after them is answered", lambda: not unanswered(town, [marker]))
    judge()
    assert rows(town, "SELECT count(*) FROM dispatch.inbox WHERE topic = 'grid.command.v1'")[0][0] == dropped[0][0] + 1
