"""Sixty days that went before: invented rows of closed and open matters, as another system would export them.

The file goes through the ordinary import as history, so the sample's figures come from the same road as a real
street's. Same seed, same days, same rulebook: same rows.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from services.chassis.clock import LOCAL
from services.chassis.directory import Directory
from services.dispatch.feed.matters import Kind, Matter, Spot, draw_matter
from services.governance import routing
from services.governance.acts import Spot as AreaSpot
from services.governance.cycle import Nature
from services.governance.rulebook import Rulebook

COLUMNS: Final = (
    *("id", "created_at", "street", "street_code", "community", "community_code", "lng", "lat", "category"),
    *("category_code", "text", "place", "unit", "unit_code", "source", "nature", "closed_in_time", "closed_overdue"),
    *("open_overdue", "closed_at"),
)
BY_HOUR: Final = (1, 1, 1, 1, 1, 2, 4, 8, 10, 10, 9, 8, 5, 5, 8, 9, 9, 8, 7, 6, 5, 4, 2, 1)
SOURCES: Final = (
    ("grid_worker", 60),
    ("grid_branch", 12),
    ("hotline_12345", 14),
    ("resident_scan", 9),
    ("inspection", 5),
)
WEEKEND: Final = 0.7
LATE_SHARE: Final = 0.07
OTHER_UNIT_SHARE: Final = 0.05
"""Real units do not always follow the book: so many rows name another unit than the catalogue would."""


@dataclass(frozen=True, slots=True)
class Era:
    """Which days: the `days` before `until`, about `per_day` rows each."""

    until: date
    days: int
    per_day: int
    seed: int


def write_history(path: Path, directory: Directory, rulebook: Rulebook, era: Era) -> int:
    """Write the CSV; answers how many rows."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows(directory, rulebook, era):
            writer.writerow(row)
            count += 1
    return count


def rows(directory: Directory, rulebook: Rulebook, era: Era) -> Iterator[dict[str, str]]:
    """The rows, oldest first."""
    rng = random.Random(f"{era.seed}:{era.until.isoformat()}")
    teller = _Teller(rng, directory, rulebook)
    for days_ago in range(era.days, 0, -1):
        day = era.until - timedelta(days=days_ago)
        mean = era.per_day * (WEEKEND if day.weekday() >= 5 else 1.0)
        moments = sorted(_moment(rng, day) for _ in range(max(1, round(rng.gauss(mean, mean**0.5)))))
        for number, at in enumerate(moments):
            yield teller.row(f"H{day:%Y%m%d}-{number:04d}", at, last_day=datetime.combine(era.until, time(), LOCAL))


class _Teller:
    """Tells one matter as a finished row."""

    def __init__(self, rng: random.Random, directory: Directory, rulebook: Rulebook) -> None:
        self._rng = rng
        self._directory = directory
        self._rulebook = rulebook
        self._kinds = [
            Kind(one.scheme, one.version, one.code, one.group_tile)
            for one in rulebook.categories.values()
            if not one.restricted
        ]
        self._spots = [
            Spot(place.name, place.cell, place.lng, place.lat)
            for place in directory.places.values()
            if place.cell is not None and place.lng is not None and place.lat is not None
        ]

    def row(self, key: str, at: datetime, *, last_day: datetime) -> dict[str, str]:
        matter = draw_matter(self._rng, self._kinds, self._spots)
        kind = matter.kind or self._rng.choice(self._kinds)
        cell = self._directory.cells[matter.spot.cell]
        community = self._directory.communities[cell.community]
        street = self._directory.streets[community.street]
        unit = self._unit(kind, matter, cell.grid, community.code, street.code)
        late = self._rng.random() < LATE_SHARE
        closed_at = at + self._lasting(late=late)
        closed = closed_at < last_day
        return {
            "id": key,
            "created_at": f"{at:%Y-%m-%d %H:%M:%S}",
            "street": street.name,
            "street_code": street.code,
            "community": community.name,
            "community_code": community.code,
            "lng": str(matter.spot.lng),
            "lat": str(matter.spot.lat),
            "category": self._rulebook.categories[kind.code].name,
            "category_code": kind.code,
            "text": matter.text,
            "place": matter.spot.name,
            "unit": self._rulebook.units[unit].name if unit else "",
            "unit_code": unit or "",
            "source": self._rng.choices([name for name, _ in SOURCES], [share for _, share in SOURCES])[0],
            "nature": Nature.COMPLAINT.value,
            "closed_in_time": _bit(closed and not late),
            "closed_overdue": _bit(closed and late),
            "open_overdue": _bit(late and not closed),
            "closed_at": f"{closed_at:%Y-%m-%d %H:%M:%S}" if closed else "",
        }

    def _unit(self, kind: Kind, matter: Matter, grid: str, community: str, street: str) -> str | None:
        if self._rng.random() < OTHER_UNIT_SHARE:
            return self._rng.choice(sorted(self._rulebook.units))
        category = self._rulebook.categories[kind.code]
        found = routing.route(
            routing.Matter(
                category=kind.code,
                condition=category.conditions[0],
                spot=AreaSpot(street, community, grid, matter.spot.cell),
                nature=Nature.COMPLAINT,
                source="grid_worker",
                danger=False,
            ),
            self._rulebook.catalogue,
        )
        return found.lead

    def _lasting(self, *, late: bool) -> timedelta:
        hours = self._rng.lognormvariate(1.6, 0.9)
        return timedelta(hours=min(hours * (4 if late else 1), 240), seconds=self._rng.randint(0, 3599))


def _bit(value: bool) -> str:
    return "1" if value else "0"


def _moment(rng: random.Random, day: date) -> datetime:
    hour = rng.choices(range(24), BY_HOUR)[0]
    return datetime.combine(day, time(hour, rng.randint(0, 59), rng.randint(0, 59)), LOCAL)


__all__: Sequence[str] = ("COLUMNS", "Era", "rows", "write_history")
