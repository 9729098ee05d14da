"""Reading the metrics of a running system as Prometheus does, from the list that `grid up` writes."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from services.chassis.supervisor.scrape import targets_file
from tests.support.promql import Store

JOB = "grid"


@dataclass(frozen=True, slots=True)
class Target:
    """One part and where it shows its metrics."""

    address: str
    labels: Mapping[str, str]


def targets(home: Path) -> list[Target]:
    """What the list in a GRID_HOME names."""
    entries = json.loads(targets_file(home).read_text("utf-8"))
    return [Target(address, entry["labels"]) for entry in entries for address in entry["targets"]]


def scrape(home: Path, store: Store) -> float:
    """Add what every part tells now; answers the moment. A part that does not answer is `up` 0."""
    now = time.time()
    for target in targets(home):
        own = {"job": JOB, "instance": target.address, **target.labels}
        try:
            text = httpx.get(f"http://{target.address}/metrics", timeout=30).raise_for_status().text
        except httpx.HTTPError:
            text = ""
        store.add("up", own, now, float(bool(text)))
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = {**own, **sample.labels}  # honor_labels: the part's own word wins
                store.add(sample.name, labels, now, sample.value)
    return now
