"""The words of `what-if`; what it does is read only when it is asked for, so that no other process carries it."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from schemas.labels import LANGUAGES
from services.chassis.clock import LOCAL
from services.dispatch.usecases.ground import Ground


def whatif_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `what-if`."""
    parser.add_argument("file", type=Path, metavar="NEW.toml", help="the changed rulebook")
    parser.add_argument(
        "--since", type=moment, required=True, metavar="DATE", help="cases reported from then on, Shanghai time"
    )
    parser.add_argument(
        "--until", type=moment, metavar="DATE", help="and before then; what happened later is not looked at"
    )
    parser.add_argument("--street", metavar="CODE", help="code of the street; default: the one in the file")
    parser.add_argument(
        "--calendars", type=Path, metavar="DIR", help="other days too; default: the days there were at the time"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as data")
    parser.add_argument("--limit-listed", type=_count, default=10, metavar="N", help="list so many cases (default 10)")
    parser.add_argument("--lang", choices=LANGUAGES, default=LANGUAGES[0], help="in which language to answer")


def moment(text: str) -> datetime:
    """A day or a moment of the street's wall clock, or one with an offset. Raises what argparse understands."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-10-01 or 2026-10-01T08:00") from error
    return (at if at.tzinfo is not None else at.replace(tzinfo=LOCAL)).astimezone(UTC)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0")
    return int(text)


async def _run(base: Ground, asked: argparse.Namespace) -> int:
    from services.dispatch.whatif.command import run_whatif

    return await run_whatif(base, asked)


WHATIF_COMMANDS: dict[str, Callable[[Ground, argparse.Namespace], Awaitable[int]]] = {"what-if": _run}
WHATIF_ARGUMENTS: Sequence[tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = (
    ("what-if", "say what would differ if these were the rules: recorded cases, lived again", whatif_arguments),
)
