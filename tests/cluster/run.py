"""One run on three brokers and a PostgreSQL of our own: a broker dies and comes back, then the topics grow."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from schemas.topics import PARTITIONS, TOPICS
from services.chassis.kafka import KafkaAddress, admin_client
from services.chassis.outbox.parts import group_of
from services.chassis.supervisor.connections import needed, uses
from services.chassis.supervisor.settings import SupervisorSettings
from services.chassis.supervisor.status import read_status
from services.chassis.supervisor.table import own_commands
from tests.chaos.checker import Checker
from tests.chaos.ledger import Ledger, entries
from tests.chaos.load import Writer
from tests.chaos.receiver import Seen
from tests.cluster.brokers import COUNT, OwnKafka
from tests.cluster.nagging import Nagger
from tests.cluster.postgres import OwnPostgres
from tests.cluster.questions import CONSUMERS, MOVED_KEYS, OUT_OF_ORDER, OUT_OF_STEP, PRODUCERS, TO_NEW
from tests.cluster.watch import Watch
from tests.support.stand import CHECKOUT, Stand, start, wait_for

PER_SECOND = 50.0
WRITERS = 90
"""So many that fifty come together also where an answer takes its time."""
PEOPLE = ("wangge01", "wangge02", "zhibu01")
GROWN = 24
ON_ONE_PARTITION = "order on the topic"
"""The checker's rule for topics that stay as they are; here keys move, once, and `OUT_OF_ORDER` asks instead."""
DOWN_S = 20.0
"""How long the dead broker stays away."""
LATE_READERS = ("intake-worker", "escalation-worker")
LATE_S = 12.0
"""As soon as the topics have grown the readers of case events stand still for so long that their groups give them up:
what they find afterwards lies in old and new partitions of the same keys, and no partition is read before another."""
GROWN_WITHIN_S = 60.0
WHOLE_WITHIN_S = 120.0


@dataclass(slots=True)
class Outcome:
    """What a run showed."""

    seconds: float = 0.0
    acknowledged: int = 0
    asked: int = 0
    cases: int = 0
    per_second: float = 0.0
    killed_broker: int = 0
    silence_s: float = 0.0
    caught_up_s: float | None = None
    in_sync_again_s: float = 0.0
    grow_s: float = 0.0
    grow_silence_s: float = 0.0
    moved_keys: dict[str, int] = field(default_factory=dict)
    to_new_partitions: dict[str, int] = field(default_factory=dict)
    held: int = 0
    """Events that came before an earlier one of their case and had to wait for it."""
    quiet_after_s: float = 0.0
    repairs: int = 0
    """Events that the search for what Kafka lost had sent again: none was lost, so none should be."""
    connections: dict[str, int] = field(default_factory=dict)
    connections_together: int = 0
    connections_documented: int = 0
    violations: list[str] = field(default_factory=list)

    def report(self) -> str:
        """For a person."""
        caught = "never" if self.caught_up_s is None else f"after {self.caught_up_s:.1f} s"
        lines = [
            f"cluster: {COUNT} brokers, {self.seconds:.0f} s, {self.acknowledged} reports acknowledged"
            f" ({self.per_second:.0f}/s), {self.asked} questions, {self.cases} cases",
            f"  broker {self.killed_broker} killed: no case for {self.silence_s:.1f} s at most, caught up {caught}",
            f"  every replica in sync {self.in_sync_again_s:.1f} s after its return",
            f"  topics grown to {GROWN} in {self.grow_s:.1f} s: no case for {self.grow_silence_s:.1f} s at most,"
            f" {self.held} events came too early and were held",
            f"  keys in two partitions {self.moved_keys}, events in new partitions {self.to_new_partitions}",
            f"  quiet after {self.quiet_after_s:.0f} s; connections {self.connections_together} at most,"
            f" {self.connections_documented} documented",
        ]
        lines += [f"  BROKEN {one}" for one in self.violations[:40]]
        return "\n".join([*lines, f"  {len(self.violations)} violations"])


