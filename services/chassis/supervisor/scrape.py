"""Where each part shows its metrics, and the list of these places that Prometheus reads.

Parts with a web server of their own show them there; the others (worker, relay, timers, sender) get a port each.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.chassis.supervisor.part import Part

HOST = "127.0.0.1"


def metrics_ports(names: Sequence[str], first: int | None) -> dict[str, int]:
    """A port for each name: counted up from `first`, or such as were free a moment ago."""
    if first is not None:
        return {name: first + n for n, name in enumerate(names)}
    probes = [socket.socket() for _ in names]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return {name: probe.getsockname()[1] for name, probe in zip(names, probes, strict=True)}
    finally:
        for probe in probes:
            probe.close()


def targets_file(home: Path) -> Path:
    """Where the list lies, in the form of Prometheus' `file_sd_configs`."""
    return home / "run" / "prometheus.json"


def port_behind(parts: Sequence[Part], first: int | None) -> int:
    """The supervisor's own port: the one after its parts', or one that was free a moment ago."""
    taken = sum(1 for part in parts if part.metrics is not None and part.port is None)
    return metrics_ports(["supervisor"], None if first is None else first + taken)["supervisor"]


def write_targets(home: Path, parts: Sequence[Part], own: int | None = None) -> None:
    """Replace the list at once, so that no reader sees half of it. `own` is the supervisor's port."""
    file = targets_file(home)
    file.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    targets = [_target(part.name, part.metrics) for part in parts if part.metrics]
    if own is not None:
        targets.append(_target("supervisor", own))
    fresh.write_text(json.dumps(targets, indent=1))
    os.replace(fresh, file)


def _target(name: str, port: int) -> Mapping[str, object]:
    return {"targets": [f"{HOST}:{port}"], "labels": {"part": name, "service": name.partition("-")[0]}}
