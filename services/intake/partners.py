"""`grid partner add|list|rotate|remove`: other authorities that hand matters over, and their secrets."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from schemas.api.push import OURS
from services.chassis.audit import Audited, Entry, by_hand, record
from services.chassis.db import Database, grid_now
from services.chassis.directory import DirectoryCache, UnknownRulebook
from services.chassis.serve import ExitCode
from services.chassis.settings import DatabaseSettings, HomeSettings
from services.chassis.terminal import not_there
from services.intake.store import Tx, partners
from services.intake.usecases.identity import vault_sealer
from services.intake.usecases.partners import new_secret
from services.intake.usecases.place import home_of
from services.intake.usecases.refusal import Refusal

T = TypeVar("T")
_NAME = re.compile(r"[a-z][a-z0-9_-]{1,30}")
_FOR_ADD = "platform for the city platform, hotline for 12345, or any other name in small letters."

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The partner's name, as in /api/v1/push/NAME.")]


class Stopped(Exception):
    """It cannot be done; the message says why and what to do."""


@app.command("add")
def add_partner(
    name: Annotated[str, typer.Argument(help=_FOR_ADD)],
    source: Annotated[str, typer.Option(help="What its reports count as: a source of the rulebook.")],
    scheme: Annotated[str, typer.Option(help="Scheme of its category codes where it names none.")] = "CJ/T 214",
    edition: Annotated[str, typer.Option(help="Edition of that scheme.")] = "2007",
) -> None:
    """Let another authority hand matters over; its secret is shown this once."""
    if not _NAME.fullmatch(name) or name == OURS:
        raise typer.BadParameter(f"{name!r}: 2 to 31 small letters, digits, _ and -, a letter first, not {OURS!r}")

    async def work(tx: Tx, db: Database) -> str:
        known = await _sources(tx, db)
        if source not in known:
            raise Stopped(f"the rulebook has no source {source!r}; it has {', '.join(sorted(known))}")
        shown, sealed = new_secret(name, vault_sealer(HomeSettings().home))
        if not await partners.add(tx, name, source, (scheme, edition), sealed):
            raise Stopped(f"there is a partner {name!r} already; 'grid partner rotate {name}' gives it a new secret")
        await record(tx, Entry(Audited.PARTNER_ADDED, by_hand(), name, details={"source": source}))
        return shown

    _show(name, _run(work))


@app.command("rotate")
def rotate_secret(name: Name) -> None:
    """Give a partner a new secret, shown this once; the old one is good for another day."""

    async def work(tx: Tx, _: Database) -> str:
        shown, sealed = new_secret(name, vault_sealer(HomeSettings().home))
        if not await partners.rotate(tx, name, sealed):
            raise Stopped(_unknown(name))
        await record(tx, Entry(Audited.PARTNER_SECRET_ROTATED, by_hand(), name))
        return shown

    _show(name, _run(work))


@app.command("remove")
def remove_partner(name: Name) -> None:
    """Take nothing from a partner any more; what it handed over stays."""

    async def work(tx: Tx, _: Database) -> None:
        if not await partners.remove(tx, name):
            raise Stopped(_unknown(name))
        await record(tx, Entry(Audited.PARTNER_REMOVED, by_hand(), name))

    _run(work)


@app.command("list")
def list_partners() -> None:
    """Who may hand matters over."""

    async def work(tx: Tx, _: Database) -> list[partners.Partner]:
        return await partners.every(tx)

    table = Table("name", "source", "categories", "since")
    for one in _run(work):
        table.add_row(one.name, one.source, f"{one.scheme} {one.edition}", f"{one.added_at:%Y-%m-%d}")
    Console(file=sys.stdout).print(table)


def run_partner(words: list[str]) -> int:
    """The command with its arguments; answers the exit code."""
    try:
        app(words, prog_name="grid partner")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.OK
    return ExitCode.OK


def _run(work: Callable[[Tx, Database], Awaitable[T]]) -> T:
    """`work` in a transaction of its own; a fault that is expected is one line."""

    async def inside() -> T:
        db = Database(DatabaseSettings(), "intake-partner")
        try:
            async with db.transaction() as tx:
                return await work(tx, db)
        finally:
            await db.close()

    try:
        return asyncio.run(inside())
    except Stopped as error:
        sys.stderr.write(f"grid partner: {error}\n")
        raise typer.Exit(ExitCode.FAILED) from None
    except Exception as error:
        told = not_there(error, HomeSettings().home)
        if told is None:
            raise
        sys.stderr.write(f"grid partner: {told}\n")
        raise typer.Exit(ExitCode.NOT_READY) from None


async def _sources(tx: Tx, db: Database) -> frozenset[str]:
    cache = DirectoryCache(db)
    directory = await cache.refresh()
    try:
        book = await cache.current_rulebook(home_of((), directory).street, await grid_now(tx))
    except (Refusal, UnknownRulebook):
        raise Stopped("no street with a rulebook is loaded yet: start the system once, or load a street") from None
    return frozenset(book.sources)


def _show(name: str, secret: str) -> None:
    """The secret alone on standard output, so that it can be piped to where it is kept."""
    sys.stderr.write(f"Secret of {name}, shown this once:\n")
    sys.stdout.write(f"{secret}\n")


def _unknown(name: str) -> str:
    return f"there is no partner {name!r}; 'grid partner list' shows who there is"
