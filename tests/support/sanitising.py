"""Runs the picture-making child over many files at the price of one start: each in a fork, confined like the real one.

Run as `python -m tests.support.sanitising FOLDER`: cleans every `*.in` there and prints a line of JSON for each.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import sys
import time
from pathlib import Path

from services.chassis.pictures.sanitise import main


def _child(source: Path) -> int:
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        code = main([str(source), str(source.with_suffix(".full")), str(source.with_suffix(".thumb"))])
    source.with_suffix(".said").write_text(told.getvalue())
    return code


def run(folder: Path) -> None:
    """One fork at a time; memory and time are the child's own."""
    for source in sorted(folder.glob("*.in")):
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            os._exit(_child(source))
        _, status, used = os.wait4(child, 0)
        said = source.with_suffix(".said")
        print(
            json.dumps(
                {
                    "name": source.stem,
                    "code": os.waitstatus_to_exitcode(status),
                    "said": said.read_text() if said.exists() else "",
                    "seconds": used.ru_utime + used.ru_stime,
                    "waited": time.monotonic() - began,
                    "megabytes": used.ru_maxrss / 1024,
                }
            )
        )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    run(Path(sys.argv[1]))
