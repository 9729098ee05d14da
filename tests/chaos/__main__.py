"""`python -m tests.chaos --minutes 2 --seed 1`: exit 0 only if no promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import run, write_report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for home, ledger and logs; default: a temporary one")
    parser.add_argument("--report", type=Path, default=Path("bench/chaos.json"))
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="grid-chaos-", dir="/tmp") as temporary:
        folder = wanted.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        verdict = asyncio.run(run(folder, wanted.minutes, wanted.seed))
    sys.stdout.write(verdict.report() + "\n")
    write_report(verdict, wanted.report)
    return 1 if verdict.violations else 0


if __name__ == "__main__":
    sys.exit(main())
