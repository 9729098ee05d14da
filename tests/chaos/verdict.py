"""What a run showed: a table for people, JSON for machines."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.chaos.meanwhile import Meanwhile
from tests.chaos.nemesis import Wound
from tests.chaos.plan import Fault
from tests.chaos.pulse import Recovery
from tests.chaos.violation import Violation

RECOVERED_WITHIN_S = 12.0
OTHERS_SILENT_S = 3.0
SHOWN = 40


@dataclass(frozen=True, slots=True)
class Counts:
    """How much was done."""

    acknowledged: int = 0
    maybe: int = 0
    imported: int = 0
    photos: int = 0
    acts: int = 0
    refused: int = 0
    retries: int = 0
    cases: int = 0
    firings: int = 0
    deliveries: int = 0
    pulses: int = 0
    events_on_screens: int = 0
    poison: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """What is measured and not judged."""

    quiet_after_s: float = 0.0
    firing_late_median_s: float = 0.0
    firing_late_most_s: float = 0.0
    repairs: int = 0
    rss_mb: int = 0
    files: int = 0
    connections: int = 0
    fatal: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Verdict:
    """One run. Only `violations` are broken promises; everything else is told."""

    minutes: float
    seed: int
    counts: Counts = field(default_factory=Counts)
    figures: Figures = field(default_factory=Figures)
    wounds: list[Wound] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)
    meanwhile: list[Meanwhile] = field(default_factory=list)
    spared: frozenset[str] = frozenset()
    undone: frozenset[Fault] = frozenset()
    only: frozenset[Fault] | None = None
    violations: list[Violation] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        return self.counts.acknowledged

    @property
    def deliveries(self) -> int:
        return self.counts.deliveries

    def report(self) -> str:
        """For a person."""
        return "\n".join([*self._head(), *self._table(), *self._measured(), *self._foot()])

    def write(self, file: Path) -> None:
        """For machines."""
        body = asdict(self) | {
            "spared": sorted(self.spared),
            "undone": sorted(self.undone),
            "only": None if self.only is None else sorted(self.only),
            "replay": self.replay,
            "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(body, ensure_ascii=False, indent=1))

    @property
    def replay(self) -> str:
        """The command that does the same again."""
        if self.only is None:
            return f"make chaos MINUTES={self.minutes:g} SEED={self.seed}"
        chosen = " ".join(f"--only '{fault}'" for fault in sorted(self.only))
        return f"python -m tests.chaos --minutes {self.minutes:g} --seed {self.seed} {chosen}"

    def _head(self) -> list[str]:
        counts, figures = self.counts, self.figures
        return [
            f"chaos: {self.minutes:g} min, seed {self.seed}, {len(self.wounds)} faults; again by `{self.replay}`",
            f"  reports acknowledged {counts.acknowledged}, without answer {counts.maybe}, imported {counts.imported},"
            f" photos {counts.photos}, acts {counts.acts} (refused {counts.refused}), asked again {counts.retries}",
            f"  cases {counts.cases}, timers fired {counts.firings}, webhooks {counts.deliveries},"
            f" pulses {counts.pulses}, events on screens {counts.events_on_screens}, poison {counts.poison}",
            f"  quiet {figures.quiet_after_s:.0f} s after the last fault, repairs {figures.repairs},"
            f" timers late {figures.firing_late_median_s:.2f} s (median), {figures.firing_late_most_s:.1f} s at most",
            f"  at most {figures.rss_mb} MB a process, {figures.files} files, {figures.connections} connections",
        ]

    def _table(self) -> list[str]:
        groups: dict[tuple[str, str], list[Wound]] = {}
        for wound in self.wounds:
            groups.setdefault((wound.fault, wound.part), []).append(wound)
        lines = [f"  {'fault':<26}{'of':<24}{'times':>5}  {'well again after (most)':>24}  last"]
        for (fault, part), wounds in sorted(groups.items()):
            most = max(wound.back_after_s for wound in wounds)
            lines.append(f"  {fault:<26}{part:<24}{len(wounds):>5}  {most:>22.1f} s  {wounds[-1].told}")
        return lines

    def _measured(self) -> list[str]:
        lines = [f"  {one.told}" for one in self.meanwhile]
        for one in self.recoveries:
            slow = one.recovered_s > RECOVERED_WITHIN_S or one.others_s > OTHERS_SILENT_S
            lines.append(
                f"  worker killed at 200 events/s: its {one.victims} partitions served again after"
                f" {one.recovered_s:.1f} s, the other {one.others} silent {one.others_s:.1f} s at most"
                f" (goals {RECOVERED_WITHIN_S:.0f} s, {OTHERS_SILENT_S:.0f} s){' TOO SLOW' if slow else ''}"
            )
        return lines

    def _foot(self) -> list[str]:
        lines = [f"  not possible on this machine: {', '.join(sorted(self.undone))}"] if self.undone else []
        lines += [f"  never killed: {', '.join(sorted(self.spared))}"] if self.spared else []
        lines += [f"  ended itself: {name} {times} times" for name, times in sorted(self.figures.fatal.items())]
        lines += [f"  BROKEN {one.rule}: {one.what}" for one in self.violations[:SHOWN]]
        return [*lines, f"  {len(self.violations)} violations"]
