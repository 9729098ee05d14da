"""`python -m services.escalation serve|worker|relay|timers|deliver|openapi|check`."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable

from services.chassis.serve import ExitCode, Running, run
from services.chassis.settings import LogSettings
from services.chassis.telemetry import configure_logging

USAGE = "usage: python -m services.escalation serve|worker|relay|timers|deliver|openapi|check\n"


def main(words: list[str]) -> int:
    """Run one process or command; answers the exit code."""
    if words[:1] == ["platform-sim"]:
        from services.escalation.simulator.command import run_simulator  # a tool for demonstrations, not a service

        return run_simulator(words[1:])
    from services.escalation import app

    builders: dict[str, Callable[[], Awaitable[Running]]] = {
        "serve": app.serve,
        "worker": app.worker,
        "relay": app.relay,
        "timers": app.timers,
        "deliver": app.deliver,
    }
    verb = words[0] if len(words) == 1 else ""
    if verb == "openapi":
        sys.stdout.write(json.dumps(app.offline_app().openapi(), ensure_ascii=False, indent=2, sort_keys=True) + "\n")
        return ExitCode.OK
    if verb == "check":
        sys.stdout.write(f"escalation: {len(app.offline_app().routes)} routes\n")
        return ExitCode.OK
    if verb not in builders:
        sys.stderr.write(USAGE)
        return ExitCode.USAGE
    configure_logging(f"escalation-{verb}", LogSettings().level)
    return run(builders[verb])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
