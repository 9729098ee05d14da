"""One fault run from start to verdict."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from services.chassis.engines import footing
from services.dispatch.feed.people import PersonClient
from tests.chaos.afterwards import audit_whole, counts_right, read_logs, screens_complete
from tests.chaos.bounds import Bounds
from tests.chaos.checker import Beside, Checker, Violation
from tests.chaos.crowd import Crowd, open_crowd
from tests.chaos.disk import SmallDisk
from tests.chaos.guests import Guests, socket_folder
from tests.chaos.ledger import Ledger, entries
from tests.chaos.meanwhile import meanwhile
from tests.chaos.nemesis import Nemesis
from tests.chaos.plan import Fault, draw
from tests.chaos.proof import blind_spots
from tests.chaos.proxy import CuttingProxy
from tests.chaos.pulse import Pulse
from tests.chaos.questions import LATENESS
from tests.chaos.receiver import Receiver
from tests.chaos.stand import Stand, start, wait_for
from tests.chaos.street import hasty_street
from tests.chaos.verdict import Counts, Figures, Verdict
from tests.chaos.world import World

FAST_RETRIES = "[1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16, 32, 32, 32, 32, 60, 60, 60, 60]"
PATIENCE_WITH_RECEIVER_S = "4"
EVENTS = ["case.escalated", "case.overdue", "case.supervised", "case.district_due", "case.closed", "case.reopened"]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a run happens: its folder, the platform's side, a receiver that is away for the whole run, the small disk
    (None: not on this machine)."""

    folder: Path
    receiver: Receiver
    address: str
    absent: Receiver
    absent_address: str
    disk: SmallDisk | None


async def run(
    folder: Path,
    minutes: float,
    seed: int,
    extra: Mapping[str, str] | None = None,
    only: frozenset[Fault] | None = None,
) -> Verdict:
    """Everything of it. The folder gets home, ledgers, logs. `extra` is for the system's environment; `only` these

    faults are done.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that the broker is away is our own doing
    receiver = Receiver(seed=seed)
    address = await receiver.start()
    absent = Receiver(fail_share=0.0, seed=seed)
    absent_address = await absent.start()
    await absent.close_door()
    disk = _small_disk(folder / "home")
    ground = Ground(folder, receiver, address, absent, absent_address, disk)
    environment = {
        "GRID_WEBHOOK_ALLOW_HOSTS": f"{address},{absent_address}",
        "GRID_WEBHOOK_SCHEDULE_S": FAST_RETRIES,
        "GRID_WEBHOOK_TIMEOUT_S": PATIENCE_WITH_RECEIVER_S,
        "GRID_SAMPLE_HISTORY": "0",
        "GRID_SAMPLE_DIR": str(hasty_street(folder)),
        **(extra or {}),
    }
    stand = None
    try:
        stand = await asyncio.to_thread(start, folder / "home", environment)
        return await _under_fire(stand, ground, minutes, seed, only)
    finally:
        if stand is not None:
            await asyncio.to_thread(stand.stop)
        await receiver.stop()
        await absent.stop()
        if disk is not None:
            disk.unmount()


def _small_disk(home: Path) -> SmallDisk | None:
    """Mounted where the cluster will lie; in the main thread, whose mounts all others inherit."""
    home.parent.chmod(0o711)  # an unprivileged database server has to pass through
    place = footing.place_for(footing.make_home(home), "postgres", footing.engine_account())
    disk = SmallDisk(place)
    return disk if disk.mount() else None


async def _under_fire(
    stand: Stand, ground: Ground, minutes: float, seed: int, only: frozenset[Fault] | None
) -> Verdict:
    folder = ground.folder
    _, ground.receiver.secret = await _subscribe(stand, f"http://{ground.address}/hook")
    away, ground.absent.secret = await _subscribe(stand, f"http://{ground.absent_address}/hook")
    proxy = CuttingProxy(socket_folder(stand))
    await proxy.start()
    guests = Guests.of(stand, proxy.folder)
    pulse = Pulse(f"127.0.0.1:{stand.environment['GRID_KAFKA_PORT']}")
    world = World(stand, ground.receiver, guests, proxy, pulse, Ledger(folder / "poison.jsonl"), ground.disk)
    guests.start()
    try:
        crowd = await open_crowd(stand, folder, seed, guests.intake_port)
        undone = frozenset() if ground.disk else frozenset({Fault.DISK_FULL})
        without = undone if only is None else frozenset(Fault) - only
        plan = draw(seed, minutes, world.victims(), without)
        nemesis = Nemesis(world, plan, folder / "faults.jsonl")
        bounds = Bounds()
        verdict = Verdict(minutes, seed, undone=undone, only=only)
        async with crowd.watching():
            imported = await _attack(world, crowd, nemesis, bounds)
            beside = Beside.read(folder, world.pulse.acknowledged, world.home / "media")
            await _return(stand, ground.absent, away)
            seen, returned = ground.receiver.seen, ground.absent.seen
            checker = Checker(stand.database_url, crowd.reports.path, seen, imported, beside, returned)
            await _judge(checker, crowd, bounds, verdict)
        verdict.wounds, verdict.recoveries, verdict.spared = nemesis.wounds, world.recoveries, nemesis.spared
        await _tell(verdict, world, crowd, checker, bounds)
        return verdict
    finally:
        world.poison.close()
        await guests.stop()
        await proxy.stop()


async def _attack(world: World, crowd: Crowd, nemesis: Nemesis, bounds: Bounds) -> int:
    """Everybody works while the plan is carried out; answers how many rows were imported."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        working = [group.create_task(each) for each in crowd.work(stop)]
        importing = group.create_task(crowd.import_files(stop))
        group.create_task(world.pulse.run(stop))
        group.create_task(bounds.run(world, stop))
        await crowd.at_work()
        await nemesis.run()
        world.proxy.spare()
        stop.set()
    assert all(task.done() for task in working)
    return importing.result()


