"""`python -m tests.mutants`: judge every mutant of services/governance; exit 0 if enough are killed and the list of
survivors in docs/mutation.md is true."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import pytest

from tests.mutants.judging import Check, Collector, Judge, at_import, watch
from tests.mutants.making import ROOT, mutants_of
from tests.mutants.report import Report, listed

CORE = "services/governance"
TESTS = ("tests/unit/governance", "tests/property/governance")
PYTEST = (
    *(
        "-q",
        "-o",
        "addopts=",
        "--import-mode=importlib",
        "-p",
        "no:pytest_alembic",
        "-p",
        "no:cacheprovider",
        "--noconftest",
    ),
    *("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("files", nargs="*", help=f"files of {CORE}; default: all")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--one-in", type=int, default=1, help="judge only every so many-th mutant, for a quick look")
    parser.add_argument("--report", type=Path, default=ROOT / "bench" / "mutants.json")
    parser.add_argument("--survivors", action="store_true", help="print each survivor that the list does not name")
    wanted = parser.parse_args()
    chosen = [ROOT / name for name in wanted.files] or sorted((ROOT / CORE).rglob("*.py"))
    began, report = (
        time.monotonic(),
        Report(
            listed(ROOT / "docs" / "mutation.md"), whole=not wanted.files and wanted.one_in == 1, say=wanted.survivors
        ),
    )

    building: set[tuple[str, int]] = set()

    def judge(checks: list[Check]) -> None:
        paths = [str(path.relative_to(ROOT)) for path in chosen]
        reached = watch(checks, paths)
        mutants = [mutant for path in chosen for mutant in mutants_of(path)]
        tried = [m for m in mutants if (m.path, m.first_line) not in building]
        report.left_out = len(mutants) - len(tried)
        Judge(checks, reached, wanted.at_once).all(tried[:: wanted.one_in], report.told)

    with at_import(ROOT / CORE, building):
        import tests.support.governance  # noqa: F401
    code = pytest.main([*PYTEST, *(str(ROOT / tests) for tests in TESTS)], plugins=[Collector(judge)])
    if not report.verdicts:
        return int(code) or 1
    report.seconds = time.monotonic() - began
    report.write(wanted.report)
    sys.stdout.write(report.text() + "\n")
    return 0 if report.well else 1


if __name__ == "__main__":
    sys.exit(main())