async def run(folder: Path, lull: float, *, lock: Path | None = None, cache: Path | None = None) -> Outcome:
    """Everything of it; servers, home and ledger go below `folder`. `lull`: seconds of plain load before, between and
    after the two events. `lock` and `cache`: other jars than ours."""
    postgres = OwnPostgres(folder / "postgres")
    kafka = OwnKafka(folder / "kafka", lock, cache)
    try:
        await asyncio.to_thread(postgres.start)
        await asyncio.to_thread(kafka.start)
        extra = {**postgres.prepare(shared=True), "KAFKA_URL": kafka.url, "GRID_SAMPLE_HISTORY": "0"}
        stand = await asyncio.to_thread(start, folder / "home", extra)
        try:
            return await _loaded(stand, postgres, kafka, folder / "ledger.jsonl", lull)
        finally:
            await asyncio.to_thread(stand.stop)
    finally:
        await asyncio.to_thread(kafka.stop)
        await asyncio.to_thread(postgres.stop)


async def _loaded(stand: Stand, postgres: OwnPostgres, kafka: OwnKafka, ledger: Path, lull: float) -> Outcome:
    outcome = Outcome()
    watch, stop = Watch(postgres.admin_url("grid")), asyncio.Event()
    people = [await stand.person(login) for login in PEOPLE]
    kept = Ledger(ledger)
    writers = await writers_of(stand, kept, PER_SECOND, WRITERS)
    naggers = [Nagger(person, n) for n, person in enumerate(people)]
    feed = _people(stand)
    async with asyncio.TaskGroup() as group:
        for each in (watch, *naggers):
            group.create_task(each.run(stop))
        for writer in writers:
            group.create_task(writer.run(stop=stop))
        await asyncio.sleep(lull)
        await _lose_a_broker(kafka, watch, outcome)
        await asyncio.sleep(lull)
        await _grow(stand, KafkaAddress.parse(kafka.url), watch, outcome)
        await asyncio.sleep(lull)
        outcome.seconds = watch.now
        stop.set()
    feed.terminate()
    await asyncio.to_thread(feed.wait, 30)
    kept.close()
    for person in (*people, *{id(writer.person): writer.person for writer in writers}.values()):
        await person.close()
    outcome.acknowledged = sum(1 for entry in entries(ledger) if entry.acknowledged)
    outcome.per_second = outcome.acknowledged / outcome.seconds
    outcome.asked = sum(nagger.asked for nagger in naggers)
    await asyncio.to_thread(_judge, stand, postgres, ledger, watch, outcome)
    return outcome


async def _lose_a_broker(kafka: OwnKafka, watch: Watch, outcome: Outcome) -> None:
    """Kill the broker that looks after dispatch's group, the worst one to lose, and bring it back."""
    address = KafkaAddress.parse(kafka.url)
    async with admin_client(address) as admin:
        outcome.killed_broker = await admin.find_coordinator(group_of("dispatch"))
    killed_at = watch.now
    await asyncio.to_thread(kafka.kill, outcome.killed_broker)
    await asyncio.sleep(DOWN_S)
    outcome.silence_s = watch.silence(killed_at, watch.now)
    back_at = watch.now
    kafka.start_one(outcome.killed_broker)
    await asyncio.to_thread(kafka.wait_for, outcome.killed_broker)
    await wait_for("every replica in sync", lambda: _in_sync(address), WHOLE_WITHIN_S)
    outcome.in_sync_again_s = watch.now - back_at
    outcome.caught_up_s = watch.caught_up(killed_at)


async def _in_sync(address: KafkaAddress) -> bool:
    async with admin_client(address) as admin:
        rows = await admin.describe_topics([topic.name for topic in TOPICS])
    return all(len(row["isr"]) == COUNT for topic in rows for row in topic["partitions"])


async def _grow(stand: Stand, address: KafkaAddress, watch: Watch, outcome: Outcome) -> None:
    began = watch.now
    late = asyncio.create_task(_stand_still(stand, address))
    done = await asyncio.to_thread(stand.grid, "topics", "grow", "--partitions", str(GROWN), check=False)
    outcome.grow_s = watch.now - began
    if done.returncode != 0:
        outcome.violations.append(f"grid topics grow: {done.stdout} {done.stderr}")
    await late
    await asyncio.sleep(10)
    outcome.grow_silence_s = watch.silence(began, watch.now)


async def _has_grown(address: KafkaAddress) -> bool:
    async with admin_client(address) as admin:
        rows = await admin.describe_topics([topic.name for topic in TOPICS])
    return any(len(topic["partitions"]) == GROWN for topic in rows)


