"""`grid rulebook`: a rulebook file checked for faults, and what it says about one matter."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.labels import Labels
from schemas.rulebook import load_rulebook
from schemas.rulebook_faults import RulebookFileError
from services.chassis.grid.rulebook_answer import Answer, Answering, Question
from services.chassis.terminal import unreadable
from services.governance.errors import GovernanceError
from services.governance.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Files:
    """The rulebook's file and the folder of its calendars; the language of what is said about them."""

    rulebook: Path
    calendars: Path | None
    lang: str

    def load(self) -> Rulebook | None:
        """None where it has faults or cannot be read; each is told on stderr."""
        folder = self.calendars or self.rulebook.parent / "calendars"
        try:
            texts = {each.name: _text(each) for each in sorted(folder.glob("*.toml"))}
            return load_rulebook(_text(self.rulebook), texts, str(self.rulebook))
        except Unreadable as error:
            sys.stderr.write(f"grid: {error}\n")
            return None
        except RulebookFileError as error:
            for line in error.told(self.lang):
                sys.stderr.write(line + "\n")
            sys.stderr.write(Labels(self.lang).text("rulebook.faults", n=len(error.faults)) + "\n")
            return None


class Unreadable(Exception):
    """A file cannot be read; the words say which and why."""


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(unreadable(file, error)) from error


def check_rulebook(files: Files) -> int:
    """0 and one line about it, or 1 and every fault."""
    book = files.load()
    if book is None:
        return 1
    told = Labels(files.lang).text(
        "rulebook.ok",
        street=book.street.name,
        code=book.street.code,
        edition=book.edition,
        version=book.version,
        categories=len(book.categories),
        conditions=len(book.conditions),
        lines=len(book.catalogue),
        units=len(book.units),
    )
    sys.stdout.write(told + "\n")
    return 0


def explain_rulebook(files: Files, question: Question, *, as_json: bool) -> int:
    """Which unit and which limits, each with its reason; 1 where the rulebook does not know what was asked."""
    book = files.load()
    if book is None:
        return 1
    try:
        answer = Answering(book, files.lang).answer(question)
    except GovernanceError as error:
        detail = Labels(files.lang).text(f"problem.{error.code}")
        told = ", ".join(f"{key} {value}" for key, value in error.params.items())
        sys.stderr.write(f"grid: {detail} ({told})\n")
        return 1
    if as_json:
        sys.stdout.write(json.dumps(answer.as_data(), ensure_ascii=False, indent=1) + "\n")
    else:
        sys.stdout.writelines(line + "\n" for line in _told(answer, Labels(files.lang)))
    return 0


# --- for a terminal --------------------------------------------------------------------------------------------------
def _told(answer: Answer, labels: Labels) -> Iterator[str]:
    yield from _head(answer, labels)
    yield from _routes(answer, labels)
    yield ""
    yield labels.text("rulebook.explain.clocks", at=answer.at)
    yield from _table([[clock.label, clock.limit, clock.due or "—"] for clock in answer.clocks], indent=2)
    yield ""
    for clock in answer.clocks:
        if clock.due is None:
            continue
        yield f"{clock.label}: {clock.sentence}"
        moments = [[each.at, each.words, " ".join(each.told), _held(each.held_until, labels)] for each in clock.ladder]
        yield from _table(moments, indent=4)
    yield ""
    yield labels.text("rulebook.explain.machine")
    yield from (f"  {each}" for each in answer.machine or (labels.text("rulebook.explain.nothing"),))


def _head(answer: Answer, labels: Labels) -> Iterator[str]:
    matter = f"{answer.category or ''} {answer.category_name} · {answer.condition} {answer.condition_text}".strip()
    yield f"{labels.text('rulebook.explain.matter')}  {matter} · {labels.word('urgency', answer.urgency)} · {answer.at}"
    if answer.restricted:
        yield f"  {labels.text('rulebook.explain.restricted')}"


def _routes(answer: Answer, labels: Labels) -> Iterator[str]:
    if answer.line is None:
        yield f"{labels.text('rulebook.explain.route')}  {labels.text('rulebook.explain.no_rule')}"
    else:
        units = " + ".join((answer.lead_name, *answer.co_names))
        kind = labels.text(f"routing.{answer.basis}")
        yield f"{labels.text('rulebook.explain.route')}  {units}  ({kind} {answer.line}: {answer.basis_words})"
        yield f"  {labels.text('rulebook.explain.because')}: {' · '.join(answer.because)}"
    yield ""
    yield f"{labels.text('rulebook.explain.not_taken')} ({len(answer.not_taken)})"
    yield from _table([[each.line, each.unit, each.why] for each in answer.not_taken], indent=2)


def _held(until: str | None, labels: Labels) -> str:
    return labels.text("rulebook.explain.held", at=until) if until else ""


def _table(rows: Iterable[list[str]], *, indent: int) -> Iterator[str]:
    """Columns as wide as they are on a screen, where a Chinese character takes two places."""
    kept = [list(row) for row in rows]
    widths = [max(map(_width, column)) for column in zip(*kept, strict=True)]
    for row in kept:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        yield (" " * indent + "  ".join(cells)).rstrip()


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
