"""The commands and their arguments; what they do lies in the modules beside this one, imported when needed."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.clock import LOCAL, SystemClock
from services.chassis.engines import EngineFailed
from services.chassis.grid.audit_app import audit_app
from services.chassis.grid.exits import BUSY, FAILED
from services.chassis.grid.replay_app import replay_app
from services.chassis.supervisor.lock import AlreadyRunning
from services.chassis.supervisor.settings import CHECKOUT, BadSetting
from services.governance.cycle import Nature

HELP = """Runs the grid-governance pipeline of a street, and everything around it.

Exit codes: 0 done, 1 it failed and says why, 2 wrong arguments, 3 nothing runs here (or something runs already).
"""

app = typer.Typer(
    name="grid",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
topics_app = typer.Typer(help="The Kafka topics the services need.", no_args_is_help=True)
token_app = typer.Typer(help="Tokens for machines.", no_args_is_help=True)
rulebook_app = typer.Typer(help="The rulebook of a street: routes, limits, ladders.", no_args_is_help=True)
app.add_typer(topics_app, name="topics")
app.add_typer(token_app, name="token")
app.add_typer(rulebook_app, name="rulebook")
app.add_typer(replay_app, name="replay")
app.add_typer(audit_app, name="audit")

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def main() -> None:
    """The console script. Expected failures are one line and an exit code, never a traceback."""
    try:
        app(prog_name="grid")
    except AlreadyRunning as error:
        _tell(error)
        sys.exit(BUSY)
    except (EngineFailed, BadSetting) as error:
        _tell(error)
        sys.exit(FAILED)


@app.command()
def up(
    sample: Annotated[bool, typer.Option(help="Load the sample street 凤城街道.")] = True,
    once_ready: Annotated[
        str | None,
        typer.Option(metavar="CMD", help="When all is ready run this shell command, then stop with its exit code."),
    ] = None,
) -> None:
    """Start PostgreSQL, Kafka and the three services; stay in the foreground; Ctrl-C stops it all."""
    from services.chassis.grid.up import run_up

    run_up(sample=sample, once_ready=once_ready)


@app.command()
def stop(
    wait: Annotated[float, typer.Option(help="Seconds to wait for the end.")] = 60.0,
) -> None:
    """Stop the `grid up` that runs on this GRID_HOME."""
    from services.chassis.grid.running import stop_running

    raise typer.Exit(stop_running(wait))


@app.command()
def restart(
    parts: Annotated[
        list[str] | None, typer.Argument(help="Names or patterns such as 'dispatch-worker*'; default: every process.")
    ] = None,
) -> None:
    """Restart parts one after the other, each back at its work before the next one goes."""
    from services.chassis.grid.restart import run_restart

    raise typer.Exit(run_restart(parts or []))


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """What runs on this GRID_HOME."""
    from services.chassis.grid.running import show_status

    raise typer.Exit(show_status(as_json))


@app.command()
def doctor() -> None:
    """Say what is wrong with this machine and how to mend it."""
    from services.chassis.doctor import run_doctor

    raise typer.Exit(run_doctor())


@app.command()
def migrate(
    phase: Annotated[
        str | None,
        typer.Option(metavar="pre|post", help="pre before the new code starts, post when no old code is left."),
    ] = None,
) -> None:
    """Bring the database to what this code expects; without --phase both."""
    from services.chassis.grid.database import run_migrations

    raise typer.Exit(run_migrations(phase))


@topics_app.command("apply")
def topics_apply() -> None:
    """Create missing topics and set their options."""
    from services.chassis.grid.topics import run_apply

    raise typer.Exit(run_apply())


@topics_app.command("check")
def topics_check() -> None:
    """Compare Kafka's topics with what the code expects; exit 1 where they differ."""
    from services.chassis.grid.topics import run_check

    raise typer.Exit(run_check())


@topics_app.command("grow")
def topics_grow(
    partitions: Annotated[int, typer.Option(min=1, max=1000, help="How many each topic has afterwards.")],
) -> None:
    """Add partitions to the topics and wait until the workers read them; the order of every case stands."""
    from services.chassis.grid.topics import run_grow

    raise typer.Exit(run_grow(partitions))


