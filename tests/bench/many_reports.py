"""Very many reports with their cases, as intake keeps them, made by COPY: a district of ten streets over a year.

The generator is seeded: the same seed and count give the same rows, but for the moment they are made at. Six of ten
reports lie around spots that come back again and again, every seventh joins a case that is there; of what is older than
a week nearly all is settled, of the last days less than half.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg import sql

SEED = 20261122
WEST, SOUTH = 113.00, 23.60
SIDE_DEG = 0.12  # some twelve kilometres
SPOTS, AROUND_DEG = 400, 0.0008
YEAR = timedelta(days=365)
FRESH = timedelta(days=7)
_NONE = r"\N"


@dataclass(frozen=True, slots=True)
class Made:
    """One report and, unless it joined another's, its case."""

    n: int
    case: int
    category: str
    lng: float
    lat: float
    at: datetime
    settled: bool


class District:
    """Where matters turn up: the spots everybody knows, and anywhere else."""

    def __init__(self, categories: list[str], seed: int = SEED) -> None:
        self.dice = random.Random(seed)
        self.categories = categories
        self._spots = [(self._anywhere(), self.dice.choice(categories)) for _ in range(SPOTS)]

    def somewhere(self) -> tuple[float, float, str]:
        """A pin and a category."""
        dice = self.dice
        if dice.random() < 0.6:
            (lng, lat), category = dice.choice(self._spots)
            lng, lat = lng + dice.gauss(0, AROUND_DEG), lat + dice.gauss(0, AROUND_DEG)
            return round(lng, 6), round(lat, 6), category if dice.random() < 0.7 else dice.choice(self.categories)
        return *self._anywhere(), dice.choice(self.categories)

    def _anywhere(self) -> tuple[float, float]:
        return round(WEST + self.dice.random() * SIDE_DEG, 6), round(SOUTH + self.dice.random() * SIDE_DEG, 6)

    def reports(self, count: int, now: datetime) -> Iterator[Made]:
        """`count` reports up to `now`, the oldest first."""
        dice, last = self.dice, Made(0, 0, "", 0, 0, now, settled=True)
        for n in range(count):
            at = now - YEAR * (1 - n / count)
            if n % 7 == 6:
                last = Made(n, last.case, last.category, last.lng, last.lat, at, last.settled)
            else:
                lng, lat, category = self.somewhere()
                settled = dice.random() < (0.97 if now - at > FRESH else 0.4)
                last = Made(n, n, category, lng, lat, at, settled)
            yield last


def fill(database_url: str, count: int, categories: list[str], now: datetime) -> None:
    """So many reports, which case took each in, and how these stand. `now`: the database's."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for table, row in (("reports", _report), ("case_reports", _taken), ("case_views", _view)):
            first = row(Made(0, 0, "", 0, 0, now, settled=True))
            columns = sql.SQL(", ").join(map(sql.Identifier, first))
            into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier("intake", table), columns)
            with connection.cursor() as cursor, cursor.copy(into) as copy:
                for made in District(categories).reports(count, now):
                    if table != "case_views" or made.n == made.case:
                        copy.write("\t".join(row(made).values()) + "\n")
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier("intake", table)))


def _report(made: Made) -> dict[str, str]:
    street = f"4418020{made.n % 10 + 1:02d}"
    at = made.at.isoformat()
    return {
        "report_id": _id(1, made.n),
        "receipt_no": f"R-{made.n:08d}",
        "reporter_ref": f"{made.n:024x}",
        "anonymous": "f",
        "staff": "t",
        "source": "grid_worker",
        "nature": "complaint",
        "scheme": "GB/T 30428.2",
        "edition": "2013",
        "category": made.category,
        "danger": "f",
        "life": "f",
        "street": street,
        "community": f"{street}001",
        "lng": str(made.lng),
        "lat": str(made.lat),
        "masked_text": "门口有垃圾",
        "masked_place": "路口东侧",
        "direct": "f",
        "call_now": "f",
        "joins": _NONE if made.n == made.case else f"BENCH-{made.case:08d}",
        "occurred_at": at,
        "submitted_at": at,
        "rulebook": "bench",
        "event_seq": "1",
    }


def _taken(made: Made) -> dict[str, str]:
    return {"report_id": _id(1, made.n), "case_id": _id(2, made.case)}


def _view(made: Made) -> dict[str, str]:
    at, ended = made.at.isoformat(), (made.at + timedelta(hours=5)).isoformat()
    return {
        "case_id": _id(2, made.case),
        "case_no": f"BENCH-{made.case:08d}",
        "sequence": "12" if made.settled else "3",
        "state": "closed" if made.settled else "handling",
        "stage": "closing" if made.settled else "disposal",
        "tier": "T2",
        "category": made.category,
        "restricted": "f",
        "history": "f",
        "community": "441802001001",
        "lng": str(made.lng),
        "lat": str(made.lat),
        "skipped": "[]",
        "flags": "[]",
        "opened_at": at,
        "closed_at": ended if made.settled else _NONE,
        "closed_as": "done" if made.settled else _NONE,
        "changed_at": ended if made.settled else at,
    }


def _id(kind: int, n: int) -> str:
    return f"019{kind}0000-0000-7000-8000-{n:012x}"
