"""Whether the tests notice: one forked process per mutant, in which the tests that run the changed line are called."""

from __future__ import annotations

import inspect
import os
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.mutants.making import ROOT, Mutant, function_of, put

CPU_SECONDS, TIMES = 1.0, 20
"""What a test may use, and how many times as long as with the original, before the mutant counts as one that does not
end."""
MEMORY = 2 << 30
EXAMPLES = 15
_SURVIVED, _KILLED = 0, 1


class Verdict(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    ENDLESS = "endless"  # noticed too: it used far more time than the original
    SURVIVED = "survived"
    UNTESTED = "untested"  # no test runs the line


@dataclass(frozen=True, slots=True)
class Check:
    """One test, ready to be called."""

    name: str
    call: Callable[[], object]


class Collector:
    """Takes pytest's own list of tests and its assertions, and calls `then` instead of running them."""

    def __init__(self, then: Callable[[list[Check]], None]) -> None:
        self._then = then

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._then([_check(item) for item in session.items if type(item) is pytest.Function])
        return True


def _check(item: pytest.Function) -> Check:
    given = dict(item.callspec.params) if hasattr(item, "callspec") else {}
    wanted = set(inspect.signature(item.function).parameters) - set(given)
    if wanted and not hasattr(item.function, "hypothesis"):
        raise TypeError(f"{item.nodeid} wants fixtures: {sorted(wanted)}; tests of the rules need none")
    _shorten(item.function)
    return Check(item.nodeid, lambda: item.function(**given))


def _shorten(function: Any) -> None:
    """A property is tried on the same few examples each time, and a failure is not made smaller."""
    if hasattr(function, "hypothesis"):
        function._hypothesis_internal_use_settings = settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )


# --- which test runs which line --------------------------------------------------------------------------------------
@dataclass
class Reached:
    """Lines of the rules and the tests that run them; functions that ran before any test did."""

    by_line: dict[tuple[str, int], set[int]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[int, float] = field(default_factory=dict)

    def by(self, mutant: Mutant) -> list[int]:
        """The tests for a mutant, quickest first. A line that leaves no trace (a folded constant) counts with its
        function."""
        found = self._on(mutant.path, mutant.lines)
        if not found:
            code = function_of(mutant.path, mutant.function).__code__
            found = self._on(mutant.path, sorted(_lines(code)))
        return sorted(found, key=lambda number: self.seconds[number])

    def _on(self, path: str, lines: Iterable[int]) -> set[int]:
        return set().union(*(self.by_line.get((path, line), set()) for line in lines))


def _lines(code: CodeType) -> Iterator[int]:
    yield from (line for _, _, line in code.co_lines() if line and line > code.co_firstlineno)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _lines(inner)


def watch(checks: Sequence[Check], paths: Iterable[str]) -> Reached:
    """Call every test once and note the lines it runs. Raises what a test raises: the originals must pass."""
    reached, files = Reached(), {str(ROOT / path): path for path in paths}
    for number, check in enumerate(checks):
        tracer = _tracer(files, reached.by_line, number)
        sys.settrace(tracer)
        try:
            check.call()
        finally:
            sys.settrace(None)
        began = time.process_time()
        check.call()
        reached.seconds[number] = time.process_time() - began
    return reached


def _tracer(files: Mapping[str, str], noted: dict[tuple[str, int], set[int]], number: int) -> Any:
    def line(frame: FrameType, event: str, _value: object) -> Any:
        if event == "line":
            noted[files[frame.f_code.co_filename], frame.f_lineno].add(number)
        return line

    def call(frame: FrameType, _event: str, _value: object) -> Any:
        return line if frame.f_code.co_filename in files else None

    return call


@contextmanager
def at_import(core: Path, noted: set[tuple[str, int]]) -> Iterator[None]:
    """Note the functions (file and first line) that the rules' own modules call while they are imported. They build
    tables, once; changing them afterwards changes nothing."""

    def call(frame: FrameType, _event: str, _value: object) -> None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(core) and frame.f_code.co_name != "<module>" and _importing(frame, core):
            noted.add((str(path.relative_to(ROOT)), frame.f_code.co_firstlineno))

    sys.settrace(call)
    try:
        yield
    finally:
        sys.settrace(None)


def _importing(frame: FrameType | None, core: Path) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "<module>" and Path(frame.f_code.co_filename).is_relative_to(core):
            return True
        frame = frame.f_back
    return False


# --- judging ---------------------------------------------------------------------------------------------------------
class Judge:
    """Judges mutants, several at a time; tests that have killed in a function are asked first there."""

    def __init__(self, checks: Sequence[Check], reached: Reached, at_once: int) -> None:
        self._checks, self._reached, self._at_once = checks, reached, at_once
        self._killers: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)

    def all(self, mutants: Iterable[Mutant], told: Callable[[Mutant, Verdict], None]) -> None:
        """Tell the verdict of each, in the order in which they end."""
        running: dict[int, tuple[Mutant, int]] = {}
        for mutant in mutants:
            asked = self._asked(mutant)
            if not asked:
                told(mutant, Verdict.UNTESTED)
                continue
            if len(running) >= self._at_once:
                self._one_ends(running, told)
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(reading)
                self._in_child(mutant, asked, writing)
            os.close(writing)
            running[child] = (mutant, reading)
        while running:
            self._one_ends(running, told)

    def _asked(self, mutant: Mutant) -> list[int]:
        killers = self._killers[mutant.path, mutant.function]
        return sorted(self._reached.by(mutant), key=lambda number: -killers[number])

    def _one_ends(self, running: dict[int, tuple[Mutant, int]], told: Callable[[Mutant, Verdict], None]) -> None:
        child, status = os.waitpid(-1, 0)
        mutant, reading = running.pop(child)
        with os.fdopen(reading, "rb") as pipe:
            killer = pipe.read()
        if killer:
            self._killers[mutant.path, mutant.function][int(killer)] += 1
        survived = os.WIFEXITED(status) and os.WEXITSTATUS(status) == _SURVIVED
        told(mutant, Verdict.SURVIVED if survived else Verdict.KILLED if os.WIFEXITED(status) else Verdict.ENDLESS)

    def _in_child(self, mutant: Mutant, asked: Sequence[int], writing: int) -> None:
        """Never returns: the exit code is the verdict. Time is processor time: a busy machine kills no mutant."""
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        code = _KILLED
        try:
            put(mutant)
            for number in asked:
                if self._fails(number):
                    os.write(writing, str(number).encode())
                    break
            else:
                code = _SURVIVED
        finally:
            os._exit(code)

    def _fails(self, number: int) -> bool:
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS + TIMES * self._reached.seconds[number])
        try:
            self._checks[number].call()
        except BaseException:  # noqa: BLE001 - pytest's own outcomes are no Exceptions
            return True
        return False
