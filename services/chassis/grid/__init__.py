"""The `grid` command: starts and stops everything, and is the door to every service's own commands.

It imports no service: what a service owns runs as `python -m services.<service> <verb>` with the environment that
GRID_HOME gives it.
"""

from __future__ import annotations

from services.chassis.grid.command import main

__all__ = ["main"]