async def _judge(checker: Checker, crowd: Crowd, bounds: Bounds, verdict: Verdict) -> None:
    judgement = await asyncio.to_thread(checker.judge)
    blind = await asyncio.to_thread(blind_spots, checker)
    seen = await screens_complete(crowd.screens)
    counted = await counts_right([screen.person for screen in crowd.screens])
    audited = await asyncio.to_thread(audit_whole, crowd.stand)
    verdict.figures = Figures(quiet_after_s=judgement.quiet_after_s)
    verdict.violations = [*judgement.violations, *blind, *seen, *counted, *audited, *bounds.violations()]


async def _tell(verdict: Verdict, world: World, crowd: Crowd, checker: Checker, bounds: Bounds) -> None:
    """Counts and figures; what was repaired had been lost, and nothing here loses what Kafka has taken."""
    reports, acts = list(entries(crowd.reports.path)), checker.beside.deeds
    logs = await asyncio.to_thread(read_logs, world.home / "logs")
    median, most, firings = await asyncio.to_thread(_lateness, world.stand.database_url)
    verdict.counts = Counts(
        acknowledged=sum(entry.acknowledged for entry in reports),
        maybe=sum(not entry.acknowledged for entry in reports),
        imported=crowd.imported,
        photos=sum(writer.pictures_sent for writer in crowd.writers),
        acts=sum(deed.outcome == "done" for deed in acts),
        refused=sum(deed.outcome == "refused" for deed in acts),
        retries=crowd.retries,
        cases=int(str((await world.ask_grid("SELECT count(*) FROM dispatch.cases"))[0][0])),
        firings=firings,
        deliveries=len(checker.seen.by_id),
        pulses=len(world.pulse.acknowledged),
        events_on_screens=sum(screen.events for screen in crowd.screens),
        poison=len(checker.beside.poison),
    )
    verdict.figures = Figures(
        quiet_after_s=verdict.figures.quiet_after_s,
        firing_late_median_s=median,
        firing_late_most_s=most,
        repairs=logs.repairs,
        rss_mb=max(bounds.rss_mb.values(), default=0),
        files=max(bounds.files.values(), default=0),
        connections=bounds.connections,
        fatal=dict(logs.fatal),
    )
    verdict.violations += world.broken
    for began, ended in world.without_broker:
        went_on = await asyncio.to_thread(meanwhile, world.stand.database_url, began, ended)
        verdict.meanwhile.append(went_on)
        verdict.violations += went_on.violations()
    if logs.repairs:
        verdict.violations.append(Violation("repaired", f"{logs.repairs} rows, and nothing had been lost"))


def _lateness(database_url: str) -> tuple[float, float, int]:
    with psycopg.connect(database_url) as connection:
        row: tuple[Any, ...] = connection.execute(LATENESS.encode()).fetchall()[0]
    return float(row[0]), float(row[1]), int(row[2])


async def _subscribe(stand: Stand, url: str) -> tuple[str, str]:
    """Make an endpoint as the administrator does; answers its id and secret."""
    person: PersonClient = await stand.person("admin")
    wanted = {"url": url, "events": EVENTS, "name": "simulated platform"}

    async def made_it() -> dict[str, Any] | None:
        answer = await person.dispatch.post("/api/v1/escalation/webhooks", json=wanted)
        if answer.status_code == httpx.codes.FORBIDDEN:
            return None  # the street was loaded a moment ago, and not every service has read it
        told: dict[str, Any] = answer.raise_for_status().json()
        return told

    made = await wait_for("an endpoint", made_it)
    await person.close()
    return str(made["id"]), str(made["secret"])


async def _return(stand: Stand, absent: Receiver, endpoint_id: str) -> None:
    """Whoever was away all the time is there again, and is sent what he has missed."""
    assert not absent.seen.by_id, "the receiver that is away was reached"
    await absent.open_door()
    person: PersonClient = await stand.person("admin")
    path = "/api/v1/escalation"
    on_again = await person.dispatch.patch(f"{path}/webhooks/{endpoint_id}", json={"active": True})
    on_again.raise_for_status()
    again = await person.dispatch.post(f"{path}/deliveries/replay", json={"webhook_id": endpoint_id, "state": "any"})
    again.raise_for_status()
    await person.close()


__all__ = ["Verdict", "run"]
