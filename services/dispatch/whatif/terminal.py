"""The answer on a terminal: the first screen, the largest differences side by side, the tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from schemas.labels import Labels
from services.dispatch.whatif.view import Bar, Listed, View

WIDTH = 110
"""Columns where the output is no terminal, so that a file is the same on every machine."""
_BLOCK = "█"
_LONGEST = 24


@contextmanager
def bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr; nothing where that is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, disable=not sys.stderr.isatty()
    ) as progress:
        task = progress.add_task(label, total=total)

        def told(done: int) -> None:
            progress.advance(task, done)

        yield told


def show(view: View, out: TextIO) -> None:
    """Print everything, in the order of reading."""
    console = Console(file=out, width=None if out.isatty() else WIDTH, highlight=False, emoji=False, markup=False)
    labels = Labels(view.lang)
    _first_screen(console, view)
    if view.listed:
        console.print(Text(labels.text("whatif.largest", n=len(view.listed)), style="bold"), end="\n\n")
    for number, one in enumerate(view.listed, 1):
        _listed(console, number, one, labels)
    if view.unlisted:
        console.print(view.unlisted, end="\n\n")
    _tables(console, view, labels)
    console.print(Text(labels.text("whatif.method"), style="dim"))


def _first_screen(console: Console, view: View) -> None:
    console.print(Text(f"{view.title} · {view.street}", style="bold"))
    for line in (view.rulebooks, view.period, view.cases):
        console.print(line)
    console.print()
    table = Table.grid(padding=(0, 3))
    table.add_column(justify="right", style="bold")
    for count in view.counts:
        table.add_row(count.value, count.label, Text(count.note, style="dim"))
    console.print(Padding(table, (0, 2)))
    console.print()
    if view.nothing:
        console.print(Text(view.nothing, style="bold green"), end="\n\n")


def _listed(console: Console, number: int, one: Listed, labels: Labels) -> None:
    console.print(Text(f"{number}. {one.case_no}  {one.matter}  {one.opened}", style="bold"))
    for line in filter(None, (" · ".join(one.changes), one.ended)):
        console.print(Padding(line, (0, 3)))
    table = Table(show_header=True, show_edge=False, expand=True, padding=(0, 1))
    table.add_column("", ratio=2, style="dim")
    table.add_column(labels.text("whatif.before"), ratio=7)
    table.add_column(labels.text("whatif.after"), ratio=7)
    for part in one.parts:
        table.add_row(part.label, "\n".join(part.before), "\n".join(part.after))
    console.print(Padding(table, (0, 3)))
    console.print()


def _tables(console: Console, view: View, labels: Labels) -> None:
    for key, bars in (("loads", view.loads), ("helping", view.helping), ("by_category", view.breaches)):
        if bars:
            _bars(console, labels.text(f"whatif.{key}"), bars, labels)
    if view.shifts:
        _histogram(console, labels, view.shifts)
    if view.clocks:
        _table(console, labels.text("whatif.clocks"), view.clocks)
    for key, counts in (("parted", view.parted), ("faults", view.faults)):
        if counts:
            rows = [("", labels.text("whatif.cases_n")), *((count.label, count.value) for count in counts)]
            _table(console, labels.text(f"whatif.{key}"), rows)


def _bars(console: Console, title: str, bars: Sequence[Bar], labels: Labels) -> None:
    heads = ("", labels.text("whatif.before"), labels.text("whatif.after"), "", "")
    rows = [(each.label, str(each.before), str(each.after), _change(each), each.note) for each in bars]
    _table(console, title, [heads, *rows])


def _histogram(console: Console, labels: Labels, shifts: Sequence[tuple[str, int]]) -> None:
    most = max(count for _, count in shifts)
    rows = [(label, str(count), _BLOCK * -(-count * _LONGEST // most)) for label, count in shifts]
    _table(console, labels.text("whatif.shifts"), [("", labels.text("whatif.shifts.hint"), ""), *rows], left=(0, 2))


def _table(console: Console, title: str, rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> None:
    """A header row and the rows; numbers to the right, those columns named in `left` to the left."""
    table = Table(title=title, title_justify="left", title_style="bold", show_edge=False)
    for number, head in enumerate(rows[0]):
        table.add_column(head, justify="left" if number in left else "right")
    for row in rows[1:]:
        table.add_row(*row)
    console.print(table)
    console.print()


def _change(each: Bar) -> str:
    return f"{each.after - each.before:+d}" if each.after != each.before else ""
