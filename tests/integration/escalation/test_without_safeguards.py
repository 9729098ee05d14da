"""The fault suite's checker finds nothing wrong with deliveries as they are, and finds each safeguard that is taken
out of the sender."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.escalation.store import deliveries
from services.escalation.store.deliveries import Claimed
from services.escalation.usecases import deliver
from services.escalation.usecases.deliver import Deliverer
from services.escalation.webhooks.client import Outcome
from tests.chaos.checker import Checker
from tests.chaos.receiver import Receiver, Seen
from tests.integration.escalation.conftest import DOWN, OK, House, fact

pytestmark = pytest.mark.anyio
PATIENCE = 60


@dataclass
class Remembering:
    """The receiving side of the fault suite without its sockets: every third message is refused at first sight."""

    receiver: Receiver = field(default_factory=Receiver)
    tried: set[str] = field(default_factory=set)

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        new = headers["webhook-id"] not in self.tried
        self.tried.add(headers["webhook-id"])
        if new and len(self.tried) % 3 == 1:
            return DOWN
        self.receiver._remember(headers["webhook-id"], json.loads(body)["data"])
        return OK

    @property
    def seen(self) -> Seen:
        return self.receiver.seen


def overtaking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is due goes, whether or not an earlier message of its case is still waiting."""
    heads = " AND NOT EXISTS (SELECT FROM escalation.webhook_deliveries p"
    statement = deliveries._CLAIM.text
    begin = statement.index(heads)
    end = statement.index(" ORDER BY d.seq")
    monkeypatch.setattr(deliveries, "_CLAIM", sa.text(statement[:begin] + statement[end:]))


def another_id_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt is a message of its own."""
    whole: Any = Deliverer._message

    def message(self: Deliverer, one: Claimed, *rest: Any) -> Any:
        return whole(self, replace(one, id=f"{one.id}-{one.attempt}"), *rest)

    monkeypatch.setattr(Deliverer, "_message", message)


def taken_for_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """That a message was posted is enough, whatever was answered."""
    monkeypatch.setattr(deliver, "understood", lambda _one, outcome: replace(outcome, status=200, error=None))


def nothing(_: pytest.MonkeyPatch) -> None:
    """As it is."""


@pytest.mark.parametrize(
    ("mutation", "broken"),
    [
        (nothing, set[str]()),
        (overtaking, {"webhook order"}),
        (another_id_each_time, {"delivery log"}),
        (taken_for_done, {"delivery log"}),
    ],
)
async def test_what_the_checker_says(
    house: House,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mutation: Callable[[pytest.MonkeyPatch], None],
    broken: set[str],
) -> None:
    mutation(monkeypatch)
    await house.endpoint("case.overdue")
    platform = Remembering()
    house.platform = platform  # type: ignore[assignment] # another receiving side than the usual one
    cases: Sequence[str] = [f"case-{n % 4}" for n in range(16)]
    await house.hear(*(fact(case, kind="case.overdue") for case in cases))
    sender = house.deliverer()
    for _ in range(PATIENCE):
        await sender.once()
        await house.later(20)
        if not await house.rows("SELECT 1 FROM escalation.webhook_deliveries WHERE state IN ('waiting', 'sending')"):
            break
    checker = Checker(database_url, tmp_path / "ledger.jsonl", platform.seen)

    def judge() -> set[str]:
        with checker.snapshot() as connection:
            return {violation.rule for violation in checker.check(connection, "webhooks")}

    rules = await asyncio.to_thread(judge)
    assert rules >= broken
    assert bool(rules) == bool(broken), rules
