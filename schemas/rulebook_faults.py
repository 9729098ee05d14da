"""What is wrong in a rulebook or calendar file: where it stands, what it says, how to mend it, in both languages."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from schemas.labels import Labels
from schemas.toml_places import Path, line_of, places

_AT_LINE = re.compile(r"line (\d+)")
_ROUNDS = 4  # a row may hold a fault behind a fault
F = TypeVar("F", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `code` names its sentence in the labels (`rulebook.fault.<code>`), `values` are what it speaks of."""

    path: Path
    code: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlacedFault:
    """A fault with its line (from 1) and its path as a reader of the file calls it."""

    line: int
    key: str
    code: str
    values: Mapping[str, str]

    def told(self, labels: Labels) -> str:
        return labels.text(f"rulebook.fault.{self.code}", **self.values)


class RulebookFileError(ValueError):
    """A rulebook or calendar file that cannot be used; `faults` holds every fault found, by line."""

    def __init__(self, name: str, faults: Iterable[PlacedFault]) -> None:
        self.name = name
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line))
        super().__init__("\n".join(self.told("en-US")))

    def told(self, lang: str) -> tuple[str, ...]:
        """One line each: `file:line key: what is wrong and what to write instead`."""
        labels = Labels(lang)
        return tuple(f"{self.name}:{each.line} {each.key}: {each.told(labels)}" for each in self.faults)


class Document:
    """A TOML text that could be read, with the places of everything in it. Raises RulebookFileError."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        plain = text.removeprefix("\ufeff")
        try:
            self.raw: dict[str, Any] = tomllib.loads(plain)
        except tomllib.TOMLDecodeError as exc:
            at = _AT_LINE.search(str(exc))
            line = int(at[1]) if at else plain.count("\n") + 1
            raise RulebookFileError(name, [PlacedFault(line, "TOML", "toml", {"detail": str(exc)})]) from exc
        self._places = places(plain)

    def refused(self, faults: Iterable[Fault]) -> RulebookFileError:
        """The error that tells these faults, each once."""
        placed = [PlacedFault(line_of(self._places, x.path), self.key(x.path), x.code, x.values) for x in faults]
        return RulebookFileError(self.name, {(x.line, x.key, x.code): x for x in placed}.values())

    def key(self, path: Path) -> str:
        """`categories.0110.conditions.2.limit`: rows by their code or id, those of a class by number within it."""
        parts: list[str] = []
        here: Any = self.raw
        for step in path:
            here = _inside(here, step)
            parts.append(_row_name(here, step, parts) if isinstance(step, int) else step)
        return ".".join(parts) or "*"


def read_file(model: type[F], document: Document, look: Iterable[Callable[[F], Iterable[Fault]]] = ()) -> F:
    """The file as its model. `look` are functions model → faults, asked even where single fields are wrong, as far as
    those can be set aside. Raises RulebookFileError with everything found."""
    raw = copy.deepcopy(document.raw)
    faults: dict[Path, Fault] = {}
    read: F | None = None
    for _ in range(_ROUNDS):
        try:
            read = model.model_validate(raw)
            break
        except ValidationError as exc:
            errors = exc.errors(include_url=False)
            for each in errors:
                fault = _fault(each, model)
                faults.setdefault(fault.path, fault)
            if not all(_set_aside(raw, each) for each in errors):
                break
    found = list(faults.values())
    if read is not None:
        rest = (fault for ask in look for fault in ask(read))
        found += [fault for fault in rest if not _below(fault.path, faults)]
    if found or read is None:
        raise document.refused(found)
    return read


def _below(path: Path, known: Iterable[Path]) -> bool:
    """A fault of a place that is wrong already may only follow from what was put there instead."""
    return any(path[: len(each)] == each for each in known)


# --- single fields ---------------------------------------------------------------------------------------------------
_TYPES = {
    "bool": "true / false",
    "int": "123",
    "string": '"…"',
    "tuple": "[ … ]",
    "dict": "{ … }",
    "model": "[ table ]",
}


def _path(error: Any) -> Path:
    return tuple(step for step in error["loc"] if step != "[key]")


def _fault(error: Any, model: type[BaseModel]) -> Fault:
    """Pydantic's complaint as one of ours."""
    path, kind, value = _path(error), str(error["type"]), error["input"]
    context = error.get("ctx", {})
    last = str(path[-1]) if path else ""
    if kind == "missing":
        return Fault(path, "missing", {"field": last})
    if kind == "extra_forbidden":
        return Fault(path, "unknown_field", {"field": last, "close": _closest(last, _fields(model))})
    if kind in ("enum", "literal_error"):
        choices = re.findall(r"'([^']*)'", str(context["expected"]))
        return Fault(
            path, "choice", {"value": str(value), "close": _closest(str(value), choices), "all": _list(choices)}
        )
    if kind == "limit":
        return Fault(path, "limit", {"value": str(value)})
    if kind == "string_pattern_mismatch":
        return Fault(path, "pattern", {"value": str(value), "pattern": str(context["pattern"])})
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = context.get("ge", context.get("le"))
        return Fault(path, kind, {"value": str(value), "bound": str(bound)})
    if kind in ("too_short", "string_too_short", "too_long", "string_too_long"):
        return Fault(path, "length", {"field": last})
    if kind == "whole":
        listed = str(context["listed"])
        return Fault(path or _row_of(value, listed.split(", ")), str(context["code"]), {"listed": listed})
    wanted = next((shown for name, shown in _TYPES.items() if kind.startswith(name)), str(error["msg"]))
    return Fault(path, "type", {"value": str(value)[:60], "wanted": wanted})


