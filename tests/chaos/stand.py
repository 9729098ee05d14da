"""The running system that faults are done to."""

from __future__ import annotations

from tests.support.stand import CHECKOUT, PASSWORD, Stand, free_ports, start, wait_for

__all__ = ["CHECKOUT", "PASSWORD", "Stand", "free_ports", "start", "wait_for"]
