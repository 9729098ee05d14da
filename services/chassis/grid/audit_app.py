"""The commands under `grid audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

audit_app = typer.Typer(help="The record of who did what.", no_args_is_help=True)


@audit_app.callback()
def _group() -> None:
    """One command is still a group: `grid audit verify`."""


@audit_app.command("verify")
def audit_verify(
    heads: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Keep the end of each chain in this file and compare with it next time."),
    ] = None,
) -> None:
    """Compute every chain of the record again; exit 1 where a row was changed or taken out."""
    from services.chassis.grid.audit import verify_record

    raise typer.Exit(verify_record(heads))
