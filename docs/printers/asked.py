"""What a service says about itself, asked in a process of its own, as people ask it."""

from __future__ import annotations

import subprocess
import sys


def asked(service: str, *words: str) -> str:
    """Standard output of `python -m services.<service> <words>`, with an environment that sets nothing of ours."""
    told = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", f"services.{service}", *words],
        env={"COLUMNS": "100", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout
