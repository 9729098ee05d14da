"""The table of parts: what `grid up` runs, in which order, each as one process with one argv.

deploy/systemd and deploy/compose.yaml run the same commands; a test compares them with this table.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from services.chassis.engines import Launch
from services.chassis.engines.kafka import EmbeddedKafka
from services.chassis.engines.postgres import EmbeddedPostgres
from services.chassis.supervisor.environment import Surroundings
from services.chassis.supervisor.part import Part
from services.chassis.supervisor.probes import http_ready, quick
from services.chassis.supervisor.scrape import metrics_ports
from services.chassis.supervisor.settings import CHECKOUT

PRELOADED = ("services.intake.app", "services.dispatch.app", "services.escalation.app", "uvloop", "alembic.command")
"""What the nursery imports before it bears parts."""

SERVICES = ("intake", "dispatch", "escalation")
BASE = ("migrate", "topics")
FIRST_REPORTS = ("--reports", "30", "--per-minute", "60")
BEHIND = ("intake-worker", "dispatch-relay", "escalation-relay", "escalation-worker", "escalation-deliver")
"""Nobody waits at a screen for what they do: where processors are scarce, what lies between a report and the queue in
which somebody sees it goes first. Timers do not belong to them: they are to be punctual."""
GROUP_SESSION = 8.0
"""Seconds after which Kafka takes a silent worker out of its group. A member that comes back sooner makes its healthy
peers wait for the dead one, so a crashed worker with peers comes back after it."""


@dataclass(frozen=True, slots=True)
class Command:
    """One of our own processes: `python -m <module> <arguments>` under a role."""

    name: str
    role: str
    module: str
    arguments: tuple[str, ...]
    needs: tuple[str, ...] = BASE
    once: bool = False
    vital: bool = False
    awaited: bool = True
    crash_pause: float = 0.5

    @property
    def words(self) -> tuple[str, ...]:
        """The command as deployments write it, after `python -m`."""
        return (self.module, *self.arguments)

    @property
    def runs_alone(self) -> bool:
        """It lives on without a web server, so its metrics need a port."""
        return not self.once and self.arguments != ("serve",)


def own_commands(dispatch_workers: int = 2, sample: bool = True) -> tuple[Command, ...]:
    """Every process of ours, in the order of the table."""
    grid = "services.chassis.grid"
    rows = [
        Command("migrate", "owner", grid, ("migrate",), needs=("postgres",), once=True, vital=True),
        Command("topics", "owner", grid, ("topics", "apply"), needs=("kafka",), once=True, vital=True),
    ]
    ground = BASE
    if sample:
        rows.append(Command("sample", "dispatch", "services.dispatch", ("sample",), BASE[:1], once=True, vital=True))
    for service in SERVICES:
        module = f"services.{service}"
        rows.append(Command(service, service, module, ("serve",), ground))
        rows.append(Command(f"{service}-relay", service, module, ("relay",), ground))
        rows += _workers(service, module, dispatch_workers if service == "dispatch" else 1)
    rows.append(Command("escalation-timers", "escalation", "services.escalation", ("timers",), ground))
    rows.append(Command("escalation-deliver", "escalation", "services.escalation", ("deliver",), ground))
    return tuple(rows)


def _workers(service: str, module: str, count: int) -> list[Command]:
    pause = GROUP_SESSION + 3 if count > 1 else 1.0
    names = [f"{service}-worker"] if count == 1 else [f"{service}-worker-{n}" for n in range(1, count + 1)]
    return [Command(name, service, module, ("worker",), BASE, crash_pause=pause) for name in names]


def parts_of(
    around: Surroundings, sample: bool = True, before_own: Callable[[], None] | None = None
) -> tuple[Part, ...]:
    """The parts for this GRID_HOME; embedded engines only where no address was given.

    `before_own` is blocking work before each start of a process of ours.
    """
    settings = around.settings
    parts: list[Part] = []
    marks: dict[str, Callable[[], None]] = {}
    commands = own_commands(settings.dispatch_workers, sample)
    past = SampleHistory(around.home)
    if sample and settings.sample_history:
        commands += past.commands()
        marks = past.marks()
    if around.postgres is not None:
        parts.append(_engine("postgres", around.postgres, None, None))
    if around.kafka is not None:
        parts.append(_engine("kafka", around.kafka, around.kafka.port, around.kafka.url))
    there = {part.name for part in parts}
    shown = metrics_ports([each.name for each in commands if each.runs_alone], settings.metrics_port)
    parts += [
        replace(_own(each, around, there, before_own, shown.get(each.name)), settle=marks.get(each.name))
        for each in commands
    ]
    return tuple(parts)


class SampleHistory:
    """The sample street's sixty days before today, and its first live cases. Once per GRID_HOME.

    The days are invented and imported like any other file; then a few reports are played in, with people acting, so
    that queues and desks have something to show.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / "sample" / "history.csv"
        self._fresh = self._file.with_suffix(".new")
        self._imported = self._file.with_suffix(".imported")
        self._opened = self._file.with_suffix(".opened")

    def commands(self) -> tuple[Command, ...]:
        """What is left to run. Nobody waits for it: the street opens at once, its past comes in behind."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        mapping = CHECKOUT / "deploy" / "sample" / "history.toml"
        write = ("history", "--out", str(self._fresh))
        read = ("import", str(self._file), "--mapping", str(mapping))
        live = ("feed", *FIRST_REPORTS, "--people", "--pace", "1", "--patient")
        wanted = (
            (self._file, "history-file", "dispatch", write, ("sample",)),
            (self._imported, "history", "intake", read, SERVICES),
            (self._opened, "first-reports", "dispatch", live, SERVICES),
        )
        rows: list[Command] = []
        for done, name, role, words, needs in wanted:
            if not done.exists():
                after = (*needs, *(row.name for row in rows[-1:]))
                rows.append(Command(name, role, f"services.{role}", words, after, once=True, awaited=False))
        return tuple(rows)

    def marks(self) -> dict[str, Callable[[], None]]:
        """What to note when each of them has come to its end."""
        return {
            "history-file": self._keep_file,
            "history": self._imported.touch,
            "first-reports": self._opened.touch,
        }

    def _keep_file(self) -> None:
        """The file is whole: from here on it is the one to import, also after a crash."""
        self._fresh.rename(self._file)


def _engine(name: str, engine: EmbeddedPostgres | EmbeddedKafka, port: int | None, url: str | None) -> Part:
    return Part(
        name=name,
        launch=engine.launch,
        vital=True,
        engine=True,
        prepare=engine.prepare,
        probe=quick(engine.ready),
        settle=engine.settle,
        stop_steps=engine.stop_steps,
        port=port,
        url=url,
    )


def _own(
    command: Command,
    around: Surroundings,
    engines: set[str],
    before: Callable[[], None] | None,
    shown: int | None,
) -> Part:
    absent = {"postgres", "kafka"} - engines
    serves = command.arguments == ("serve",)
    port = around.settings.ports.of(command.role) if serves else None

    def launch() -> Launch:
        argv = (sys.executable, "-m", *command.words)
        environment = around.environment(command.role) | ({"GRID_METRICS_PORT": str(shown)} if shown else {})
        return Launch(argv, environment, CHECKOUT, death_signal=signal.SIGTERM)

    return Part(
        name=command.name,
        launch=launch,
        needs=tuple(need for need in command.needs if need not in absent),
        once=command.once,
        vital=command.vital,
        prepare=before,
        probe=http_ready(port) if port is not None else None,
        awaited=command.awaited,
        guarded=not command.once,
        crash_pause=command.crash_pause,
        port=port,
        url=f"http://127.0.0.1:{port}" if port is not None else None,
        metrics=port or shown,
        yields=command.name in BEHIND,
    )
