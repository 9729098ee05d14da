"""Whether two pictures look the same, told by 64 bits each: a difference hash.

The picture is shrunk to 9 × 8 shades of grey; bit by bit, row by row, it says whether a point is brighter than its
right neighbour. Another size, another compression, a mark in a corner change few bits; another scene about half.

To find what differs little without comparing everything, the bits are cut into four bands of sixteen, which have an
index. Seven bits cannot spoil every band twice, so one of the four is equal or differs in a single bit: whoever looks
asks for each band as it is and with each of its bits turned.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

COLUMNS: Final = 9
ROWS: Final = 8
NEAR: Final = 5
"""Bits by which two copies of one picture may differ."""
FLAT: Final = 12
"""Shades between the darkest and the brightest point below which a picture says nothing (a lens that was covered)."""
_BANDS: Final = 4
_BITS: Final = 16


def look_of(shades: Sequence[int]) -> int | None:
    """The 64 bits of 9 × 8 shades (0 to 255, row by row); None for a picture that is flat."""
    if len(shades) != COLUMNS * ROWS:
        raise ValueError(f"{COLUMNS * ROWS} shades are needed, these are {len(shades)}")
    if max(shades) - min(shades) < FLAT:
        return None
    bits = 0
    for row in range(ROWS):
        line = shades[row * COLUMNS : (row + 1) * COLUMNS]
        for left, right in pairwise(line):
            bits = bits << 1 | (left > right)
    return bits


def bands_of(look: int) -> list[int]:
    """The four bands, each a number of its own range, so that one index serves all."""
    return [(n << _BITS) + (look >> (n * _BITS) & 0xFFFF) for n in range(_BANDS)]


def probes_of(look: int) -> list[int]:
    """The bands to ask for: whatever differs in seven bits or fewer has one of them."""
    return [band ^ turned for band in bands_of(look) for turned in (0, *(1 << bit for bit in range(_BITS)))]


def distance(one: int, other: int) -> int:
    """Bits in which two pictures differ: 0 to 64."""
    return (one ^ other).bit_count()
