"""Limits of the operating system that the supervisor sets for itself, and so for every part it starts."""

from __future__ import annotations

import resource
from typing import Final

OPEN_FILES: Final = 65_536


def set_limits() -> None:
    """Room for as many connections as the machine allows; no core files with people's words in them."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
