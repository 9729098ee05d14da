"""Runs the test suite, cheapest part first, and closes with one summary.

Everything happens with a GRID_HOME of its own and on free ports, so that it can run beside `make run`. A later part
runs even when an earlier one failed. Words: names of parts (all by default), `--long` for what is too slow for every
change, anything else goes to pytest. Exit code 0 only if every part passed and nothing was skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

SHARED = ("--dist", "loadscope", "--no-loadscope-reorder")
TWO = ("-n", "2", *SHARED)
THREE = ("-n", "3", *SHARED)
ANY = ("-n", "2", "--dist", "load")
ONE = ("-n", "0")
USUAL = ("-m", "not long and not chaos")


@dataclass(frozen=True, slots=True)
class Part:
    """A pytest run of its own. Two systems at a time fit on two processors, and three of those that have only
    servers beside them, for they mostly wait; what is killed and frozen has the machine to itself."""

    name: str
    words: tuple[str, ...]


PARTS = (
    Part("rules", ("tests/unit", "tests/property", "tests/contract", "tests/architecture", *TWO, *USUAL)),
    Part("parts", ("tests/integration", "tests/migration", *THREE, *USUAL)),
    Part("whole", ("tests/e2e", "tests/cluster", *TWO, *USUAL)),
    Part("mutations", ("tests/chaos/mutations", *ANY, "-m", "chaos and not long")),
    Part("chaos", ("tests/chaos", "--ignore=tests/chaos/mutations", *ONE, "-m", "chaos and not long")),
)
LONG = (Part("long", ("tests", *ONE, "-m", "long")),)
NO_TESTS = 5
"""pytest's exit code where a selection holds no test."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one part came to."""

    name: str
    code: int
    seconds: float
    passed: int = 0
    skipped: int = 0
    wrong: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        return self.code in (0, NO_TESTS) and not self.skipped

    def line(self) -> str:
        counts = f"{self.passed} passed, {len(self.wrong)} failed, {self.skipped} skipped"
        word = "ok" if self.well else "FAILED" if self.code in (0, 1) else f"FAILED (exit code {self.code})"
        return f"{self.name:<10}{counts:<42}{self.seconds:>6.0f} s  {word}"


def main(words: Sequence[str]) -> int:
    """The exit code."""
    known = {part.name: part for part in (*PARTS, *LONG)}
    wanted = [known[word] for word in words if word in known]
    chosen = wanted or (LONG if "--long" in words else PARTS)
    rest = [word for word in words if word not in known and word != "--long"]
    results = [run(part, rest) for part in chosen]
    sys.stdout.write("\n" + summary(results) + "\n")
    return 0 if all(result.well for result in results) else 1


def run(part: Part, words: Sequence[str]) -> Result:
    """Run one part in a home that is removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix="grid-test-"))
    home.chmod(0o711)  # an unprivileged database server has to pass through
    report, began = home / "report.xml", time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *part.words, *words]
    sys.stdout.write(f"\n── {part.name} " + "─" * (90 - len(part.name)) + "\n")
    sys.stdout.flush()
    try:
        code = subprocess.run(command, env=surroundings(os.environ, home), check=False).returncode
        return read(part.name, code, time.monotonic() - began, report)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def surroundings(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """The tests' own world: nothing of a running system leaks in."""
    ours = {name: value for name, value in environment.items() if not name.startswith("GRID_") or name == "GRID_CACHE"}
    for name in ("DATABASE_URL", "DATABASE_DIRECT_URL", "KAFKA_URL"):
        ours.pop(name, None)
    return {**ours, "GRID_HOME": str(home), "TZ": "UTC"}


def read(name: str, code: int, seconds: float, report: Path) -> Result:
    """Count what pytest wrote; a report that is missing leaves only the exit code."""
    if not report.is_file():
        return Result(name, code, seconds)
    cases = list(ElementTree.parse(report).iter("testcase"))
    wrong = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    return Result(
        name,
        code,
        seconds,
        passed=len(cases) - len(wrong) - len(skipped),
        skipped=len(skipped),
        wrong=tuple(dict.fromkeys(f"{case.get('classname')}.{case.get('name')}" for case in wrong)),
    )


def summary(results: Sequence[Result]) -> str:
    """For the person who waits."""
    lines = ["─" * 94, *(result.line() for result in results)]
    lines += [f"  {one}" for result in results for one in result.wrong]
    total = sum(result.seconds for result in results)
    verdict = "all passed" if all(result.well for result in results) else "NOT passed"
    return "\n".join([*lines, f"{verdict}, {sum(result.passed for result in results)} tests in {total / 60:.1f} min"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