@app.command()
def accounts(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """List the accounts with their posts; sample accounts with the sample's password."""
    from services.chassis.grid.identity import show_accounts

    raise typer.Exit(show_accounts(as_json))


@token_app.command("create")
def token_create(
    role: Annotated[str | None, typer.Option(help="A role id such as IC, AD, RO.")] = None,
    open311: Annotated[bool, typer.Option("--open311", help="A key for Open311 clients.")] = False,
    label: Annotated[str, typer.Option(help="What the token is for.")] = "",
    area: Annotated[str, typer.Option(help="Area code the role holds; empty: the whole street.")] = "",
    unit: Annotated[str | None, typer.Option(help="Unit the role acts for.")] = None,
) -> None:
    """Make a bearer token for a machine; it is shown this once."""
    from services.chassis.grid.identity import create_token_for

    if (role is None) is not open311:
        raise typer.BadParameter("give either --role or --open311")
    raise typer.Exit(create_token_for(role, label, area, unit))


@token_app.command("revoke")
def token_revoke(token_id: Annotated[str, typer.Argument(help="The id told when the token was made.")]) -> None:
    """End a machine's token; every service refuses it within five seconds."""
    from services.chassis.grid.identity import end_token

    raise typer.Exit(end_token(token_id))


SAMPLE_BOOK = CHECKOUT / "deploy" / "rulebooks" / "fengcheng.toml"


class Language(StrEnum):
    """In which words a command answers."""

    ZH = "zh-CN"
    EN = "en-US"


Lang = Annotated[Language, typer.Option("--lang", help="In which language to answer.")]
BookFile = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, show_default=False, help="A TOML file; default: the sample's.")
]
Calendars = Annotated[
    Path | None, typer.Option(exists=True, file_okay=False, help="Folder of calendars; default: beside the file.")
]


@rulebook_app.command("check")
def rulebook_check(file: BookFile = SAMPLE_BOOK, calendars: Calendars = None, lang: Lang = Language.ZH) -> None:
    """Check a rulebook: print what it is, or every fault with file, line, key and remedy."""
    from services.chassis.grid.rulebook import Files, check_rulebook

    raise typer.Exit(check_rulebook(Files(file, calendars, lang)))


@rulebook_app.command("explain")
def rulebook_explain(
    file: BookFile = SAMPLE_BOOK,
    category: Annotated[str | None, typer.Option(help="Category code, such as 0110.")] = None,
    condition: Annotated[
        str | None, typer.Option(help="Filing condition, by id or by number within the category; default: the first.")
    ] = None,
    cell: Annotated[str, typer.Option("--cell", "--area", help="Cell, grid or community code.")] = "",
    source: Annotated[str, typer.Option(help="Source of the report.")] = "grid_worker",
    nature: Annotated[Nature, typer.Option(help="What kind of wish it is.")] = Nature.COMPLAINT,
    danger: Annotated[bool, typer.Option("--danger", help="Danger was reported.")] = False,
    at: Annotated[
        datetime | None, typer.Option("--at", "--since", help="When the clocks start, Shanghai time; default: now.")
    ] = None,
    calendars: Calendars = None,
    as_json: Annotated[bool, typer.Option("--json", help="As data, for programs.")] = False,
    lang: Lang = Language.ZH,
) -> None:
    """Say which unit such a matter gets and why, why no other line, every limit with its due time, and the ladder."""
    from services.chassis.grid.rulebook import Files, explain_rulebook
    from services.chassis.grid.rulebook_answer import Question, spot_of

    start = at.replace(tzinfo=LOCAL).astimezone(UTC) if at is not None else SystemClock().now()
    question = Question(category, condition, spot_of(cell), source, nature, danger, start)
    raise typer.Exit(explain_rulebook(Files(file, calendars, lang), question, as_json=as_json))


@rulebook_app.command("what-if", context_settings=PASS_ON)
def rulebook_what_if(context: typer.Context) -> None:
    """Replay recorded cases through a changed rulebook: what would differ, on the terminal, as a page, as data."""
    from services.chassis.grid.whatif import run_whatif

    raise typer.Exit(run_whatif(context.args))


def _owned(name: str, service: str, verb: tuple[str, ...], text: str) -> None:
    """A command that a service owns: every argument, --help too, goes on to it."""

    def forward(context: typer.Context) -> None:
        from services.chassis.grid.owned import run_owned

        raise typer.Exit(run_owned(service, (*verb, *context.args)))

    forward.__doc__ = text
    app.command(name, context_settings=PASS_ON)(forward)


_owned("import", "intake", ("import",), "Import a file of cases, as history or with --clock now as new reports.")
_owned("partner", "intake", ("partner",), "Other authorities that hand matters over: add, list, rotate, remove.")
_owned("platform-sim", "escalation", ("platform-sim",), "A city platform to try things on: takes, checks, calls back.")
_owned(
    "calendar", "dispatch", ("calendar",), "The working calendar: load a year's notice, check one, show what is kept."
)
_owned("cells", "dispatch", ("cells",), "The street's cells: check a file, load it from a day on, show what holds.")
_owned("places", "dispatch", ("places",), "Named places: check or load a file of them.")
_owned("feed", "dispatch", ("feed",), "Play a believable stream of reports into the sample street.")
_owned("count", "dispatch", ("count",), "Count cases by street, category, unit; --csv for programs.")


def _tell(error: Exception) -> None:
    sys.stderr.write(f"grid: {error}\n")
