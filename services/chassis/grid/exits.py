"""Exit codes of `grid`, as its help tells them."""

from __future__ import annotations

from typing import Final

FAILED: Final = 1
USAGE: Final = 2
NOT_RUNNING: Final = 3
"""Nothing runs here, or what a process of a service needs is missing."""
BUSY: Final = 3
"""Something runs already."""
