"""Made-up streets for tests: cells of a bent lattice that tile their ground exactly, the same for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from services.chassis.directory.areas import Cell
from services.chassis.directory.model import Community, Directory, Grid, Place, Street

STREET = "441802001"
WEST, SOUTH = 113.04, 23.68
STEP = 0.004  # degrees, about 400 m
Feature = dict[str, Any]
Position = tuple[float, float]


def features(columns: int, rows: int, seed: int = 1) -> list[Feature]:
    """One feature a cell; each column is a community, every three of its cells a grid."""
    dice = random.Random(seed)
    corners = {
        (x, y): (
            round(WEST + (x + dice.uniform(-0.2, 0.2)) * STEP, 6),
            round(SOUTH + (y + dice.uniform(-0.2, 0.2)) * STEP, 6),
        )
        for x in range(columns + 1)
        for y in range(rows + 1)
    }
    made = []
    for x in range(columns):
        community = f"{STREET}{x + 1:03d}"
        for y in range(rows):
            ring = [corners[at] for at in ((x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1), (x, y))]
            properties = {
                "code": f"{community}{y + 1:03d}",
                "name": f"{x + 1}-{y + 1}单元",
                "grid": f"{community}{y // 3 + 1:02d}",
            }
            geometry = {"type": "Polygon", "coordinates": [[list(at) for at in ring]]}
            made.append({"type": "Feature", "properties": properties, "geometry": geometry})
    return made


def collection(made: Sequence[Feature]) -> str:
    """As a file holds them."""
    return json.dumps({"type": "FeatureCollection", "features": list(made)}, ensure_ascii=False)


def shifted(made: Sequence[Feature], shift: Callable[[float, float], Position]) -> list[Feature]:
    """The same features with every position moved."""
    return [
        {
            **feature,
            "geometry": {
                **feature["geometry"],
                "coordinates": [[list(shift(*at)) for at in ring] for ring in feature["geometry"]["coordinates"]],
            },
        }
        for feature in made
    ]


def directory(made: Sequence[Feature], cells: Sequence[Feature] = (), places: Sequence[Place] = ()) -> Directory:
    """A street that knows the communities and grids of `made`, and holds `cells`."""
    communities = {f["properties"]["grid"][:12] for f in made}
    grids = {f["properties"]["grid"] for f in made}
    return Directory(
        rev=1,
        streets={STREET: Street(STREET, "凤城街道", True)},
        communities={code: Community(code, f"{code[-3:]}社区", STREET) for code in communities},
        grids={code: Grid(code, f"{code[-2:]}网格", code[:12]) for code in grids},
        cells={cell.code: cell for cell in map(cell_of, cells)},
        places={place.place_id: place for place in places},
    )


def cell_of(feature: Feature) -> Cell:
    """A feature as the directory has it."""
    named = feature["properties"]
    return Cell(named["code"], named["name"], named["grid"], named["grid"][:12], json.dumps(feature["geometry"]))


def middle(feature: Feature) -> Position:
    """A point inside: the mean of the corners."""
    ring = feature["geometry"]["coordinates"][0][:-1]
    return sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring)
