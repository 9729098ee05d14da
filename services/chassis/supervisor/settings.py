"""The supervisor's configuration, read from the environment with the standard library alone: it must start at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
DEFAULT_PORTS = {"intake": 8001, "dispatch": 8002, "escalation": 8003}


def cache_folder(env: Mapping[str, str] = os.environ) -> Path:
    """Where downloads are shared between clones, tests and runs: GRID_CACHE, or a folder in the user's cache."""
    if env.get("GRID_CACHE"):
        return Path(env["GRID_CACHE"])
    if env.get("XDG_CACHE_HOME"):
        return Path(env["XDG_CACHE_HOME"]) / "grid-governance"
    return Path(env.get("HOME") or "/var/cache") / ".cache" / "grid-governance"


def home_folder(env: Mapping[str, str] = os.environ) -> Path:
    """GRID_HOME, by default `.grid/` in the checkout."""
    return Path(env.get("GRID_HOME") or CHECKOUT / ".grid").absolute()
