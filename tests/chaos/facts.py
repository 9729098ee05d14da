"""What the facts of a case say, worked out anew: the case they make, and the timers that had to fire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg

from schemas.cases import dump_case, load_case, load_fact
from services.governance.case import Case, evolve

Connection = psycopg.Connection[Any]
Point = tuple[str, int, int]
"""(clock, revision, rung)"""

_FACTS = "SELECT case_id::text, body::text FROM dispatch.case_facts ORDER BY case_id, sequence"
_CASES = "SELECT id::text, case_no, body::text FROM dispatch.cases"
_STANDINGS = (
    "SELECT DISTINCT ON (o.key, o.seq) convert_from(o.key, 'UTF8'), convert_from(o.payload, 'UTF8')"
    " FROM dispatch.outbox o WHERE o.topic = 'grid.case.v1' ORDER BY o.key, o.seq"
)
_FIRINGS = "SELECT clock_id, rev, rung, due_at FROM escalation.firings"
_HORIZON = "SELECT directory.grid_now() - interval '5 seconds'"


def differing_cases(connection: Connection) -> list[str]:
    """Numbers of cases that are not what their facts make of them."""
    folded: dict[str, Case] = {}
    for case_id, body in connection.execute(_FACTS):
        folded[case_id] = evolve(folded.get(case_id), load_fact(body.encode()))
    wrong = []
    for case_id, case_no, body in connection.execute(_CASES):
        made = folded.get(case_id)
        if made is None or dump_case(made) != dump_case(load_case(body.encode())):
            wrong.append(case_no)
    return wrong


def timer_faults(connection: Connection) -> list[str]:
    """Rungs that fired without being announced or at another time, and rungs that had to fire and did not."""
    announced: dict[Point, datetime] = {}
    newest: dict[str, list[dict[str, Any]]] = {}
    for case_id, standing in _standings(connection):
        if standing["history"]:
            continue
        newest[case_id] = standing["clocks"]
        for clock, rung in _rungs(standing["clocks"]):
            announced[(clock["clock_id"], clock["rev"], rung["rung"])] = datetime.fromisoformat(rung["at"])
    fired = {(row[0], row[1], row[2]): row[3] for row in connection.execute(_FIRINGS)}
    wrong = [f"{point} fired and nobody had announced it" for point in sorted(fired.keys() - announced.keys())]
    wrong += [
        f"{point} was due {announced[point]} and fired for {due}"
        for point, due in fired.items()
        if point in announced and announced[point] != due
    ]
    horizon: datetime = connection.execute(_HORIZON).fetchall()[0][0]
    due = {
        (clock["clock_id"], clock["rev"], rung["rung"])
        for clocks in newest.values()
        for clock, rung in _rungs(clocks)
        if clock["state"] == "running"
        and datetime.fromisoformat(rung["at"]) < horizon
        and rung["rung"] not in clock["fired"]
    }
    return [*wrong, *(f"{point} had to fire and did not" for point in sorted(due - fired.keys()))]


def _standings(connection: Connection) -> Iterator[tuple[str, dict[str, Any]]]:
    for case_id, payload in connection.execute(_STANDINGS):
        body = json.loads(payload)
        if "standing" in body:
            yield case_id, body["standing"]


def _rungs(clocks: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for clock in clocks:
        for rung in clock.get("rungs", ()):
            yield clock, rung
