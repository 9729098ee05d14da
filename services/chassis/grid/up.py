"""`grid up`: the supervisor in the foreground, and what it tells the person at the terminal."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from services.chassis.clock import SystemClock, monotonic
from services.chassis.engines import footing
from services.chassis.supervisor.console import Console
from services.chassis.supervisor.environment import Surroundings
from services.chassis.supervisor.exposition import serve_metrics
from services.chassis.supervisor.limits import set_limits
from services.chassis.supervisor.lock import HomeLock
from services.chassis.supervisor.nursery import Nursery
from services.chassis.supervisor.scrape import port_behind, write_targets
from services.chassis.supervisor.settings import CHECKOUT, BadSetting, SupervisorSettings
from services.chassis.supervisor.status import Status
from services.chassis.supervisor.supervisor import Supervisor
from services.chassis.supervisor.table import PRELOADED, parts_of
from services.chassis.supervisor.watch import Patience

if TYPE_CHECKING:
    from services.chassis.lan.plan import LanPlan

LAST_LAN_PORT = 65_532


def run_up(*, sample: bool, once_ready: str | None) -> None:
    """Run everything until stopped; never returns. Raises AlreadyRunning or BadSetting before the start."""
    settings = SupervisorSettings.read()
    console = Console()
    home = footing.make_home(settings.home)
    set_limits()
    with HomeLock(home):
        lan = _lan_plan(settings)
        if lan is not None:
            settings = replace(settings, inherited={**settings.inherited, **lan.environment})
        around = Surroundings(settings, say=lambda line: console.line("grid", line))
        nursery = Nursery(PRELOADED, home, dict(settings.inherited), CHECKOUT)
        nursery.start()
        code = asyncio.new_event_loop().run_until_complete(
            _supervise(around, console, nursery, sample, once_ready, lan)
        )
        nursery.stop()
    sys.stdout.flush()
    os._exit(code)  # a download in a thread must not hold up a Ctrl-C


def _lan_plan(settings: SupervisorSettings) -> LanPlan | None:
    if settings.inherited.get("LAN", "") in ("", "0"):
        return None
    first = settings.inherited.get("GRID_LAN_PORT") or "0"
    if not first.isdigit() or int(first) > LAST_LAN_PORT:
        raise BadSetting(
            f"GRID_LAN_PORT={first!r} is no number up to {LAST_LAN_PORT}: four ports from there on are taken"
        )
    from services.chassis.lan.plan import LanPlan  # its libraries are loaded for those who asked for it

    return LanPlan.make(settings.home, SystemClock(), int(first))


async def _supervise(
    around: Surroundings,
    console: Console,
    nursery: Nursery,
    sample: bool,
    once_ready: str | None,
    lan: LanPlan | None,
) -> int:
    began = monotonic()
    status = Status(
        supervisor=os.getpid(),
        home=str(around.home),
        database="embedded" if around.postgres else "external",
        kafka_url=around.kafka_url if around.kafka else "external",
    )
    parts = parts_of(around, sample, before_own=nursery.await_ready)
    shown = port_behind(parts, around.settings.metrics_port)
    write_targets(around.home, parts, shown)
    patience = Patience.read(around.settings.inherited)
    supervisor = Supervisor(parts, around.home, console, status, nursery.spawn, patience)
    metrics = await serve_metrics(shown, supervisor.metrics)
    if metrics is None:
        console.line("grid", f"port {shown} is taken: the supervisor's own metrics are not shown", loud=True)
    console.line("grid", f"starting in {around.home} …")

    async def when_ready() -> int | None:
        console.line("grid", f"ready after {monotonic() - began:.1f} s")
        if once_ready is not None:
            return await _run_once(around, once_ready)
        for line in await greeting(around, sample):
            console.line("grid", line)
        if lan is not None:
            await lan.open_door()
            for line in lan.lines():
                console.line("grid", line, loud=not line.startswith(" "))
        return None

    return await supervisor.run(when_ready)


async def _run_once(around: Surroundings, command: str) -> int:
    env = dict(around.settings.inherited) | {"GRID_HOME": str(around.home)}  # `grid` in it finds everything from there
    child = await asyncio.create_subprocess_shell(command, env=env, cwd=CHECKOUT)
    try:
        return await child.wait()
    finally:
        if child.returncode is None:
            child.terminate()


async def greeting(around: Surroundings, sample: bool) -> list[str]:
    """The addresses and, in the sample street, the accounts."""
    ports = around.settings.ports
    lines = [
        "",
        f"上报   the phone form        http://127.0.0.1:{ports.intake}/m/",
        f"待办   the role desks        http://127.0.0.1:{ports.dispatch}/desk/",
        f"指挥   the console           http://127.0.0.1:{ports.dispatch}/console/",
        f"推送   webhooks, deliveries  http://127.0.0.1:{ports.escalation}/docs",
        "",
    ]
    if sample:
        lines += await _sample_accounts(around)
    return [*lines, f"logs in {around.home / 'logs'} · Ctrl-C stops everything"]


async def _sample_accounts(around: Surroundings) -> list[str]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.chassis.grid",
        "accounts",
        "--json",
        env=around.environment("dispatch"),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await child.communicate()
    if child.returncode != 0:
        return []
    return [*one_of_each_post(json.loads(out)), "", "all accounts: grid accounts", ""]


def one_of_each_post(accounts: Sequence[dict[str, Any]]) -> list[str]:
    """The first sample account of every role, so that the list stays short enough to read."""
    lines: list[str] = []
    seen: set[str] = set()
    for account in accounts:
        roles = {post["role"] for post in account["posts"]}
        if account["sample"] and not account["disabled"] and roles - seen:
            seen |= roles
            posts = "、".join(dict.fromkeys(post["label"] for post in account["posts"]))
            lines.append(f"{account['login']:<14} {account['password'] or '':<16} {account['name']}  {posts}")
    return lines
