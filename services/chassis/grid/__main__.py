"""`python -m services.chassis.grid` is the `grid` command."""

from __future__ import annotations

from services.chassis.grid.command import main

main()
