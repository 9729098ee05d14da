"""A process of a service as `python -m services.<name> <verb>` runs it, with a safeguard taken out or with none:
`python -m tests.chaos.mutations.process <mutation or -> <file of the fault> <module> <verb>`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from tests.chaos.mutations.mutants import MUTANTS, fail_once


def main() -> None:
    _, mutation, fault, module, verb = sys.argv
    if mutation != "-":
        MUTANTS[mutation]()
    fail_once(Path(fault))
    sys.argv = [module, verb]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
