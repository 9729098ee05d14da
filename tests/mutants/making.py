"""What mutmut would change in a file, function by function, as code that can take the place of the original's."""

from __future__ import annotations
import __future__

import hashlib
import importlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from types import FunctionType, ModuleType

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import Mutation, create_mutations, deep_replace

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function. `was` and `now` are its lines before and after, blanks taken together."""

    path: str  # from the root of the project
    function: str  # with its class: 'Calendar.add'
    was: str
    now: str
    first_line: int  # of the function
    lines: range
    source: str

    @property
    def key(self) -> str:
        """The same as long as function and change are the same, wherever it stands in the file."""
        words = "\x1f".join((self.path, self.function, self.was, self.now))
        return hashlib.sha256(words.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A function that stands in a module or in a class of it."""

    name: str
    function: cst.FunctionDef
    holder: str | None

    @property
    def qualified(self) -> str:
        return f"{self.holder}.{self.name}" if self.holder else self.name

    def code(self, function: cst.FunctionDef) -> str:
        """The function alone, in its class where it has one."""
        alone = function.with_changes(leading_lines=(), lines_after_decorators=())
        if self.holder is None:
            return cst.Module(body=[alone]).code
        return cst.Module(body=[cst.ClassDef(cst.Name(self.holder), cst.IndentedBlock(body=[alone]))]).code


def mutants_of(path: Path) -> list[Mutant]:
    """Every change mutmut knows inside the functions of a file; what stands outside of functions is data."""
    module, mutations, _, _ = create_mutations(str(path), path.read_text("utf-8"))
    places = {place.function: place for place in _places(module)}
    spans = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    made = []
    for mutation in mutations:
        place = places.get(mutation.contained_by_top_level_function)  # type: ignore[arg-type]
        if place is not None:
            made.append(_mutant(path, place, mutation, spans))
    return list({mutant.key: mutant for mutant in made}.values())


def _places(module: cst.Module) -> Iterator[_Place]:
    for statement in module.body:
        if isinstance(statement, cst.FunctionDef):
            yield _Place(statement.name.value, statement, None)
        elif isinstance(statement, cst.ClassDef):
            for inner in statement.body.body:
                if isinstance(inner, cst.FunctionDef):
                    yield _Place(inner.name.value, inner, statement.name.value)


def _mutant(path: Path, place: _Place, mutation: Mutation, spans: object) -> Mutant:
    changed = deep_replace(place.function, mutation.original_node, mutation.mutated_node)
    assert isinstance(changed, cst.FunctionDef)
    after = place.code(changed)
    was, now = _difference(_lines_of(place), after.splitlines())
    span = spans.get(mutation.original_node) or spans[place.function]  # type: ignore[attr-defined,index]
    begins = spans[place.function].start.line  # type: ignore[index]
    lines = range(span.start.line, span.end.line + 1)
    return Mutant(str(path.relative_to(ROOT)), place.qualified, was, now, begins, lines, after)


@cache
def _lines_of(place: _Place) -> tuple[str, ...]:
    return tuple(place.code(place.function).splitlines())


def _difference(before: Sequence[str], after: Sequence[str]) -> tuple[str, str]:
    """What stands between the lines that both begin and end with."""
    same = list(takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    before, after = before[len(same) :], after[len(same) :]
    same = list(takewhile(lambda pair: pair[0] == pair[1], zip(reversed(before), reversed(after), strict=False)))
    return _joined(before[: len(before) - len(same)]), _joined(after[: len(after) - len(same)])


def _joined(lines: Iterable[str]) -> str:
    return " ".join(" ".join(lines).split())


# --- putting one in place --------------------------------------------------------------------------------------------
@cache
def module_of(path: str) -> ModuleType:
    """The module that a file of the project is, imported."""
    return importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def function_of(path: str, qualified: str) -> FunctionType:
    """The function that runs; a class' own, not one it inherits."""
    return _found(vars(module_of(path)), qualified.split("."))


def _found(names: object, parts: Sequence[str]) -> FunctionType:
    found = names[parts[0]]  # type: ignore[index]
    if len(parts) > 1:
        return _found(vars(found), parts[1:])
    if isinstance(found, staticmethod | classmethod):
        found = found.__func__
    if not isinstance(found, FunctionType):
        raise TypeError(f"{parts[0]} is not a function")
    return found


def put(mutant: Mutant) -> None:
    """From now on the changed function runs in this process, for everybody who holds the original."""
    original = function_of(mutant.path, mutant.function)
    names = dict(original.__globals__)
    compiled = compile(mutant.source, mutant.path, "exec", __future__.annotations.compiler_flag, dont_inherit=True)
    exec(compiled, names)
    changed = _found(names, mutant.function.split("."))
    original.__code__ = changed.__code__
    original.__defaults__, original.__kwdefaults__ = changed.__defaults__, changed.__kwdefaults__
