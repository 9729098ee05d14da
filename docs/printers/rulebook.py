"""Every key of a rulebook file: what may stand there, what counts where it is left out, what it means."""

from __future__ import annotations

import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from printers.tables import table
from schemas import rulebook_file as rows
from schemas.labels import Labels
from services.governance.worktime import Budget

MEANINGS = Path(__file__).parents[1] / "rulebook.toml"
# Table of the file → its heading and the rows' class.
PARTS: Mapping[str, tuple[str, type[BaseModel] | None]] = {
    "street": ("`[street]`", rows.StreetRow),
    "codes": ("`[codes]`", rows.CodesRow),
    "settings": ("`[settings]`", rows.SettingsRow),
    "machine": ("`[machine]`", None),
    "unit": ("`[units.<id>]`", rows.UnitRow),
    "source": ("`[[sources]]`", rows.SourceRow),
    "limit": ("`[limits.<clock>]`", rows.StageLimitRow),
    "condition": ("`[[categories.conditions]]`, `[[conditions]]`", rows.ConditionRow),
    "category": ("`[[categories]]`", rows.CategoryRow),
    "elsewhere": ("`[[categories.also]]`", rows.ElsewhereRow),
    "line": ("`[[catalogue]]`", rows.LineRow),
    "step": ("`[ladders.<clock>]`, each step", rows.StepRow),
    "checks": ("`[checks]`", rows.ChecksRow),
    "notify": ("`[notify]`", rows.NotifyRow),
}


class KeysDiffer(ValueError):
    """The schema and the meanings do not tell of the same keys."""


def page(zh: Labels, en: Labels) -> str:
    """Raises KeysDiffer."""
    meanings: dict[str, dict[str, str]] = tomllib.loads(MEANINGS.read_text("utf-8"))
    return "\n".join([*_head(), *(part for name in PARTS for part in _part(name, meanings)), *_faults(zh, en)])


def _head() -> Iterator[str]:
    yield "# The rulebook file"
    yield ""
    yield "One TOML file is one version; its name is the hash of its text. How to change one:"
    yield "[Write a rulebook](../how-to/write-a-rulebook.md). A time is written `4h` or `4小时` (working time),"
    yield "`30um` or `30紧急分钟` (by the clock), `5d` or `5天` (working days), `3nd` or `3自然日` (calendar days)."
    yield "Clocks, rules and posts are those of [the cycle](cycle.md) and the [glossary](../glossary.md)."
    yield ""
    yield "Beside these tables: `[limit_sets.<name>]` gives stage limits, by clock, that several conditions share;"
    yield '`[reasons."<move>"]` gives the reasons to choose from in a form (id = words, in their order) instead of the'
    yield "built-in list."
    yield ""


def _part(name: str, meanings: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    heading, model = PARTS[name]
    told = meanings.get(name, {})
    yield f"## {heading}"
    yield ""
    if model is None:
        yield table(("key", "meaning"), ((key, text) for key, text in told.items()))
        return
    if set(told) != set(model.model_fields):
        raise KeysDiffer(f"{MEANINGS.name} [{name}]: {sorted(set(told) ^ set(model.model_fields))}")
    fields = model.model_fields.items()
    lines = ((f"`{key}`", _kind(field.annotation), _default(field), told[key]) for key, field in fields)
    yield table(("key", "value", "left out", "meaning"), lines)


def _kind(annotation: Any) -> str:
    """What may stand there, as an author thinks of it."""
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _kind(inside[0])
    if origin in (typing.Union, types.UnionType):
        return _kind(next(part for part in inside if part is not type(None)))
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in inside)
    if origin in (tuple, list):
        return f"list of {_kind(inside[0])}"
    if origin is dict:
        return f"table: {_kind(inside[0])} = {_kind(inside[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation) if len(annotation) < 8 else annotation.__name__
    if annotation is Budget:
        return "time"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    return {str: "text", int: "number", bool: "`true` / `false`"}.get(
        annotation, getattr(annotation, "__name__", "text")
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "has to be there"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), "", {}):
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{getattr(each, 'value', each)}`" for each in value)
    return f"`{getattr(value, 'value', value)}`"


def _faults(zh: Labels, en: Labels) -> Iterator[str]:
    yield "## What is refused"
    yield ""
    yield "`grid rulebook check` tells every fault at once, each with file, line and key; what it speaks of stands here"
    yield "in braces."
    yield ""
    prefix = "rulebook.fault."
    chinese, english = zh.under(prefix), en.under(prefix)
    lines = ((f"`{key.removeprefix(prefix)}`", chinese[key], text) for key, text in sorted(english.items()))
    yield table(("fault", "中文", "English"), lines)
