"""`python -m services.intake serve|worker|relay|openapi|check|import|partner`."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable

from services.chassis.serve import ExitCode, Running, run
from services.chassis.settings import LogSettings
from services.chassis.telemetry import configure_logging

USAGE = "usage: python -m services.intake serve|worker|relay|openapi|check|import|partner\n"


def main(words: list[str]) -> int:
    """Run one process or command; answers the exit code."""
    verb, rest = (words[0], words[1:]) if words else ("", [])
    if verb == "import":
        from services.intake.imports.command import run_import  # an interactive command, not a service

        return run_import(rest)
    if verb == "partner":
        from services.intake.partners import run_partner

        return run_partner(rest)
    if verb == "openapi" and not rest:
        return _openapi()
    if verb == "check" and not rest:
        return _check()
    from services.intake import app

    builders: dict[str, Callable[[], Awaitable[Running]]] = {
        "serve": app.serve,
        "worker": app.worker,
        "relay": app.relay,
    }
    if verb not in builders or rest:
        sys.stderr.write(USAGE)
        return ExitCode.USAGE
    configure_logging(f"intake-{verb}", LogSettings().level)
    return run(builders[verb])


def _openapi() -> int:
    from services.intake.app import offline_app

    sys.stdout.write(json.dumps(offline_app().openapi(), ensure_ascii=False, indent=2, sort_keys=True) + "\n")
    return ExitCode.OK


def _check() -> int:
    """Everything imports and fits together; needs neither database nor broker."""
    from services.intake.app import offline_app

    routes = len(offline_app().routes)
    sys.stdout.write(f"intake: {routes} routes\n")
    return ExitCode.OK


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
