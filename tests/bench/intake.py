"""Accepted reports a second at one intake process, against a bare FastAPI single-row insert (`bench.bare`).

Load and database share the machine with the server, and so may others: ratios are of slices that followed each other,
and beside each rate stands the processor time that the server itself spent, which a busy machine hardly changes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx

from services.chassis.engines.kafka import free_port
from tests.bench.ground import Ground, answers, process, standing
from tests.bench.result import CHECKOUT, Result, alternated

SECONDS = 2.0
WARM_S = 1.5
CLIENTS = 32
ALTERNATIONS = 7
PASSWORD = "fengcheng-2026"
LOGINS = ("wangge01", "zhibu01", "shequ01", "shouli")
UNHURRIED = {
    f"GRID_INTAKE_{whose}_{what}": "10000000" for whose in ("ACCOUNT", "ADDRESS") for what in ("PER_MINUTE", "BURST")
}
"""Limits are counted for every request and never reached."""
_TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A process that takes reports."""

    def __init__(self, port: int, pid: int, cookies: Sequence[str] = ("none",)) -> None:
        self._port = port
        self._pid = pid
        self._cookies = cookies

    def hammered(self, seconds: float, clients: int) -> dict[str, float]:
        """What it accepted and how fast; `cpu_us` is the server's processor time for each report."""
        before = self._cpu_s()
        words = [sys.executable, "-m", "tests.bench.hammer", str(self._port), str(seconds), str(clients)]
        done = subprocess.run([*words, *self._cookies], cwd=CHECKOUT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        found: dict[str, float] = json.loads(done.stdout)
        found["cpu_us"] = (self._cpu_s() - before) / found.pop("accepted") * 1e6
        return found

    def _cpu_s(self) -> float:
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def run() -> list[Result]:
    """All alternations in one run."""
    with standing(kafka=False) as ground, ExitStack() as stack:
        plain = ground.database_url.replace("postgresql+psycopg", "postgresql")
        bare, path, intake = free_port(), free_port(), free_port()
        log = stack.enter_context((ground.home / "intake.log").open("ab"))
        settings = ground.environment(GRID_INTAKE_PORT=str(intake), GRID_LOG_LEVEL="INFO", **UNHURRIED)
        started = [
            stack.enter_context(process(ground.environment(BARE_URL=plain), "bench.bare", str(bare))),
            stack.enter_context(process(ground.environment(), "tests.bench.ledger_path", str(path))),
            stack.enter_context(process(settings, "services.intake", "serve", log=log)),
        ]
        answers(f"http://127.0.0.1:{bare}/healthz")
        answers(f"http://127.0.0.1:{path}/healthz")
        answers(f"http://127.0.0.1:{intake}/readyz")
        servers = [
            Server(bare, started[0].pid),
            Server(path, started[1].pid),
            Server(intake, started[2].pid, [_cookie(intake, login) for login in LOGINS]),
        ]
        found = _alternate(*servers)
        _agree(ground)
        return found + _parts(settings, found[-1].value)


def _alternate(bare: Server, path: Server, intake: Server) -> list[Result]:
    for server in (bare, path, intake):
        server.hammered(WARM_S, CLIENTS)
    alone, whole, lone = [], [], []
    for _ in range(ALTERNATIONS):
        floor, ledger, all_on = (server.hammered(SECONDS, CLIENTS) for server in (bare, path, intake))
        alone.append(_beside(ledger, floor))
        whole.append(_beside(all_on, floor))
        floor, all_on = bare.hammered(WARM_S, 1), intake.hammered(WARM_S, 1)
        lone.append({"value": all_on["p50_ms"], "baseline": floor["p50_ms"]})
    return [
        alternated("ledger_and_outbox", "reports/s", alone, goal="ratio ≥ 1.2"),
        alternated("accepted_reports", "reports/s", whole, goal="ratio ≥ 0.8"),
        alternated("accepted_p99", "ms", [_p99(run) for run in whole], goal="≤ 30 ms at 32 clients"),
        alternated("accepted_report_alone", "ms", lone, goal="ratio ≤ 2"),
        alternated("ledger_and_outbox_cpu", "µs", [_cpu(run) for run in alone]),
        alternated("accepted_report_cpu", "µs", [_cpu(run) for run in whole]),
    ]


def _beside(ours: dict[str, float], floor: dict[str, float]) -> dict[str, float]:
    bare = {f"bare_{name}": value for name, value in floor.items() if name != "per_s"}
    return {"value": ours["per_s"], "baseline": floor["per_s"], **ours, **bare}


def _p99(run: dict[str, float]) -> dict[str, float]:
    return {"value": run["p99_ms"], "baseline": run["bare_p99_ms"]}


def _cpu(run: dict[str, float]) -> dict[str, float]:
    return {"value": run["cpu_us"], "baseline": run["bare_cpu_us"]}


def _agree(ground: Ground) -> None:
    """Nothing was taken that is not written in full."""
    with ground.connect() as connection:
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM intake.reports), (SELECT count(*) FROM intake.ledger),"
            " (SELECT count(*) FROM intake.outbox)"
        ).fetchall()[0]
    assert len(set(counts)) == 1, f"reports, ledger and outbox differ: {counts}"


def _parts(settings: Mapping[str, str], whole: float) -> list[Result]:
    """Each part's cost; what is left of the whole is the server's, its protocol's and the framework's."""
    words = [sys.executable, "-m", "tests.bench.parts"]
    done = subprocess.run(words, cwd=CHECKOUT, env=dict(settings), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    parts: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    parts["server_and_framework"] = whole - sum(parts.values())
    return [Result(f"cost_{name}", round(cost, 1), "µs") for name, cost in parts.items()]


def _cookie(port: int, login: str) -> str:
    origin = f"http://127.0.0.1:{port}"
    body = {"login": login, "password": PASSWORD}
    answer = httpx.post(f"{origin}/api/v1/session", json=body, headers={"origin": origin}, timeout=20)
    return answer.raise_for_status().cookies["sid"]
