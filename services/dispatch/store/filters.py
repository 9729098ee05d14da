"""What a list can be narrowed to. A filter never tells more of a case than its row does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, DateTime, and_, literal_column, select, true

from services.dispatch.store.audience import Scope, readable_cases
from services.dispatch.tables import cases

Predicate = ColumnElement[bool]
Late = Literal["over", "soon"]
_NOW: ColumnElement[datetime] = select(
    literal_column("directory.grid_now()", DateTime(timezone=True))
).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Filter:
    """Any of the codes of a field, and something of every field that is named. Empty: everything."""

    urgency: frozenset[str] = frozenset()
    tier: frozenset[str] = frozenset()
    community: frozenset[str] = frozenset()
    category: frozenset[str] = frozenset()
    unit: frozenset[str] = frozenset()
    late: frozenset[Late] = frozenset()

    def holds(self, scope: Scope) -> Predicate:
        """The cases that pass. Of a restricted one class and community are known to all; whoever may read no more
        does not learn from an answer how urgent it is or with whom."""
        known = [*_any(cases.c.community, self.community), *_any(cases.c.category, self.category)]
        told = [
            *_any(cases.c.urgency, self.urgency),
            *_any(cases.c.tier, self.tier),
            *_any(cases.c.lead_unit, self.unit),
            *self._late(),
        ]
        return and_(true(), *known, *([readable_cases(scope), *told] if told else []))

    def _late(self) -> list[Predicate]:
        over = and_(cases.c.live, cases.c.stage_due_at <= _NOW)
        soon = and_(cases.c.live, cases.c.due_soon_at <= _NOW, cases.c.stage_due_at > _NOW)
        wanted = [test for name, test in (("over", over), ("soon", soon)) if name in self.late]
        return [wanted[0] | wanted[1]] if len(wanted) == 2 else wanted


def _any(column: ColumnElement[str], codes: Iterable[str]) -> list[Predicate]:
    wanted = sorted(codes)
    return [column.in_(wanted)] if wanted else []
