"""The commands of `grid`, as they describe themselves."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from typer.core import TyperCommand, TyperGroup

from printers.asked import asked
from printers.tables import table
from services.chassis.grid.command import app
from services.intake.imports.command import app as import_app

SHELL = ("feed", "count", "calendar", "what-if")
"""Commands of dispatch, whose parser is asked in a process of its own."""


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
    if name in SHELL:
        return asked("dispatch", name, "--help").replace(f"python -m services.dispatch {name}", path)
    if name == "import":
        return _help(path, typer.main.get_command(import_app))
    return _help(path, command)


def _help(path: str, command: TyperCommand | TyperGroup) -> str:
    return command.get_help(typer.Context(command, info_name=path, max_content_width=100, terminal_width=100))
