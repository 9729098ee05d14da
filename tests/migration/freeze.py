"""Keeps what one version wrote: `python -m tests.migration.freeze NAME` plays a small street and stores its database
and every event it published under `tests/migration/frozen/NAME`. A released folder is never written again.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from services.chassis.engines.postgres import wheel_tree
from tests.support.stand import Stand, start

FROZEN = Path(__file__).parent / "frozen"
SERVICES = ("intake", "dispatch", "escalation")
REPORTS = "60"


def main(name: str) -> int:
    """Exit code 1 when the folder exists already."""
    folder = FROZEN / name
    if folder.exists():
        sys.stderr.write(f"{folder} exists; what a version wrote is never changed\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="grid-freeze-", dir="/tmp") as home:
        stand = start(Path(home) / "home", {"GRID_SAMPLE_HISTORY": "0"})
        try:
            stand.grid("feed", "--reports", REPORTS, "--per-minute", "30", "--people", "--pace", "0.1", "--seed", "7")
            _settle(stand)
            folder.mkdir(parents=True)
            _dump(stand, folder / "database.sql.gz")
            _events(stand, folder / "events.jsonl.gz")
        finally:
            stand.stop()
    return 0


def _settle(stand: Stand) -> None:
    """Until nothing waits for Kafka, three seconds running."""
    query = " UNION ALL ".join(f"SELECT 1 FROM {service}.outbox WHERE published_at IS NULL" for service in SERVICES)
    quiet = 0
    while quiet < 3:
        time.sleep(1)
        with psycopg.connect(stand.database_url) as connection:
            quiet = 0 if connection.execute(query.encode()).fetchone() else quiet + 1


def _dump(stand: Stand, file: Path) -> None:
    words = ("--inserts", "--rows-per-insert=100", "--no-owner", "--no-privileges", "--no-publications")
    sql = subprocess.run(
        [wheel_tree() / "bin" / "pg_dump", *words, stand.database_url], check=True, capture_output=True
    ).stdout
    lines = [line for line in sql.splitlines() if not line.startswith((b"\\", b"--"))]
    file.write_bytes(gzip.compress(b"\n".join(lines), mtime=0))


def _events(stand: Stand, file: Path) -> None:
    rows = []
    with psycopg.connect(stand.database_url) as connection:
        for service in SERVICES:
            query = f"SELECT topic, key, headers, payload FROM {service}.outbox ORDER BY id"
            for topic, key, headers, payload in connection.execute(query.encode()):
                row = {
                    "topic": topic,
                    "key": key.decode(),
                    "headers": headers,
                    "payload": base64.b64encode(payload).decode(),
                }
                rows.append(json.dumps(row, ensure_ascii=False, sort_keys=True))
    file.write_bytes(gzip.compress("\n".join(rows).encode(), mtime=0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
