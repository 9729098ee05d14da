"""`python -m tests.cluster`: exit 0 only if no promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.cluster.run import run, write_report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("--lull", type=float, default=30.0, help="seconds of load before, between and after the events")
    parser.add_argument("--keep", type=Path, help="folder for servers, home, ledger and logs; default: a temporary one")
    parser.add_argument("--report", type=Path, default=Path("bench/cluster.json"))
    parser.add_argument("--jars", type=Path, help="another list of Kafka's jars, to try another release")
    parser.add_argument("--jar-cache", type=Path, help="where those jars lie")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="grid-cluster-", dir="/tmp") as temporary:
        folder = wanted.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)  # an unprivileged database server has to pass through
        outcome = asyncio.run(run(folder, wanted.lull, lock=wanted.jars, cache=wanted.jar_cache))
    sys.stdout.write(outcome.report() + "\n")
    write_report(outcome, wanted.report)
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
