"""Looking for cases by what is said of them, newest first, and never by more than a list would show.

Week by week from the newest: of each the rows that hold all pairs of characters asked for, then, of those, the ones
whose words really hold them and which the caller may read. The statement ends as soon as enough are found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Select,
    and_,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import CTE, LateralFromClause

from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope, handled_cases, readable_cases, visible_cases
from services.dispatch.store.search_rows import WEEK_BIT, WEEK_S, asked_keys, narrowing, terms_of, token_keys
from services.dispatch.tables import case_reports, cases, search_rows

SHORTEST: Final = 2
"""Characters of the longest word asked for: a single one is in half of all cases."""


class TooShort(ValueError):
    """Nothing asked for has two characters."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for; none at all finds every case."""

    terms: tuple[str, ...]
    number: str = ""
    """As it was typed, where it may be a whole number: such a case is found before its search row is made."""

    @classmethod
    def of(cls, words: str) -> Asked:
        """Raises TooShort."""
        terms = terms_of(words)
        if terms and max(map(len, terms)) < SHORTEST:
            raise TooShort(words)
        return cls(terms, words.strip() if len(terms) == 1 else "")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the answer: `opened_at` and id of its last row."""

    opened_at: datetime
    case_id: str


async def found(tx: Tx, asked: Asked, scope: Scope, *, most: int, after: Place | None) -> list[Place]:
    """Up to `most` cases behind `after`, newest first."""
    if asked.number and after is None:
        exact = [Place(row.opened_at, str(row.id)) for row in await tx.execute(_numbered(asked.number, scope))]
        if exact:
            return exact
    if not asked.terms and narrowing(scope.tokens | scope.checks) is None:
        rows = await tx.execute(_newest(scope, most, after))
    else:
        rows = await tx.execute(_by_week(asked, scope, most, after), _keys(asked, scope))
    return [Place(row.opened_at, str(row.id)) for row in rows]


def _newest(scope: Scope, most: int, after: Place | None) -> Select[Any]:
    query = select(cases.c.id, cases.c.opened_at).where(visible_cases(scope))
    if after is not None:
        query = query.where(_behind(cases.c.opened_at, cases.c.id, after))
    return query.order_by(cases.c.opened_at.desc(), cases.c.id.desc()).limit(most)


def _numbered(number: str, scope: Scope) -> Select[Any]:
    """The case of a whole case number, or of a receipt's that its reader may read."""
    named = union_all(
        select(cases.c.id).where(cases.c.case_no == number),
        select(case_reports.c.case_id).where(case_reports.c.receipt_no == number),
    )
    told = or_(cases.c.case_no == number, readable_cases(scope))
    return select(cases.c.id, cases.c.opened_at).where(cases.c.id.in_(named), visible_cases(scope), told)


def _by_week(asked: Asked, scope: Scope, most: int, after: Place | None) -> Select[Any]:
    weeks = _weeks(after)
    rows, keys = search_rows.c, _keys_of(weeks)
    wanted = [rows["keys"].contains(keys.c.every)] if asked.terms else []
    if narrowing(scope.tokens | scope.checks) is not None:
        wanted.append(rows["keys"].overlap(keys.c.some))
    if after is not None:
        wanted.append(_behind(rows.opened_at, rows.case_id, after))
    hits = (
        select(cases.c.id, cases.c.opened_at)
        .select_from(search_rows.join(cases, cases.c.id == rows.case_id))
        .where(*wanted, visible_cases(scope), _says(asked, scope))
        .order_by(cases.c.opened_at.desc(), cases.c.id.desc())
        .lateral("hits")
    )
    return (
        select(hits.c.id, hits.c.opened_at)
        .select_from(weeks.join(keys, literal(True)).join(hits, literal(True)))
        .limit(most)
    )


def _says(asked: Asked, scope: Scope) -> ColumnElement[bool]:
    """The words of a case that he may not read are not looked through, nor the house numbers that he may not."""
    if not asked.terms:
        return literal(True)
    rows = search_rows.c
    full = and_(*(rows.words.contains(term, autoescape=True) for term in asked.terms))
    open_words = func.coalesce(rows.open_words, rows.words)
    without_houses = and_(*(open_words.contains(term, autoescape=True) for term in asked.terms))
    number = and_(*(func.lower(cases.c.case_no).contains(term, autoescape=True) for term in asked.terms))
    return or_(and_(readable_cases(scope), without_houses), and_(handled_cases(scope), full), number)


def _weeks(after: Place | None) -> CTE:
    """The weeks in which cases were opened, newest first: one look at the index for each."""
    newest = select(_week(func.max(cases.c.opened_at)).label("week"))
    if after is not None:
        newest = newest.where(cases.c.opened_at <= after.opened_at)
    weeks = newest.cte("weeks", recursive=True)
    begins = func.to_timestamp(weeks.c.week * WEEK_S)
    before = select(func.max(cases.c.opened_at)).where(cases.c.opened_at < begins).scalar_subquery()
    return weeks.union_all(select(_week(before)).where(weeks.c.week > 0))


def _week(at: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(func.floor(func.greatest(func.date_part("epoch", at), 0) / WEEK_S), BigInteger)


def _keys_of(weeks: CTE) -> LateralFromClause:
    """The keys of one week: all that a row must hold, and those of which it must hold one."""
    columns = [_of_week(weeks, name).label(name) for name in ("every", "some")]
    return select(*columns).correlate(weeks).offset(0).lateral("keys")


def _of_week(weeks: CTE, name: str) -> ColumnElement[Any]:
    asked = func.unnest(bindparam(name, type_=ARRAY(BigInteger))).column_valued(f"{name}_key")
    begins = weeks.c.week.op("<<")(literal_column(str(WEEK_BIT)))
    each = select(begins.op("|")(asked)).correlate(weeks).scalar_subquery()
    return func.array(each, type_=ARRAY(BigInteger))


def _keys(asked: Asked, scope: Scope) -> dict[str, Sequence[int]]:
    seen = narrowing(scope.tokens | scope.checks) or frozenset()
    return {"every": sorted(asked_keys(asked.terms)), "some": sorted(token_keys(seen))}


def _behind(opened_at: ColumnElement[Any], case_id: ColumnElement[Any], after: Place) -> ColumnElement[bool]:
    placed = tuple_(bindparam("after_at", after.opened_at), cast(bindparam("after_id", after.case_id), case_id.type))
    return tuple_(opened_at, case_id) < placed
