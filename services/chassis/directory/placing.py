"""Which cell a named place lies in on a day: places stay where they are while cells are redrawn around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely

from services.chassis.directory.areas import CellMap
from services.chassis.directory.model import Place

BESIDE_DEG = 0.001
"""About a hundred metres: a gate across the road still belongs to the cell it is told to."""


def placed(places: Sequence[Place], cells: CellMap) -> list[Place]:
    """The places with their cell among `cells`: the one they were told to where it holds their pin, or lies close by;
    else the one that holds the pin. None: there is no such cell."""
    told = [place for place in places if place.cell in cells.cells and place.lng is not None and place.lat is not None]
    far = set()
    if told:
        pins = shapely.points(np.array([(place.lng, place.lat) for place in told], dtype=float))
        shapes = np.array(cells.shapes_of([place.cell or "" for place in told]), dtype=object)
        beside = shapely.dwithin(shapes, pins, BESIDE_DEG)
        far = {place.place_id for place, near in zip(told, beside, strict=True) if not near}
    return [place if _stands(place, cells, far) else _moved(place, cells) for place in places]


def _stands(place: Place, cells: CellMap, far: set[str]) -> bool:
    return place.cell in cells.cells and place.place_id not in far


def _moved(place: Place, cells: CellMap) -> Place:
    found = cells.at(place.lng, place.lat) if place.lng is not None and place.lat is not None else None
    told = place.cell if place.cell in cells.cells else None
    return replace(place, cell=found.code if found else told)
