"""What an import would do, row by row, told on standard output; nothing is written anywhere."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TextIO

from schemas.labels import Labels
from services.chassis.db import Database
from services.intake.imports.drafts import CALLER, Translation
from services.intake.imports.job import ROWS_PER_TRANSACTION, chunks
from services.intake.imports.refusals import harmless
from services.intake.imports.rows import BadRow, Row
from services.intake.store import imports as store
from services.intake.usecases.draft import Draft

_HEADER = ("line", "id", "outcome", "category", "unit", "place", "field", "reason", "remedy")


class Trial:
    """Judges rows as an import would. `outcome`: accepted, known, or refused."""

    def __init__(self, translation: Translation, labels: Labels, out: TextIO | None = None) -> None:
        self.counts: Counter[str] = Counter(accepted=0, known=0, refused=0)
        self._translation = translation
        self._labels = labels
        self._out = csv.writer(out or sys.stdout)

    async def run(self, db: Database, rows: Iterable[Row]) -> None:
        """Tell of every row."""
        self._out.writerow(_HEADER)
        for chunk in chunks(iter(rows), ROWS_PER_TRANSACTION):
            drafts = {row.line: self._translation.draft(row) for row in chunk if not isinstance(row, BadRow)}
            async with db.reading() as tx:
                before = await store.known(tx, CALLER, [draft.key for draft in drafts.values()])
            for row in chunk:
                self._tell(row, drafts.get(row.line), before)

    def _tell(self, row: Row, draft: Draft | None, before: dict[str, str]) -> None:
        bad = row if isinstance(row, BadRow) else None
        seen = before.get(draft.key) if draft is not None else None
        if draft is not None and seen is not None and seen != draft.body_sha256:
            bad = BadRow(row.line, "", "changed_since")
        outcome = "refused" if bad is not None else "accepted" if seen is None else "known"
        self.counts[outcome] += 1
        number = draft.key.partition(":")[2] if draft is not None else ""
        self._out.writerow([row.line, harmless(number), outcome, *self._meant(draft), *self._why(bad)])

    def _meant(self, draft: Draft | None) -> Sequence[str]:
        if draft is None:
            return ("", "", "")
        book, spot = self._translation.rulebook, draft.place.spot
        known = book.category_of(draft.category)
        own = draft.category.code if draft.category is not None else ""
        unit = draft.imported.unit if draft.imported is not None else None
        area = spot.cell or spot.grid or spot.community or spot.street
        return (known.name if known is not None else harmless(own), harmless(unit or ""), harmless(area))

    def _why(self, bad: BadRow | None) -> Sequence[str]:
        if bad is None:
            return ("", "", "")
        reason, remedy = (self._labels.text(f"import.{part}.{bad.reason}") for part in ("reason", "remedy"))
        return (bad.field, reason, remedy)
