"""The commands of `grid`, as they describe themselves."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial

import typer
from typer.core import TyperCommand, TyperGroup

from printers.tables import table
from services.chassis.grid.command import app
from services.dispatch.__main__ import parsers
from services.escalation.simulator.command import app as simulator_app
from services.intake.imports.command import app as import_app
from services.intake.partners import app as partner_app

WIDTH = 100
DISPATCH = ("feed", "count", "calendar", "cells", "places", "what-if")
"""Commands that dispatch has."""
OWNED = {"import": import_app, "partner": partner_app, "platform-sim": simulator_app}


def page() -> str:
    """The overview, then each command's own words."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    leaves = list(_leaves(group, "grid"))
    rows = ((f"`{path}`", command.help.strip().splitlines()[0] if command.help else "") for path, command in leaves)
    parts = [
        "# Commands",
        "",
        "`grid` works on the `GRID_HOME` of its environment, or on `DATABASE_URL` and `KAFKA_URL` where they are",
        "set. In a checkout it is `.venv/bin/grid`. Exit codes: 0 done, 1 failed with the reason, 2 wrong arguments,",
        "3 nothing runs here or something runs already.",
        "",
        table(("command", "does"), rows),
    ]
    for path, command in leaves:
        parts += [f"## `{path}`", "", "```text", _words(path, command).rstrip(), "```", ""]
    return "\n".join(parts)


def _leaves(group: TyperGroup, path: str) -> Iterator[tuple[str, TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _leaves(command, f"{path} {name}")
        elif isinstance(command, TyperCommand):
            yield f"{path} {name}", command


def _words(path: str, command: TyperCommand) -> str:
    name = path.rpartition(" ")[2]
    if name in DISPATCH:
        return "\n".join(_spoken(parsers()[1][name]))
    own = OWNED.get(name)
    return _help(path, command if own is None else typer.main.get_command(own))


def _spoken(parser: argparse.ArgumentParser) -> Iterator[str]:
    """What `--help` says, of its verbs too."""
    parser.formatter_class = partial(argparse.HelpFormatter, width=WIDTH)  # type: ignore[assignment]
    yield parser.format_help()
    for action in parser._actions:  # noqa: SLF001 - argparse tells of verbs nowhere else
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for verb in action.choices.values():
                yield from _spoken(verb)


def _help(path: str, command: TyperCommand | TyperGroup) -> str:
    """What `--help` says, of its verbs too."""
    told = command.get_help(typer.Context(command, info_name=path, max_content_width=WIDTH, terminal_width=WIDTH))
    verbs = command.commands.items() if isinstance(command, TyperGroup) else ()
    return "\n\n".join([told, *(_help(f"{path} {name}", verb) for name, verb in verbs)])
