"""Accepted reports a second at one intake process, against a bare FastAPI single-row insert."""

from __future__ import annotations

import json
import subprocess
import sys

import httpx

from services.chassis.engines.kafka import free_port
from tests.bench.ground import Ground, answers, process, standing
from tests.bench.result import CHECKOUT, Result, alternated

SECONDS = 5.0
WARM_S = 1.5
CLIENTS = 32
ALTERNATIONS = 3
PASSWORD = "fengcheng-2026"


def run() -> list[Result]:
    """Three alternations in one run."""
    with standing(kafka=False) as ground:
        with ground.connect() as connection:
            connection.execute(
                "CREATE TABLE bare (id uuid PRIMARY KEY, key text UNIQUE, text text, cell text, place_words text)"
            )
        bare, intake = free_port(), free_port()
        plain = ground.database_url.replace("postgresql+psycopg", "postgresql")
        with (
            process(ground.environment(BARE_URL=plain), "tests.bench.bare", str(bare)),
            process(ground.environment(GRID_INTAKE_PORT=str(intake)), "services.intake", "serve"),
        ):
            answers(f"http://127.0.0.1:{bare}/healthz")
            answers(f"http://127.0.0.1:{intake}/readyz")
            return _alternate(ground, bare, intake, _cookie(intake))


def _alternate(ground: Ground, bare: int, intake: int, cookie: str) -> list[Result]:
    for port in (bare, intake):
        _hammer(port, WARM_S, CLIENTS, cookie)
    runs, lone = [], []
    for _ in range(ALTERNATIONS):
        floor, ours = _hammer(bare, SECONDS, CLIENTS, cookie), _hammer(intake, SECONDS, CLIENTS, cookie)
        runs.append({"value": ours.pop("per_s"), "baseline": floor["per_s"], **ours})
        floor, ours = _hammer(bare, WARM_S, 1, cookie), _hammer(intake, WARM_S, 1, cookie)
        lone.append({"value": ours["p50_ms"], "baseline": floor["p50_ms"]})
    with ground.connect() as connection:
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM intake.reports), (SELECT count(*) FROM intake.ledger),"
            " (SELECT count(*) FROM intake.outbox)"
        ).fetchall()[0]
    assert len(set(counts)) == 1, f"reports, ledger and outbox differ: {counts}"
    return [
        alternated("accepted_reports", "reports/s", runs, goal="ratio ≥ 1"),
        alternated("accepted_report_alone", "ms", lone),
    ]


def _cookie(port: int) -> str:
    origin = f"http://127.0.0.1:{port}"
    body = {"login": "wangge01", "password": PASSWORD}
    answer = httpx.post(f"{origin}/api/v1/session", json=body, headers={"origin": origin}, timeout=20)
    return answer.raise_for_status().cookies["sid"]


def _hammer(port: int, seconds: float, clients: int, cookie: str) -> dict[str, float]:
    words = [sys.executable, "-m", "tests.bench.hammer", str(port), str(seconds), str(clients), cookie]
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, float] = json.loads(done.stdout)
    return found
