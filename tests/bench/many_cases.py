"""Very many open cases, made by COPY: a few that the rules themselves brought to their unit, repeated under own ids.

The generator is seeded: the same seed and count give the same rows, but for the moment they are made at.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import psycopg
from psycopg import sql

from schemas.rulebook import load_rulebook
from services.dispatch.store.columns import case_row
from services.governance.acts import Clock
from services.governance.case import Case
from services.governance.cycle import Action
from services.governance.rulebook import Rulebook
from tests.bench.result import CHECKOUT
from tests.support.governance import CHIEF, CLERK, COMMUNITY_SECRETARY, LEAD, SECRETARY, STREET, Walk, report

SEED = 20261122
KINDS = 40  # different cases among the many
STREETS = 250  # over which they are spread, the sample's street among them: nobody looks at a million at once
CATEGORY, CONDITION = "P0146", "P0146.1"  # five working days
RULEBOOK = CHECKOUT / "deploy" / "rulebooks" / "fengcheng.toml"


@cache
def sample_rulebook() -> Rulebook:
    """As the sample street has it."""
    folder = RULEBOOK.parent / "calendars"
    return load_rulebook(RULEBOOK.read_text("utf-8"), {path.name: _text(path) for path in folder.glob("*.toml")})


def fill(database_url: str, count: int, now: datetime) -> None:
    """So many cases in handling, each with running limits on working time. `now`: the database's."""
    kinds = list(kinds_of(now))
    rng = random.Random(SEED)
    rows = [stored_row(case) for case in kinds]
    names = list(rows[0])
    lines = [_line(row, names) for row in rows]
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    copy_in = sql.SQL("COPY dispatch.cases ({}) FROM STDIN").format(columns)
    with psycopg.connect(database_url, autocommit=True) as connection:
        with connection.cursor() as cursor, cursor.copy(copy_in) as copy:
            for number in range(count):
                kind = rng.randrange(KINDS)
                copy.write(_renamed(lines[kind], kinds[kind], number).replace(STREET, _street(number)))
        connection.execute("VACUUM (ANALYZE) dispatch.cases")


def stored_row(case: Case) -> dict[str, Any]:
    """As the table has it, but for the words."""
    return case_row(case, sample_rulebook().calendar)


def last_due(now: datetime) -> datetime:
    """When the last limit of the earliest of them ends."""
    clocks: list[Clock] = [clock for case in kinds_of(now) for clock in case.clocks if clock.running_since is not None]
    return max(clock.due_at for clock in clocks)


def kinds_of(now: datetime) -> Iterator[Case]:
    """The different cases that all others repeat."""
    book, rng = sample_rulebook(), random.Random(SEED)
    for number in range(KINDS):
        began = (now - timedelta(minutes=rng.randrange(10, 50))).replace(microsecond=0)
        opened = report(
            CATEGORY,
            began,
            case_id=f"00000000-0000-7000-8000-{number:012x}",
            case_no=f"BENCH-{number:08d}",
            staff=False,
        )
        walk = Walk(opened, book)
        walk.act(SECRETARY, Action.CALL_UP, reason="no_means")
        walk.act(COMMUNITY_SECRETARY, Action.CALL_UP, reason="no_enforcement", note="tried to talk")
        walk.act(CLERK, Action.ANSWER)
        walk.act(CHIEF, Action.FILE, condition=CONDITION)
        walk.act(CLERK, Action.DISPATCH, lead_unit="huanwei", co_units=(), reason="on_duty")
        walk.act(LEAD, Action.RESPOND, means="on_site")
        yield walk.case


def case_id(number: int) -> str:
    """Of the n-th of them."""
    return f"01900000-0000-7000-8000-{number:012x}"


def _renamed(line: str, kind: Case, number: int) -> str:
    return line.replace(kind.case_id, case_id(number)).replace(kind.case_no, f"BENCH-{number + KINDS:08d}")


def _street(number: int) -> str:
    return f"{int(STREET) + number % STREETS}"


def _line(row: dict[str, Any], names: list[str]) -> str:
    return "\t".join(_cell(row[name]) for name in names) + "\n"


def copy_line(row: dict[str, Any]) -> str:
    """A row in COPY's text form, its values in their order."""
    return _line(row, list(row))


def _cell(value: Any) -> str:
    """A value in COPY's text form."""
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, list | tuple):
        return _escaped("{" + ",".join(f'"{each}"' for each in value) + "}")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | orjson.Fragment):
        return _escaped(orjson.dumps(value).decode())
    return _escaped(str(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _text(path: Path) -> str:
    return path.read_text("utf-8")
