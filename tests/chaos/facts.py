"""What the facts of a case say, worked out anew: the case they make, and the timers that had to fire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from schemas.cases import dump_case, load_case, load_fact
from services.governance.case import Case, evolve
from tests.chaos.questions import BEGUN
from tests.chaos.violation import Connection

Point = tuple[str, int, int]
"""(clock, revision, rung)"""
COMMITTED = timedelta(seconds=10)
"""What was heard so long ago has been committed, or never will be."""

_FACTS = "SELECT case_id::text, body::text FROM dispatch.case_facts ORDER BY case_id, sequence"
_CASES = "SELECT id::text, case_no, body::text FROM dispatch.cases"
_STANDINGS = (
    "SELECT DISTINCT ON (o.key, o.seq) convert_from(o.key, 'UTF8'), convert_from(o.payload, 'UTF8')"
    " FROM dispatch.outbox o WHERE o.topic = 'grid.case.v1' ORDER BY o.key, o.seq"
)
_FIRINGS = "SELECT clock_id, rev, rung, due_at FROM escalation.firings"
_HORIZON = f"SELECT {BEGUN} - interval '10 seconds'"
_ARMED = "SELECT clock_id, rev, rung, due_at FROM escalation.sla_timers WHERE state = 'armed'"
_HEARD = (
    "SELECT convert_from(o.payload, 'UTF8'), i.at FROM dispatch.outbox o JOIN escalation.inbox i USING (event_id)"
    " WHERE o.topic = 'grid.case.v1' ORDER BY i.at, o.key, o.seq"
)
_IN_ORDER = (
    "SELECT f.case_id, f.clock_id, f.rev, f.rung, f.due_at, f.fired_at FROM escalation.outbox o"
    " JOIN escalation.firings f USING (event_id) WHERE o.topic = 'grid.sla.v1' ORDER BY o.key, o.seq"
)
_NEWEST = (
    "SELECT DISTINCT ON (o.key) convert_from(o.payload, 'UTF8') FROM dispatch.outbox o WHERE o.topic = 'grid.case.v1'"
    " AND EXISTS (SELECT FROM escalation.inbox_seen i WHERE i.event_id = o.event_id) ORDER BY o.key, o.seq DESC"
)


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


def unarmed(connection: Connection) -> list[str]:
    """What a reconciler would repair: next rungs that are not armed for their moment, and rungs armed for nothing."""
    armed: dict[Point, datetime] = {(row[0], row[1], row[2]): row[3] for row in connection.execute(_ARMED)}
    fired = {(row[0], row[1], row[2]) for row in connection.execute(_FIRINGS)}
    wanted: dict[Point, datetime] = {}
    for (payload,) in connection.execute(_NEWEST):
        standing = json.loads(payload).get("standing")
        if standing is None or standing["history"]:
            continue
        for clock in standing["clocks"]:
            wanted |= _next_rung(clock, fired)
    wrong = [f"{point} is due {due} and not armed" for point, due in wanted.items() if armed.get(point) != due]
    return [*wrong, *(f"{point} is armed and nobody wants it" for point in armed.keys() - wanted.keys())]


def disordered(connection: Connection) -> list[str]:
    """Firings of a case that came behind one with a later planned time, though escalation had heard of them before."""
    heard: dict[Point, datetime] = {}
    for payload, at in connection.execute(_HEARD):
        standing = json.loads(payload).get("standing")
        for clock, rung in _rungs(standing["clocks"] if standing else []):
            heard.setdefault((clock["clock_id"], clock["rev"], rung["rung"]), at)
    newest: dict[str, tuple[datetime, datetime, Point]] = {}
    wrong = []
    for case_id, clock_id, rev, rung, due, fired_at in connection.execute(_IN_ORDER):
        point: Point = (clock_id, rev, rung)
        before = newest.get(case_id)
        if before is not None and due < before[0] and point in heard and heard[point] + COMMITTED < before[1]:
            wrong.append(f"{point}, due {due}, fired behind {before[2]}, due {before[0]}")
        if before is None or due > before[0]:
            newest[case_id] = (due, fired_at, point)
    return wrong


def _next_rung(clock: dict[str, Any], fired: set[Point]) -> dict[Point, datetime]:
    """The first rung of a running clock that has neither fired nor been settled."""
    if clock["state"] != "running":
        return {}
    open_rungs = sorted(
        (datetime.fromisoformat(rung["at"]), rung["rung"])
        for rung in clock.get("rungs", ())
        if rung["rung"] not in clock["fired"] and (clock["clock_id"], clock["rev"], rung["rung"]) not in fired
    )
    return {(clock["clock_id"], clock["rev"], rung): at for at, rung in open_rungs[:1]}


def _standings(connection: Connection) -> Iterator[tuple[str, dict[str, Any]]]:
    for case_id, payload in connection.execute(_STANDINGS):
        body = json.loads(payload)
        if "standing" in body:
            yield case_id, body["standing"]


def _rungs(clocks: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for clock in clocks:
        for rung in clock.get("rungs", ()):
            yield clock, rung