def _row_of(raw: Any, named: Sequence[str]) -> Path:
    """The row that holds one of the values named, where a rule about the whole file speaks of some rows."""
    lists = ((key, row) for key, row in raw.items() if isinstance(row, list)) if isinstance(raw, dict) else ()
    for key, rows in lists:
        for n, row in enumerate(rows):
            if isinstance(row, dict) and any(str(value) in named for value in row.values()):
                return (key, n)
    return ()


def _set_aside(raw: Any, error: Any) -> bool:
    """Put something harmless where the fault is, so that the rest can be looked at. False where that is not known."""
    *way, last = error["loc"] or (None,)
    wrong_key = last == "[key]"
    if wrong_key:
        *way, last = way
    here = raw
    for step in way:
        here = _inside(here, step)
    kind = str(error["type"])
    if last is None or not isinstance(here, dict | list):
        return False
    if wrong_key or kind == "extra_forbidden":
        here.pop(last)
    elif kind == "limit" or (kind == "missing" and last in _HARMLESS):
        here[last] = _HARMLESS.get(str(last), "1h")
    elif kind in ("enum", "literal_error"):
        here[last] = re.findall(r"'([^']*)'", str(error["ctx"]["expected"]))[0]
    elif kind in ("bool_type", "bool_parsing"):
        here[last] = False
    elif kind in ("greater_than_equal", "less_than_equal"):
        here[last] = next(iter(error["ctx"].values()))
    else:
        return False
    return True


_HARMLESS = {"limit": "1h", "text": "…", "close": "…", "name": "…", "basis": "…", "wall": "1uh", "other": "1h"}


def _fields(model: type[BaseModel]) -> set[str]:
    """Every field name of the file's rows."""
    seen: set[type[BaseModel]] = set()

    def walk(cls: type[BaseModel]) -> Iterator[str]:
        seen.add(cls)
        for name, info in cls.model_fields.items():
            yield name
            for inner in _models(info.annotation):
                if inner not in seen:
                    yield from walk(inner)

    return set(walk(model))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models(part)


def _closest(word: str, known: Iterable[str]) -> str:
    return next(iter(get_close_matches(word, sorted(known), 1, 0.5)), "—")


def _list(words: Sequence[str]) -> str:
    return ", ".join(words)


# --- names of places -------------------------------------------------------------------------------------------------
def _inside(here: Any, step: str | int | None) -> Any:
    try:
        return here[step]
    except (KeyError, IndexError, TypeError):
        return None


def _row_name(row: Any, number: int, above: Sequence[str]) -> str:
    """What a row is called: by its code or id; a condition of a class by what follows the class's code."""
    named = next((str(row[key]) for key in ("code", "id", "on") if isinstance(row, dict) and key in row), None)
    if named is None:
        return str(number + 1)
    parent = above[-2] if len(above) > 1 else ""
    return named.removeprefix(f"{parent}.") if parent else named
