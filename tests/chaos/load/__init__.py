"""People at work while things break: reporters with photos, operators, screens that follow the live feed."""

from __future__ import annotations

from tests.chaos.load.desks import Operator
from tests.chaos.load.reports import Writer
from tests.chaos.load.screens import Screen

__all__ = ["Operator", "Screen", "Writer"]
