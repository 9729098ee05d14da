"""Deliveries a second to a receiver on this machine, in order per case; and what a receiver that never answers costs
the others."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.api.escalation import WebhookIn
from services.chassis.db import Database
from services.chassis.engines.kafka import free_port
from services.chassis.ids import SystemIds
from services.chassis.secretbox import SecretBox, read_or_make_key
from services.chassis.settings import DatabaseSettings
from services.escalation.usecases.manage import EndpointDesk
from tests.bench.ground import Ground, answers, process, standing
from tests.bench.result import Result, alternated

DELIVERIES = 12_000
PER_CASE = 10
ALTERNATIONS = 3
PATIENCE_S = 180.0
GOAL_PER_S = 500

_FILL = """
  INSERT INTO escalation.webhook_deliveries
    (id, endpoint_id, event_id, type, case_id, seq, headers, body, state, next_at)
  SELECT 'msg_' || md5(e.id::text || n), e.id, gen_random_uuid(), 'case.overdue', %(run)s || '-' || n / %(per_case)s,
    n %% %(per_case)s + 1,
    jsonb_build_object('content-type', 'application/json', 'ce-specversion', '1.0', 'ce-id', n::text,
      'ce-type', 'case.overdue', 'ce-source', 'grid/escalation', 'ce-subject', %(run)s || '-' || n / %(per_case)s,
      'ce-sequence', (n %% %(per_case)s + 1)::text),
    convert_to(repeat('{"a":"b"}', 100), 'UTF8'), 'waiting', directory.grid_now()
  FROM unnest(%(endpoints)s::uuid[]) AS e(id), generate_series(0, %(count)s - 1) AS n"""


@dataclass(frozen=True, slots=True)
class Side:
    """The receiving process and the endpoints that lead there."""

    port: int

    def seen(self) -> dict[str, float]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/seen", timeout=5) as answer:
            told: dict[str, float] = json.load(answer)
        return told


def run() -> list[Result]:
    """One receiver; then four, alone and beside one that is dead."""
    with standing(kafka=False) as ground:
        one = [_round(ground, f"one{n}", alive=1, dead=0) for n in range(ALTERNATIONS)]
        beside = [
            {
                "baseline": _round(ground, f"alone{n}", alive=4, dead=0)["value"],
                **_round(ground, f"beside{n}", alive=4, dead=1),
            }
            for n in range(ALTERNATIONS)
        ]
    rate = sorted(run["value"] for run in one)[len(one) // 2]
    return [
        Result("webhooks", round(rate, 1), "deliveries/s", goal=f"≥ {GOAL_PER_S}", runs=one),
        alternated("webhooks_beside_a_dead_endpoint", "deliveries/s", beside, goal="ratio ≥ 0.9"),
    ]


def _round(ground: Ground, name: str, *, alive: int, dead: int) -> dict[str, float]:
    """Fill the queues, start sender and receiver, and look at what arrives."""
    side = Side(free_port())
    asyncio.run(_endpoints(ground, side, name, alive, dead))
    _fill(ground, name, alive)
    env = ground.environment(GRID_WEBHOOK_ALLOW_HOSTS=f"127.0.0.1:{side.port}")
    with process(env, "tests.bench.hook_receiver", str(side.port)):
        answers(f"http://127.0.0.1:{side.port}/seen")
        with process(env, "services.escalation", "deliver"):
            told = _wait(side, DELIVERIES // alive * alive)
    _forget(ground)
    if told["overtaken"]:
        raise AssertionError(f"{told['overtaken']:.0f} messages overtook an earlier one of their case")
    return {"value": told["count"] / told["seconds"], "seconds": told["seconds"]}


def _wait(side: Side, wanted: int) -> dict[str, float]:
    give_up = time.monotonic() + PATIENCE_S
    while (told := side.seen())["count"] < wanted:
        if time.monotonic() > give_up:
            raise TimeoutError(f"{told['count']:.0f} of {wanted} arrived")
        time.sleep(0.5)
    return told


async def _endpoints(ground: Ground, side: Side, name: str, alive: int, dead: int) -> None:
    box = SecretBox(read_or_make_key(ground.home / "secrets" / "webhook.key"))
    desk = EndpointDesk(SystemIds(), box, frozenset({f"127.0.0.1:{side.port}"}))
    db = Database(DatabaseSettings(DATABASE_URL=ground.database_url), "bench")
    paths = [*(f"alive/{n}" for n in range(alive)), *("dead" for _ in range(dead))]
    async with db.transaction() as tx:
        for path in paths:
            url = f"http://127.0.0.1:{side.port}/{path}"
            await desk.add(tx, WebhookIn(url=url, events=("case.overdue",), name=f"{name} {path}"), "bench")
    await db.close()


def _fill(ground: Ground, name: str, alive: int) -> None:
    with ground.connect() as connection:
        found = connection.execute(
            b"SELECT id::text FROM escalation.webhook_endpoints WHERE removed_at IS NULL"
        ).fetchall()
        endpoints: Sequence[str] = [str(row[0]) for row in found]
        values = {"run": name, "endpoints": endpoints, "count": DELIVERIES // alive, "per_case": PER_CASE}
        connection.execute(_FILL.encode(), values)
        connection.execute(b"ANALYZE escalation.webhook_deliveries")


def _forget(ground: Ground) -> None:
    """The next round begins with empty queues."""
    with ground.connect() as connection:
        connection.execute(b"TRUNCATE escalation.webhook_attempts, escalation.webhook_deliveries")
        connection.execute(b"UPDATE escalation.webhook_endpoints SET active = false, removed_at = directory.grid_now()")


if __name__ == "__main__":
    for result in run():
        sys.stdout.write(result.line() + "\n")
