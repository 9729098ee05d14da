"""The commands under `grid replay`; what they do lies in `replay` and `waiting`, imported when needed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer

from services.chassis.clock import LOCAL

if TYPE_CHECKING:
    from services.chassis.streams.sought import Sought

SERVICES = ("intake", "dispatch", "escalation")

replay_app = typer.Typer(help="Events put aside: dead letters, held events, keys that wait.", no_args_is_help=True)
Name = Literal["intake", "dispatch", "escalation"]
Service = Annotated[Name, typer.Argument(help="Whose inbox.")]
Key = Annotated[str | None, typer.Option(help="Only this key: a case or report id.")]
Topic = Annotated[str | None, typer.Option(help="Only this topic.")]
Reason = Annotated[str | None, typer.Option(help="Held: gap, unknown or replay. Dead letters: part of the error.")]
Since = Annotated[datetime | None, typer.Option(help="Put aside from then on, Shanghai time.")]
Until = Annotated[datetime | None, typer.Option(help="Put aside before then, Shanghai time.")]
All = Annotated[bool, typer.Option("--all", help="Really all.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


@replay_app.command("list")
def replay_list(
    service: Annotated[Name | None, typer.Argument(help="Whose inbox; all three without.")] = None,
    key: Key = None,
    topic: Topic = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="So many of each at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List dead letters and held events with reason, age, key and place."""
    from services.chassis.grid.waiting import list_all

    services = SERVICES if service is None else (service,)
    raise typer.Exit(list_all(services, _sought(key, topic, reason, since, until), limit, as_json=as_json))


@replay_app.command("show")
def replay_show(
    service: Annotated[Name | None, typer.Argument(help="Whose inbox.")] = None,
    what: Annotated[str | None, typer.Argument(help="A dead letter's number or a held event's id.")] = None,
) -> None:
    """Show one dead letter or held event whole; without arguments dead letters and blocked keys of all services."""
    from services.chassis.grid.waiting import show, show_one

    if service is None:
        raise typer.Exit(show())
    if what is None or not (what.isdigit() or _is_id(what)):
        raise typer.BadParameter("give a dead letter's number or a held event's id")
    raise typer.Exit(show_one(service, what))


@replay_app.command("letter")
def replay_letter(
    service: Service,
    number: Annotated[int, typer.Argument(help="The dead letter's number.")],
    body: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A corrected body.")] = None,
) -> None:
    """Put a dead letter back; it is applied when its key's turn comes."""
    from services.chassis.grid.replay import put_back

    raise typer.Exit(put_back(service, number, body))


@replay_app.command("letters")
def replay_letters(
    service: Service,
    key: Key = None,
    topic: Topic = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    everything: All = False,
    dry: Dry = False,
) -> None:
    """Put back many dead letters, each key's in order."""
    from services.chassis.grid.replay import put_back_all

    which = _narrowed(_sought(key, topic, reason, since, until), everything)
    raise typer.Exit(put_back_all(service, which, dry=dry))


@replay_app.command("give-up")
def replay_give_up(
    service: Service,
    number: Annotated[int, typer.Argument(help="The dead letter's number.")],
    why: Annotated[str, typer.Option(help="Why; it is kept.")],
) -> None:
    """Let a key go on without its dead letter."""
    from services.chassis.grid.replay import give_up

    raise typer.Exit(give_up(service, number, why))


@replay_app.command("discard")
def replay_discard(
    service: Service,
    why: Annotated[str, typer.Option(help="Why; it is kept.")],
    event: Annotated[UUID | None, typer.Argument(help="The held event's id.")] = None,
    key: Key = None,
    topic: Topic = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    everything: All = False,
    dry: Dry = False,
) -> None:
    """Let keys go on without dead letters and held events, as far as it is their turn; the events are kept."""
    from dataclasses import replace

    from services.chassis.grid.replay import discard

    which = replace(_sought(key, topic, reason, since, until), event=event)
    raise typer.Exit(discard(service, _narrowed(which, everything), why, dry=dry))


@replay_app.command("pass-over")
def replay_pass_over(
    service: Service,
    source: Annotated[str, typer.Argument(help="Who published, such as grid/dispatch.")],
    topic: Annotated[str, typer.Argument()],
    key: Annotated[str, typer.Argument(help="Case or report id.")],
    number: Annotated[int, typer.Argument(min=1, help="The last number that will never come.")],
) -> None:
    """Let a key go on where events are lost beyond repair."""
    from services.chassis.grid.replay import go_past

    raise typer.Exit(go_past(service, (source, topic, key), number))


@replay_app.command("missing")
def replay_missing(
    service: Service,
    key: Key = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    everything: All = False,
) -> None:
    """Have what blocked keys wait for sent again by its producer, without waiting for the relay's own look."""
    from services.chassis.grid.replay import fetch_missing

    raise typer.Exit(fetch_missing(service, _narrowed(_sought(key, topic, None, since, until), everything)))


@replay_app.command("outbox")
def replay_outbox(
    service: Annotated[Name, typer.Argument(help="Whose outbox.")],
    start: Annotated[datetime, typer.Option("--from", help="Written from then on, Shanghai time.")],
    end: Annotated[datetime, typer.Option("--to", help="Written before then, Shanghai time.")],
    key: Key = None,
    topic: Topic = None,
    dry: Dry = False,
) -> None:
    """Send a range of what a service has published again; whoever has it already drops it."""
    from services.chassis.grid.replay import send_again
    from services.chassis.outbox.byhand import Range

    wanted = Range(start.replace(tzinfo=LOCAL), end.replace(tzinfo=LOCAL), topic, key)
    raise typer.Exit(send_again(service, wanted, dry=dry))


def _sought(
    key: str | None, topic: str | None, reason: str | None, since: datetime | None, until: datetime | None
) -> Sought:
    from services.chassis.streams.sought import Sought

    begin, end = (None if at is None else at.replace(tzinfo=LOCAL) for at in (since, until))
    return Sought(key, topic, reason, begin, end)


def _narrowed(which: Sought, everything: bool) -> Sought:
    """Nobody does it to all by leaving something out."""
    if which.anything is not everything:
        raise typer.BadParameter("say which (--key, --topic, --reason, --since, --until) or --all")
    return which


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
