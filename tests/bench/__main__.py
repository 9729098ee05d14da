"""`python -m tests.bench [NAME …]`: all figures, or the named ones; writes bench/latest.json."""

from __future__ import annotations

import sys
import time

from tests.bench import intake, lists, notices, places, running, searches, streams, timers, webhooks, whatif
from tests.bench.result import LATEST, Result, keep

BENCHES = {
    "intake": intake.run,
    "streams": streams.run,
    "places": places.run,
    "search": searches.run,
    "lists": lists.run,
    "queue": running.run_queue,
    "consoles": running.run_consoles,
    "recovery": running.run_recovery,
    "recompute": running.run_recompute,
    "timers": timers.run,
    "notices": notices.run,
    "webhooks": webhooks.run,
    "whatif": whatif.run,
}


def main(names: list[str]) -> int:
    unknown = set(names) - set(BENCHES)
    if unknown:
        sys.stderr.write(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(BENCHES)}\n")
        return 2
    for name in names or BENCHES:
        began = time.monotonic()
        sys.stdout.write(f"{name} …\n")
        sys.stdout.flush()
        results: list[Result] = BENCHES[name]()
        keep(results)
        for result in results:
            sys.stdout.write(f"  {result.line()}\n")
        sys.stdout.write(f"  ({time.monotonic() - began:.0f} s)\n")
    sys.stdout.write(f"{LATEST}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
