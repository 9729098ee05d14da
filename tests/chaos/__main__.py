"""`python -m tests.chaos --minutes 2 --seed 1`: exit 0 only if no promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

from tests.chaos.plan import Fault
from tests.chaos.run import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, help="the same seed and length give the same plan; default: a new one")
    parser.add_argument("--only", action="append", choices=[fault.value for fault in Fault], help="only such faults")
    parser.add_argument("--keep", type=Path, help="folder for home, ledgers and logs; default: a temporary one")
    parser.add_argument("--report", type=Path, default=Path("bench/chaos.json"))
    wanted = parser.parse_args()
    seed = wanted.seed if wanted.seed is not None else secrets.randbelow(1_000_000)
    sys.stdout.write(f"chaos: seed {seed}\n")
    with tempfile.TemporaryDirectory(prefix="grid-chaos-", dir="/tmp") as temporary:
        folder = wanted.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        only = frozenset(map(Fault, wanted.only)) if wanted.only else None
        verdict = asyncio.run(run(folder, wanted.minutes, seed, only=only))
    sys.stdout.write(verdict.report() + "\n")
    verdict.write(wanted.report)
    return 1 if verdict.violations else 0


if __name__ == "__main__":
    sys.exit(main())
