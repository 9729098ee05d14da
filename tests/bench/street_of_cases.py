"""One street with very many cases, a tenth of them open, at every step of the cycle, some of them late.

Made by COPY from a few that the rules themselves brought there, repeated under own ids. Seeded: the same count gives
the same rows, but for the moment they are made at.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from services.dispatch.store.columns import case_row
from services.governance.case import Case
from services.governance.cycle import Action, State
from tests.bench.many_cases import copy_line, sample_rulebook
from tests.support.governance import CHIEF, CLERK, COMMUNITY, COMMUNITY_SECRETARY, GRID, LEAD, SECRETARY, Walk, report

SEED = 20261124
CATEGORY, CONDITION = "P0146", "P0146.1"
COMMUNITIES, GRIDS = 25, 4
OPEN_OF = 10  # one of so many is open
PORTION = 20_000
_STEPS: tuple[tuple[Any, Action, dict[str, Any]], ...] = (
    (SECRETARY, Action.CALL_UP, {"reason": "no_means"}),
    (COMMUNITY_SECRETARY, Action.CALL_UP, {"reason": "no_enforcement", "note": "tried to talk"}),
    (CLERK, Action.ANSWER, {}),
    (CHIEF, Action.FILE, {"condition": CONDITION}),
    (CLERK, Action.DISPATCH, {"lead_unit": "huanwei", "co_units": (), "reason": "on_duty"}),
    (LEAD, Action.RESPOND, {"means": "on_site"}),
)


def fill(database_url: str, first: int, count: int, now: datetime, communities: int = COMMUNITIES) -> None:
    """Cases number `first` and on, of so many communities in turn. `now`: the database's."""
    kinds = [case_row(case, sample_rulebook().calendar) for case in _kinds(now)]
    closed = {**kinds[-1], "state": State.CLOSED, "live": False, "queues": (), "late": False, "turns_at": None}
    columns = sql.SQL(", ").join(map(sql.Identifier, closed))
    copy_in = sql.SQL("COPY dispatch.cases ({}) FROM STDIN").format(columns)
    line = copy_line({**closed, "body": {}})
    with psycopg.connect(database_url, autocommit=True) as connection, connection.cursor() as cursor:
        for start in range(first, first + count, PORTION):
            with cursor.copy(copy_in) as copy:
                for number in range(start, min(start + PORTION, first + count)):
                    area = _area(number, communities)
                    is_open = number % OPEN_OF == 0
                    copy.write(_open(kinds, number, now, *area) if is_open else _again(line, closed, number, *area))
        cursor.execute("VACUUM (ANALYZE) dispatch.cases")
        cursor.execute("VACUUM (ANALYZE) dispatch.queue_deltas")


def _kinds(now: datetime) -> Iterator[Case]:
    """One case, as it stands at each of its steps."""
    began = (now - timedelta(minutes=20)).replace(microsecond=0)
    opened = report(CATEGORY, began, case_id=_id(0), case_no=_no(0), staff=False)
    walk = Walk(opened, sample_rulebook())
    yield walk.case
    for who, action, inputs in _STEPS:
        walk.act(who, action, **inputs)
        yield walk.case


def _open(kinds: list[dict[str, Any]], number: int, now: datetime, community: str, grid: str) -> str:
    """Opened in the last month, due within ten days, a twentieth of them too late."""
    dice = random.Random(f"{SEED} {number}")
    row = dict(dice.choice(kinds))
    opened_at = now - timedelta(minutes=dice.randrange(1, 30 * 24 * 60))
    late = dice.random() < 0.05
    due = now + timedelta(minutes=-dice.randrange(1, 5000) if late else dice.randrange(1, 14_000))
    soon = not late and dice.random() < 0.1
    more = ("overdue", "red") if late else ("due_soon",) if soon else ()
    row |= {
        "id": _id(number),
        "case_no": _no(number),
        "community": community,
        "grid": grid,
        "audience": [_moved(token, community, grid) for token in row["audience"]],
        "opened_at": opened_at,
        "arrival": f"{row['urgency']}{opened_at:%Y%m%d%H%M%S%f}",
        "stage_due_at": due,
        "twice_at": due + timedelta(minutes=dice.randrange(60, 5000)),
        "late": late,
        "turns_at": None,
        "queues": sorted({*row["queues"], *more} - {"no_rule"}),
        "body": {},
    }
    return copy_line(row)


def _again(line: str, closed: dict[str, Any], number: int, community: str, grid: str) -> str:
    own = line.replace(closed["id"], _id(number)).replace(closed["case_no"], _no(number))
    return own.replace(GRID, grid).replace(COMMUNITY, community)


def _area(number: int, communities: int) -> tuple[str, str]:
    community = f"{COMMUNITY[:-3]}{1 + number // OPEN_OF % communities:03d}"
    return community, f"{community}{1 + number // OPEN_OF // communities % GRIDS:02d}"


def _moved(token: str, community: str, grid: str) -> str:
    return {f"c:{COMMUNITY}": f"c:{community}", f"g:{GRID}": f"g:{grid}"}.get(token, token)


def _id(number: int) -> str:
    return f"01900000-0000-7000-8000-{number:012x}"


def _no(number: int) -> str:
    return f"BENCH-{number:08d}"
