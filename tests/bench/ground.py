"""PostgreSQL and Kafka as the product runs them, with the sample street, in a home of their own."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg

from schemas.topics import TOPICS
from services.chassis.db import Database
from services.chassis.directory.load import load_street
from services.chassis.engines.kafka import EmbeddedKafka, free_port
from services.chassis.engines.postgres import ADMIN, EmbeddedPostgres
from services.chassis.ids import SystemIds
from services.chassis.kafka import KafkaAddress, quiet_client_logs
from services.chassis.migrate import migrate
from services.chassis.settings import DatabaseSettings
from services.chassis.topics import apply_topics
from tests.bench.result import CHECKOUT
from tests.support.unhurried import UNHURRIED

SAMPLE = CHECKOUT / "deploy" / "sample" / "fengcheng"
READY_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Ground:
    """Addresses of what runs."""

    home: Path
    database_url: str
    kafka_url: str | None

    def environment(self, **more: str) -> dict[str, str]:
        """For a process of ours."""
        own = {"GRID_HOME": str(self.home), "DATABASE_URL": self.database_url, "GRID_LOG_LEVEL": "WARNING"}
        own |= UNHURRIED
        kafka = {"KAFKA_URL": self.kafka_url} if self.kafka_url else {}
        return {**os.environ, "PYTHONPATH": str(CHECKOUT), **own, **kafka, **more}

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.database_url.replace("postgresql+psycopg", "postgresql"), autocommit=True)


@contextmanager
def standing(*, kafka: bool) -> Iterator[Ground]:
    """Start, fill and in the end remove everything."""
    home = Path(tempfile.mkdtemp(prefix="grid-bench-", dir="/tmp"))
    home.chmod(0o711)
    postgres = EmbeddedPostgres(home)
    broker = EmbeddedKafka(home, port=free_port()) if kafka else None
    try:
        postgres.start()
        url = postgres.url_for(ADMIN)
        migrate(url)
        asyncio.run(_fill(url))
        if broker is not None:
            broker.start()
            quiet_client_logs()
            asyncio.run(apply_topics(KafkaAddress.parse(broker.url), TOPICS, 1))
        yield Ground(home, url, broker.url if broker else None)
    finally:
        if broker is not None:
            broker.crash()
        postgres.crash()
        postgres.remove()
        shutil.rmtree(home, ignore_errors=True)


async def _fill(url: str) -> None:
    db = Database(DatabaseSettings(DATABASE_URL=url), "bench")
    async with db.transaction() as tx:
        await load_street(tx, SAMPLE, SystemIds())
    await db.close()


@contextmanager
def process(env: Mapping[str, str], *words: str, log: IO[bytes] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m words…`, ended by SIGTERM; what it logs goes to `log` as under `grid up`, else to ours."""
    started = subprocess.Popen([sys.executable, "-m", *words], env=dict(env), cwd=CHECKOUT, stderr=log)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def answers(url: str) -> None:
    """Wait until a URL answers 200."""
    until = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")
