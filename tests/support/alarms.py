"""Alarm rules as Prometheus reads them, and tests of them in promtool's form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import promql_parser as parser
import yaml

from tests.support.promql import Labels, Store, evaluate

PROMETHEUS: Final = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
_VALUES: Final = re.compile(r"(-?[\d.]+(?:e\d+)?)(?:([+-][\d.]+))?(?:x(\d+))?")


@dataclass(frozen=True, slots=True)
class Alarm:
    """One rule."""

    name: str
    expression: str
    wait_s: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def alarms(file: Path) -> list[Alarm]:
    """The rules of a file."""
    groups = yaml.safe_load(file.read_text("utf-8"))["groups"]
    return [
        Alarm(rule["alert"], rule["expr"], seconds(rule.get("for", "0s")), rule["labels"], rule["annotations"])
        for group in groups
        for rule in group["rules"]
    ]


def every_alarm() -> list[Alarm]:
    """All of them."""
    return [alarm for file in sorted((PROMETHEUS / "rules").glob("*.yml")) for alarm in alarms(file)]


def seconds(duration: str) -> float:
    """5m → 300."""
    return 0.0 if duration == "0s" else float(parser.parse_duration(duration).total_seconds())


@dataclass(frozen=True, slots=True)
class Trial:
    """One entry of a test file."""

    name: str
    interval_s: float
    step_s: float
    rules: Sequence[Alarm]
    series: Sequence[Mapping[str, str]]
    asked: Sequence[Mapping[str, Any]]

    def store(self) -> Store:
        """The series of the trial."""
        made = Store()
        for one in self.series:
            name, labels = read_series(one["series"])
            for n, value in enumerate(read_values(one["values"])):
                if value is not None:
                    made.add(name, labels, n * self.interval_s, value)
        return made

    def run(self) -> Iterator[tuple[Mapping[str, Any], set[Labels], set[Labels]]]:
        """Each question with the alarms expected and those found firing."""
        store, since, firing = self.store(), dict[tuple[str, Labels], float](), dict[float, set[Labels]]()
        last, steps = max(seconds(each["eval_time"]) for each in self.asked), 0
        while steps * self.step_s <= last:
            at = steps * self.step_s
            firing[at] = {labels for rule in self.rules for labels in _firing(rule, store, at, since)}
            steps += 1
        for each in self.asked:
            (selector,) = [read_series(each["expr"])[1]]
            wanted = frozenset(selector.items())
            found = {labels for labels in firing[seconds(each["eval_time"])] if wanted <= labels}
            yield each, {frozenset(read_series(s["labels"])[1].items()) for s in each.get("exp_samples", ())}, found


def trials(file: Path) -> list[Trial]:
    """The entries of a test file."""
    read = yaml.safe_load(file.read_text("utf-8"))
    rules = [alarm for name in read["rule_files"] for alarm in alarms(file.parent / name)]
    return [
        Trial(
            each["name"],
            seconds(each["interval"]),
            seconds(read["evaluation_interval"]),
            rules,
            each["input_series"],
            each["promql_expr_test"],
        )
        for each in read["tests"]
    ]


def _firing(rule: Alarm, store: Store, at: float, since: dict[tuple[str, Labels], float]) -> Iterator[Labels]:
    """`since` remembers from when on each has held, and forgets what does not hold any more."""
    active = {frozenset(p for p in labels if p[0] != "__name__") for labels in evaluate(rule.expression, store, at)}
    for key in [key for key in since if key[0] == rule.name and key[1] not in active]:
        del since[key]
    for labels in active:
        if at - since.setdefault((rule.name, labels), at) >= rule.wait_s:
            told = {**dict(labels), **rule.labels, "alertname": rule.name, "alertstate": "firing"}
            yield frozenset(told.items())


def read_series(text: str) -> tuple[str, dict[str, str]]:
    """`name{label="value"}`."""
    selector = parser.parse(text)
    return selector.name, {each.name: each.value for each in selector.matchers.matchers}


def read_values(text: str) -> Iterator[float | None]:
    """promtool's shorthand: `1 2`, `1x3` (four times 1), `1+2x3` (1 3 5 7), `_` for none. Raises ValueError."""
    for word in text.split():
        if word == "_":
            yield None
            continue
        found = _VALUES.fullmatch(word)
        if found is None:
            raise ValueError(f"{word!r} is no value")
        start, step, times = float(found[1]), float(found[2] or 0), int(found[3] or 0)
        yield from (start + n * step for n in range(times + 1))
