"""Cases as a CSV file: what the asker's exporting posts see, restricted matters by class and community alone."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from schemas.labels import Labels
from services.chassis.clock import LOCAL
from services.chassis.db import Database
from services.chassis.directory import DirectoryCache
from services.chassis.houses import without_house_numbers
from services.dispatch.store.audience import scope_of
from services.dispatch.store.export import ExportRow, Span, export_page
from services.dispatch.usecases.words import Words
from services.governance.acts import Actor
from services.governance.cycle import Role

EXPORTERS = (Role.DUTY_CHIEF, Role.STREET_LEADER, Role.HANDLING_UNIT, Role.MEMBER_UNIT)
"""Who may take cases out of the house: the street all of its own, a unit what it has a share in."""
PAGE = 500
_BOM = "\ufeff"  # without it a spreadsheet takes Chinese for something else
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = (
    *("case_no", "state", "stage", "tier", "urgency", "nature", "source", "category_code", "category", "community"),
    *("grid", "address", "summary", "lead_unit", "opened_at", "due_at", "closed_at", "closed_as", "reports"),
    "hand_overs",
)
_CLASS_ONLY = frozenset({"case_no", "category_code", "category", "community"})


async def export_csv(db: Database, cache: DirectoryCache, actor: Actor, lang: str, span: Span) -> AsyncIterator[str]:
    """The file in parts. Each page is read for itself: a long file holds no transaction open, and a case that changes
    meanwhile is told as it stands when its page is read."""
    words, after = Words(Labels(lang), cache.current()), None
    scope = scope_of(Actor(actor.account, tuple(post for post in actor.posts if post.role in EXPORTERS)))
    yield _BOM + _lines([[words.labels.text(f"export.{name}") for name in COLUMNS]])
    while True:
        async with db.reading() as tx:
            rows = await export_page(tx, scope, span, after, PAGE)
        names = {version: await cache.rulebook(version) for version in {row.rulebook for row in rows}}
        categories = {version: book.categories for version, book in names.items()}
        yield _lines([_cells(row, words, categories[row.rulebook].get(row.category or "")) for row in rows])
        if len(rows) < PAGE:
            return
        after = (rows[-1].opened_at, rows[-1].id)


def _cells(row: ExportRow, words: Words, category: object) -> list[str]:
    told = [
        row.case_no,
        words.word("state", row.state),
        words.word("stage", row.stage),
        words.word("tier", row.tier),
        words.word("urgency", row.urgency),
        words.word("nature", row.nature),
        row.source,
        row.category or "",
        str(getattr(category, "name", row.category or "")),
        words.place(row.community),
        words.place(row.grid),
        row.address if row.handled else without_house_numbers(row.address),
        row.summary if row.handled else without_house_numbers(row.summary),
        words.place(row.lead_unit),
        _moment(row.opened_at),
        _moment(row.due_at),
        _moment(row.closed_at),
        words.word("closed_as", row.closed_as) if row.closed_as else "",
        str(row.reports),
        str(row.hand_overs),
    ]
    if row.readable:
        return told
    return [cell if name in _CLASS_ONLY else "" for name, cell in zip(COLUMNS, told, strict=True)]


def _moment(at: datetime | None) -> str:
    return at.astimezone(LOCAL).isoformat(timespec="seconds") if at is not None else ""


def _lines(rows: Iterable[list[str]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows([_harmless(cell) for cell in row] for row in rows)
    return file.getvalue()


def _harmless(cell: str) -> str:
    """What begins like a formula would be run by a spreadsheet."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
