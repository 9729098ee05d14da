# mypy: allow-untyped-calls
"""Events a second of a stream worker that drains a backlog, against a Faust agent that does nothing."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from datetime import datetime, timedelta

from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic

from schemas.envelope import Envelope
from schemas.events.parts import CategoryV1, SpotV1
from schemas.events.report import ReportSubmittedV1
from schemas.registry import encode
from schemas.topics import REPORT
from services.chassis.ids import SystemIds
from services.chassis.kafka import KafkaAddress, admin_client
from services.governance.cycle import Nature, Role
from tests.bench.ground import Ground, process, standing
from tests.bench.result import CHECKOUT, Result, alternated
from tests.bench.stream_parts import CREATE

EVENTS = 24_000
"""Many times what a consumer fetches ahead, so that what it had before the first batch does not count."""
CASES = 3_000
PARTITIONS = 12
ALTERNATIONS = 3
PATIENCE_S = 120.0


def run() -> list[Result]:
    """Three alternations of the three workers over backlogs of the same messages."""
    with standing(kafka=True) as ground:
        with ground.connect() as connection:
            connection.execute(CREATE)
        ledger, dispatch = [], []
        for number in range(ALTERNATIONS):
            topics = [f"bench.{kind}.{number}" for kind in ("noop", "ledger")]
            asyncio.run(_backlogs(ground, topics))
            floor = _noop(ground, topics[0])
            ledger.append({"value": _ledger(ground, topics[1]), "baseline": floor})
            dispatch.append({"value": _dispatch(ground, number), "baseline": floor})
    return [
        alternated("stream_worker", "events/s", ledger, goal="ratio ≥ 0.5"),
        alternated("dispatch_worker", "reports/s", dispatch),
    ]


def _noop(ground: Ground, topic: str) -> float:
    words = [sys.executable, "-m", "tests.bench.stream_parts", "noop", topic]
    started = subprocess.Popen(words, env=ground.environment(), cwd=CHECKOUT, stdout=subprocess.PIPE)
    try:
        assert started.stdout is not None
        said = json.loads(started.stdout.readline())
    finally:
        started.terminate()
        started.wait(30)
    assert said["events"] == EVENTS, said
    return float(said["per_s"])


def _ledger(ground: Ground, topic: str) -> float:
    with process(ground.environment(), "tests.bench.stream_parts", "ledger", topic):
        return _drained(ground, "escalation", f"ledger-{topic}", EVENTS)


def _dispatch(ground: Ground, number: int) -> float:
    asyncio.run(send_reports(ground, CASES))
    with process(ground.environment(), "services.dispatch", "worker"):
        return _drained(ground, "dispatch", "grid-dispatch", CASES * (number + 1), CASES)


def _drained(ground: Ground, schema: str, group: str, until: int, own: int = EVENTS) -> float:
    """Events a second after the first batch, by the times that the inbox keeps of this run's batches."""
    give_up = time.monotonic() + PATIENCE_S
    query = f"SELECT at, count(*) FROM {schema}.inbox WHERE consumer = '{group}' GROUP BY at ORDER BY at"
    with ground.connect() as connection:
        while time.monotonic() < give_up:
            rows: list[tuple[datetime, int]] = connection.execute(query.encode()).fetchall()  # type: ignore[assignment]
            if sum(count for _, count in rows) >= until:
                break
            time.sleep(0.5)
        else:
            raise TimeoutError(f"{group} did not drain its backlog: {rows[-3:]}")
    batches = _of_this_run(rows, own)
    seconds = (batches[-1][0] - batches[0][0]) / timedelta(seconds=1)
    return (sum(count for _, count in batches) - batches[0][1]) / seconds


def _of_this_run(rows: list[tuple[datetime, int]], own: int) -> list[tuple[datetime, int]]:
    found: list[tuple[datetime, int]] = []
    while sum(count for _, count in found) < own:
        found.insert(0, rows.pop())
    return found


async def _backlogs(ground: Ground, topics: list[str]) -> None:
    assert ground.kafka_url is not None
    async with admin_client(KafkaAddress.parse(ground.kafka_url)) as admin:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in topics])
    for topic in topics:
        await send_reports(ground, EVENTS, topic=topic)


async def send_reports(ground: Ground, count: int, per_second: float | None = None, topic: str = REPORT.name) -> None:
    """So many first events of new reports, as fast as possible or at a steady rate."""
    assert ground.kafka_url is not None
    ids, loop = SystemIds(), asyncio.get_running_loop()
    with ground.connect() as connection:
        now, version, street = connection.execute(
            "SELECT directory.grid_now(), version, street FROM directory.rulebooks LIMIT 1"
        ).fetchall()[0]
    producer = AIOKafkaProducer(bootstrap_servers=list(KafkaAddress.parse(ground.kafka_url).hosts), linger_ms=5)
    await producer.start()
    began = loop.time()
    try:
        for number in range(count):
            report_id = str(ids.uuid7())
            body = _body(report_id, str(street), str(version), now)  # type: ignore[arg-type]
            envelope = Envelope(ids.uuid7(), "report.submitted", 1, "grid/intake", now, report_id, 1, body)  # type: ignore[arg-type]
            headers, payload = encode(envelope)
            raw = [(name, value.encode()) for name, value in headers.items()]
            await producer.send(topic, payload, report_id.encode(), headers=raw)
            if per_second is not None:
                await asyncio.sleep(max(0.0, began + number / per_second - loop.time()))
    finally:
        await producer.stop()


def _body(report_id: str, street: str, rulebook: str, now: datetime) -> ReportSubmittedV1:
    community = f"{street}001"
    return ReportSubmittedV1(
        report_id=report_id,
        receipt_no=report_id[-12:],
        reporter_ref=report_id[-8:],
        reporter_account="a-bench",
        reporter_role=Role.GRID_WORKER,
        staff=True,
        source="grid_worker",
        nature=Nature.COMPLAINT,
        category=CategoryV1(scheme="GB/T 30428.2", version="2013", code="0110"),
        spot=SpotV1(street=street, community=community, grid=f"{community}01", cell=f"{community}001"),
        masked_text="垃圾桶满了没人清，味道很大",
        masked_place="鸣翠花苑南门",
        occurred_at=now,
        submitted_at=now,
        rulebook=rulebook,
    )
