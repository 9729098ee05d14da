"""我的, 本组, 全部: which part of a list is shown. What nobody may read is nobody's."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ColumnElement, and_, cast, or_, true
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from services.dispatch.store.audience import EVERY_STREET, Scope, readable_cases, worked_at
from services.dispatch.tables import cases
from services.governance.cycle import Role

Predicate = ColumnElement[bool]
_DISTRICT = "district"


class Whose(StrEnum):
    """A person's, that of his posts, or everything he sees."""

    MINE = "mine"
    UNIT = "unit"
    ALL = "all"

    def holds(self, scope: Scope) -> Predicate:
        """The cases of it, within what the scope sees."""
        if self is Whose.MINE:
            own: Predicate = cases.c.audience.overlap(
                cast([f"p:{scope.account}", worked_at(scope.account)], ARRAY(TEXT))
            )
            return own
        return and_(readable_cases(scope), _of_posts(scope)) if self is Whose.UNIT else true()


def _of_posts(scope: Scope) -> Predicate:
    """What one of his posts answers for now, or a unit of his has a share in."""
    units = sorted(scope.units)
    streets = {token[2:] for token in scope.tokens if token.startswith("s:") and token != EVERY_STREET}
    codes = {*units, *scope.grids, *scope.communities, *streets}
    codes |= {_DISTRICT} if Role.DISTRICT in scope.roles else set()
    owned: list[Predicate] = [cases.c.owner_code.in_(sorted(codes)), cases.c.lead_unit.in_(units)]
    owned.append(cases.c.co_units.overlap(cast(units, ARRAY(TEXT))))
    if EVERY_STREET in scope.tokens:
        owned.append(cases.c.owner_code == cases.c.street)
    return or_(*owned)
