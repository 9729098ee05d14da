"""The score, file by file, and the survivors: those that the documentation names as equivalent, and the rest."""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutants.judging import Verdict
from tests.mutants.making import Mutant

LEAST = 90.0
"""Per cent of all mutants that must be killed."""
_ROW = re.compile(r"^\| `(?P<key>[0-9a-f]{8})` \|", re.MULTILINE)
_NOTICED = (Verdict.KILLED, Verdict.ENDLESS)


def listed(page: Path) -> frozenset[str]:
    """The keys of the survivors that the page calls equivalent."""
    return frozenset(match["key"] for match in _ROW.finditer(page.read_text("utf-8")))


@dataclass
class Report:
    """Collects verdicts. `named`: keys of survivors with a reason; `whole`: every file was judged; `say`: tell of
    every other survivor at once."""

    named: frozenset[str]
    whole: bool
    say: bool = False
    verdicts: dict[Mutant, Verdict] = field(default_factory=dict)
    left_out: int = 0
    seconds: float = 0.0

    def told(self, mutant: Mutant, verdict: Verdict) -> None:
        self.verdicts[mutant] = verdict
        if self.say and verdict not in _NOTICED and mutant.key not in self.named:
            sys.stdout.write(_described(mutant) + "\n")
        if len(self.verdicts) % 250 == 0:
            sys.stderr.write(f"{len(self.verdicts)} judged, {self.score:.1f} % killed\n")

    @property
    def survivors(self) -> list[Mutant]:
        """In the order of the files, each with its function's together."""
        alive = [mutant for mutant, verdict in self.verdicts.items() if verdict not in _NOTICED]
        return sorted(alive, key=lambda m: (m.path, m.lines.start))

    @property
    def unnamed(self) -> list[Mutant]:
        return [mutant for mutant in self.survivors if mutant.key not in self.named]

    @property
    def stale(self) -> list[str]:
        """Keys of the list that name no survivor any more; known only when every file was judged."""
        return sorted(self.named - {mutant.key for mutant in self.survivors}) if self.whole else []

    @property
    def score(self) -> float:
        return 100 * (1 - len(self.survivors) / len(self.verdicts)) if self.verdicts else 0.0

    @property
    def well(self) -> bool:
        return self.score >= LEAST and not self.stale

    def text(self) -> str:
        """For the person who waits."""
        lines = [
            f"{path:<48}{killed:>6} of {made:>5} killed  {100 * killed / made:5.1f} %"
            for path, made, killed in self._files()
        ]
        lines += [f"docs/mutation.md names {key}, which does not survive" for key in self.stale]
        named = len(self.survivors) - len(self.unnamed)
        lines.append(
            f"{self.score:.1f} % of {len(self.verdicts)} mutants killed in {self.seconds / 60:.1f} min; "
            f"{named} survivors are named as equivalent, {len(self.unnamed)} are not; "
            f"{self.left_out} in functions that only build tables at import were not tried"
        )
        return "\n".join(lines)

    def _files(self) -> list[tuple[str, int, int]]:
        counted: dict[str, list[bool]] = defaultdict(list)
        for mutant, verdict in self.verdicts.items():
            counted[mutant.path].append(verdict in _NOTICED)
        return [(path, len(all_of), sum(all_of)) for path, all_of in sorted(counted.items())]

    def write(self, path: Path) -> None:
        """Every survivor with its key, for whoever hunts them."""
        path.parent.mkdir(parents=True, exist_ok=True)
        found = {
            "score": round(self.score, 1),
            "mutants": len(self.verdicts),
            "seconds": round(self.seconds),
            "survivors": [
                {"key": m.key, "verdict": self.verdicts[m].value, "path": m.path, "function": m.function}
                | {"line": m.lines.start, "was": m.was, "now": m.now, "named": m.key in self.named}
                for m in self.survivors
            ],
        }
        path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _described(mutant: Mutant) -> str:
    return f"{mutant.key} {mutant.path}:{mutant.lines.start} {mutant.function}\n  - {mutant.was}\n  + {mutant.now}"
