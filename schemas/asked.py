"""What the rules were asked, as it is kept beside the facts that followed: enough to ask them again.

A fact says what happened; why it could happen also lies in who asked, what he filled in and what was around the case
at that moment. Words that people typed are not kept here, only that there were some.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, get_args

import orjson
from pydantic import TypeAdapter

from services.governance.acts import Act, Around, Command, OpenCase, Recompute

TYPED = "…"
"""Stands for whatever somebody typed."""


@dataclass(frozen=True, slots=True)
class NewDays:
    """Stands for a change of the calendar: from the revision `before` to the one the question was answered with."""

    before: str


Kept = Command | NewDays


@dataclass(frozen=True, slots=True)
class Asked:
    """One question put to the rules at `now`. `command` None: the opening, which the first fact holds whole.

    `calendar` is the revision of the days it was answered with; '' where an earlier version did not keep it.
    """

    now: datetime
    command: Kept | None
    around: Around
    calendar: str = ""


def dump_asked(asked: Asked, *, opens: bool) -> bytes:
    """The stored form; what has its ordinary value is left out."""
    command = asked.command
    stored: dict[str, Any] = {"now": asked.now, "calendar": asked.calendar}
    if command is not None and not (opens and isinstance(command, OpenCase)):
        plain = _plain(command)
        stored["command"] = [type(plain).__name__, _lean(plain)]
    around = _lean(asked.around)
    if around:
        stored["around"] = around
    return orjson.dumps(stored, default=sorted)


def load_asked(raw: bytes) -> Asked:
    """The question as it was dumped. Raises pydantic's ValidationError or KeyError on what no version wrote."""
    stored: dict[str, Any] = orjson.loads(raw)
    tagged = stored.get("command")
    return Asked(
        now=datetime.fromisoformat(stored["now"]),
        command=_command(tagged[0]).validate_python(tagged[1]) if tagged is not None else None,
        around=_around().validate_python(stored.get("around", {})),
        calendar=stored["calendar"],
    )


def _plain(command: Kept) -> Kept:
    """Without words that people typed, and without whole calendars."""
    if isinstance(command, Recompute):
        return NewDays(command.change.before.revision)
    if isinstance(command, Act) and command.inputs.note:
        return replace(command, inputs=replace(command.inputs, note=TYPED))
    return command


def _lean(value: Any) -> Any:
    """A value with only those fields that say something."""
    if is_dataclass(value) and not isinstance(value, type):
        told = ((each.name, getattr(value, each.name), _ordinary(each)) for each in fields(value))
        return {name: _lean(held) for name, held, ordinary in told if held != ordinary}
    if isinstance(value, tuple | list):
        return [_lean(each) for each in value]
    if isinstance(value, dict):
        return {key: _lean(each) for key, each in value.items()}
    return value


def _ordinary(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else MISSING


@cache
def _command(name: str) -> TypeAdapter[Kept]:
    return TypeAdapter(next(cls for cls in get_args(Kept) if cls.__name__ == name))


@cache
def _around() -> TypeAdapter[Around]:
    return TypeAdapter(Around)
