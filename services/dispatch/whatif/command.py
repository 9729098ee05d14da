"""`grid rulebook what-if`: the comparison from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.labels import Labels
from schemas.rulebook import load_rulebook
from schemas.rulebook_faults import RulebookFileError
from services.chassis.asgi.probes import Missing, schema_check
from services.chassis.db import grid_now, is_transient
from services.chassis.serve import ExitCode
from services.dispatch.store.recorded import Period, calendar_states, select_cases
from services.dispatch.tables import SCHEMA
from services.dispatch.usecases.ground import Ground
from services.dispatch.usecases.words import Words
from services.dispatch.whatif.data import as_data
from services.dispatch.whatif.explain import Part, explain_pair
from services.dispatch.whatif.figures import Figures, figures_of
from services.dispatch.whatif.gather import Span, compare_again, compare_all, shelf_of, span_of
from services.dispatch.whatif.library import Shelf, library_of
from services.dispatch.whatif.model import Compared
from services.dispatch.whatif.page import page
from services.dispatch.whatif.terminal import bar, show
from services.dispatch.whatif.view import Question, View, Writer
from services.governance.rulebook import Rulebook

NEEDED_REVISION = "0005"  # from then on questions are kept


class CannotAsk(Exception):
    """The question cannot be asked; the words say what to mend."""


async def run_whatif(base: Ground, asked: argparse.Namespace) -> int:
    """Compare, tell, write. 0 also where nothing differs; 1 where the rulebook or the database does not serve."""
    try:
        text, days = _read(asked.file), _days(asked.calendars)
        changed = _load(asked.file, text, days)
        _writable(asked.html, asked.json)
        answer = await _answer(base, asked, _Changed(text, days, changed))
    except RulebookFileError as error:
        sys.stderr.writelines(f"{line}\n" for line in error.told(asked.lang))
        return ExitCode.FAILED
    except CannotAsk as error:
        sys.stderr.write(f"grid: {error}\n")
        return ExitCode.FAILED
    show(answer.view, sys.stdout)
    if asked.html is not None:
        asked.html.write_text(page(answer.view), "utf-8")
    if asked.json is not None:
        asked.json.write_text(as_data(answer.question, answer.figures, answer.all, answer.view), "utf-8")
    return ExitCode.OK


@dataclass(frozen=True, slots=True)
class _Changed:
    """The rulebook in question: its text, other days if any, and what was read (None where days come from the base)."""

    text: str
    days: Mapping[str, str] | None
    book: Rulebook | None


@dataclass(frozen=True, slots=True)
class _Answered:
    question: Question
    figures: Figures
    all: Sequence[Compared]
    view: View


async def _answer(base: Ground, asked: argparse.Namespace, changed: _Changed) -> _Answered:
    await _reach(base)
    directory = await base.directory.refresh()
    calendars = await _newest_days(base) if changed.days is None else changed.days
    book = changed.book or load_rulebook(changed.text, calendars, str(asked.file))
    period = await _period(base, asked, book)
    shelf = await shelf_of(base.db, period.street, changed.text, str(asked.file), changed.days)
    if not shelf.versions:
        raise CannotAsk(f"{asked.file}: street.code {period.street}: this database holds no such street")
    async with base.db.reading() as tx:
        span = span_of(await select_cases(tx, period), period)
    words = Words(Labels(asked.lang), directory)
    with bar(words.labels.text("whatif.comparing"), len(span.case_ids)) as told:
        answers = await compare_all(base.db, span, shelf, told)
    figures = figures_of(answers, asked.limit_listed)
    question = Question(book, asked.file.name, _own(shelf, answers), period.since, span.end)
    listed = [(one, await _explained(base, one, shelf, span, words)) for one in figures.listed]
    return _Answered(question, figures, answers, Writer(question, figures, words).view(listed))


async def _explained(base: Ground, one: Compared, shelf: Shelf, span: Span, words: Words) -> tuple[Part, ...]:
    again, pair, record = await compare_again(base.db, one.case_id, shelf, span.end)
    if pair is None:
        return ()
    library, calendar = library_of(shelf), record.asks[-1].calendar
    books = library.own(record.rulebook)(calendar), library.changed(calendar)
    return explain_pair(again, pair, books, words)


async def _period(base: Ground, asked: argparse.Namespace, book: Rulebook) -> Period:
    if asked.street is not None and asked.street != book.street.code:
        raise CannotAsk(f"{asked.file}: street.code is {book.street.code}, --street says {asked.street}")
    if asked.until is not None and asked.until <= asked.since:
        raise CannotAsk("--until must be after --since")
    async with base.db.reading() as tx:
        now = await grid_now(tx)
    if asked.until is not None and asked.until > now:
        raise CannotAsk("--until lies in the future: what has not happened cannot be compared")
    return Period(book.street.code, asked.since, asked.until)


def _own(shelf: Shelf, answers: Sequence[Compared]) -> tuple[tuple[str, int], ...]:
    """The versions that the cases keep, by the names people have for them."""
    counted = Counter(one.rulebook for one in answers)
    library, known = library_of(shelf), dict(shelf.versions)
    named = ((library.newest(v).edition or v if v in known else v, n) for v, n in sorted(counted.items()))
    return tuple(sorted(named))


async def _reach(base: Ground) -> None:
    """Raises CannotAsk where no database answers, or one of before questions were kept."""
    try:
        await schema_check(base.db, SCHEMA, NEEDED_REVISION).probe()
    except Missing as error:
        raise CannotAsk(str(error)) from error
    except Exception as error:
        if not is_transient(error):
            raise
        raise CannotAsk(f"the database does not answer: {str(error).splitlines()[0]}") from error


# --- files -----------------------------------------------------------------------------------------------------------
def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CannotAsk(f"{file}: {_why(error)}") from error


def _days(folder: Path | None) -> dict[str, str] | None:
    if folder is None:
        return None
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise CannotAsk(f"{folder}: no calendar (*.toml) in this folder")
    return {file.name: _read(file) for file in files}


def _load(file: Path, text: str, days: Mapping[str, str] | None) -> Rulebook | None:
    """Read at once where its days are at hand, so that a fault is told before a database is asked."""
    return load_rulebook(text, days, str(file)) if days is not None else None


def _writable(*files: Path | None) -> None:
    for file in files:
        if file is not None and (file.is_dir() or not file.parent.is_dir()):
            raise CannotAsk(f"{file}: cannot be written there")


def _why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "not UTF-8"


async def _newest_days(base: Ground) -> Mapping[str, str]:
    async with base.db.reading() as tx:
        states = await calendar_states(tx)
    if not states:
        raise CannotAsk("this database holds no calendar: load a street first, or give --calendars")
    return states[-1]
