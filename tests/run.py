"""Runs the test suite with a GRID_HOME of its own, so that it can run beside `make run`; removes it afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LONG = ["-m", "long or chaos"]
USUAL = ["-m", "not long and not chaos"]


def main(words: list[str]) -> int:
    """pytest's exit code. Unit tests share both cores; the rest follows the groups that its fixtures name."""
    selection = LONG if "--long" in words else USUAL
    home = Path(tempfile.mkdtemp(prefix="grid-test-"))
    home.chmod(0o711)  # an unprivileged database server has to pass through
    env = {**os.environ, "GRID_HOME": str(home), "TZ": "UTC"}
    for name in ("DATABASE_URL", "KAFKA_URL", "GRID_CONFIG"):
        env.pop(name, None)
    rest = [word for word in words if word != "--long"]
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadscope", *selection, *rest]
    try:
        return subprocess.run(command, env=env, check=False).returncode
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