async def _stand_still(stand: Stand, address: KafkaAddress) -> None:
    await wait_for("the first topic that has grown", lambda: _has_grown(address), GROWN_WITHIN_S)
    status = read_status(stand.home)
    assert status is not None, "the supervisor is gone"
    pids = [pid for name in LATE_READERS if (pid := status.parts[name].pid) is not None]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(LATE_S)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _judge(stand: Stand, postgres: OwnPostgres, ledger: Path, watch: Watch, outcome: Outcome) -> None:
    """The checker's verdict, then what concerns servers alone."""
    judgement = Checker(stand.database_url, ledger, Seen()).judge()
    outcome.quiet_after_s = judgement.quiet_after_s
    outcome.violations += [f"{one.rule}: {one.what}" for one in judgement.violations if one.rule != ON_ONE_PARTITION]
    for topic, consumers in CONSUMERS.items():
        words = {"schema": PRODUCERS[topic], "topic": topic, "first": PARTITIONS}
        outcome.moved_keys[topic] = _number(postgres, MOVED_KEYS.format(**words))
        if back := _number(postgres, OUT_OF_ORDER.format(**words)):
            outcome.violations.append(f"{back} events of {topic} lie before an earlier one of their key")
        outcome.to_new_partitions[topic] = _number(postgres, TO_NEW.format(**words))
        for consumer in consumers:
            if behind := _number(postgres, OUT_OF_STEP.format(**words, consumer=consumer)):
                outcome.violations.append(f"{consumer} has not come to the end of {behind} keys of {topic}")
    outcome.cases = _number(postgres, "SELECT count(*) FROM dispatch.cases")
    checked = stand.grid("topics", "check", check=False)
    if checked.returncode != 0:
        outcome.violations.append(f"grid topics check: {checked.stdout}")
    outcome.violations += too_many(watch, stand)
    outcome.repairs = _told(stand.home / "logs", "*-relay.log", "antientropy.lost", "rows")
    outcome.held = _told(stand.home / "logs", "*-worker*.log", "stream.held", "events")
    if outcome.repairs:
        outcome.violations.append(f"{outcome.repairs} events had to be sent again")
    outcome.connections = dict(sorted(watch.most.items()))
    outcome.connections_together = watch.most_together
    outcome.connections_documented = needed(own_commands(), SupervisorSettings.read(stand.environment).database_pool)


def _told(logs: Path, names: str, event: str, field_name: str) -> int:
    """The sum of what the logs tell of an event."""
    lines = [line for log in logs.glob(names) for line in log.read_text().splitlines()]
    return sum(json.loads(line)[field_name] for line in lines if f'"{event}"' in line)


def too_many(watch: Watch, stand: Stand) -> list[str]:
    """Applications that held more sessions than the table of parts says, and all of them together."""
    pool = SupervisorSettings.read(stand.environment).database_pool
    allowed: dict[str, int] = {}
    for use in uses(own_commands(), pool):
        allowed[use.application] = allowed.get(use.application, 0) + use.most
    wrong = [
        f"{name} held {most} connections, {allowed[name]} are documented"
        for name, most in watch.most.items()
        if name in allowed and most > allowed[name]
    ]
    if watch.most_together > needed(own_commands(), pool):
        wrong.append(f"{watch.most_together} connections at once, {needed(own_commands(), pool)} are documented")
    return wrong


async def writers_of(stand: Stand, ledger: Ledger, per_second: float, count: int) -> list[Writer]:
    """Many phones of a few people: signing in is not what is measured. They pause a little less than they should, for
    the time that an answer takes."""
    writers = []
    for number, login in enumerate(PEOPLE):
        person = await stand.person(login)
        kinds, cells = await person.form()
        spots = [spot for cell in cells[:12] for spot in await person.places(cell)]
        for each in range(count // len(PEOPLE)):
            seed = 1000 * number + each
            writers.append(Writer(person, kinds, spots, ledger, seed, per_second=per_second / count * 1.15))
    return writers


def _people(stand: Stand) -> subprocess.Popen[bytes]:
    """The sample's people at their desks, so that cases move."""
    words = ("feed", "--people", "--per-minute", "6", "--seed", "1", "--patient")
    with (stand.home / "feed.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "services.chassis.grid", *words],
            env=stand.environment,
            cwd=CHECKOUT,
            stdout=log,
            stderr=log,
        )


def _number(postgres: OwnPostgres, query: str) -> int:
    return int(postgres.ask(query)[0][0])


def write_report(outcome: Outcome, file: Path) -> None:
    """For machines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    body = {**asdict(outcome), "at": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
    file.write_text(json.dumps(body, ensure_ascii=False, indent=1))
