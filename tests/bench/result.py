"""One figure and where it is kept."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
LATEST = CHECKOUT / "bench" / "latest.json"


@dataclass(frozen=True, slots=True)
class Result:
    """`ratio` is value to baseline; `runs` holds what each run showed, in order."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    goal: str | None = None
    runs: list[dict[str, float]] = field(default_factory=list)

    def line(self) -> str:
        """For a person."""
        beside = "" if self.ratio is None else f"  ratio {self.ratio:.2f} (baseline {self.baseline:g})"
        goal = f"  goal {self.goal}" if self.goal else ""
        return f"{self.name:<28} {self.value:>10g} {self.unit}{beside}{goal}"


def alternated(name: str, unit: str, runs: list[dict[str, float]], goal: str | None = None) -> Result:
    """From runs that each hold `value` and `baseline`."""
    return Result(
        name=name,
        value=round(median(run["value"] for run in runs), 1),
        unit=unit,
        baseline=round(median(run["baseline"] for run in runs), 1),
        ratio=round(median(run["value"] / run["baseline"] for run in runs), 3),
        goal=goal,
        runs=runs,
    )


def keep(results: list[Result]) -> None:
    """Replace these figures in bench/latest.json; others stay."""
    where = {"commit": _commit(), "machine": _machine()}
    known: dict[str, Any] = {}
    if LATEST.exists():
        known = {entry["name"]: entry for entry in json.loads(LATEST.read_text())}
    known |= {result.name: {**where, **asdict(result)} for result in results}
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_text(json.dumps(list(known.values()), indent=1) + "\n")


def _commit() -> str:
    words = ["git", "-C", str(CHECKOUT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


def _machine() -> str:
    return f"{platform.machine()} {os.cpu_count()} cores, Python {platform.python_version()}"
