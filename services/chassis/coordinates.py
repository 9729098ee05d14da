"""Map datums: everything is kept in WGS-84; what Chinese maps hand out is converted on the way in.

GCJ-02 (高德, 腾讯) and BD-09 (百度) are shifted by some hundred metres, more than one grid cell, so a position without
its datum may land in the wrong grid. CGCS2000 differs from WGS-84 by less than a metre and is taken as equal.
All angles are degrees; positions are (longitude, latitude).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum

_AXIS = 6378245.0  # Krasovsky 1940 semi-major axis in metres, as the GCJ-02 formula uses it
_ECCENTRICITY2 = 0.00669342162296594323
_BD_ANGLE = math.pi * 3000.0 / 180.0
_WEST, _SOUTH, _EAST, _NORTH = 73.0, 3.0, 136.0, 54.5
_CONVERGED = 1e-9  # degrees, about a tenth of a millimetre


class Crs(StrEnum):
    """Datums that a position may come in."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"
    CGCS2000 = "cgcs2000"


def inside_china(lng: float, lat: float) -> bool:
    """A rough frame around China: outside it a position is a slip (degrees swapped, zero island), not a place."""
    return _WEST <= lng <= _EAST and _SOUTH <= lat <= _NORTH


def to_wgs84(lng: float, lat: float, crs: Crs) -> tuple[float, float]:
    """The same place in WGS-84. Exact to far less than a metre."""
    match crs:
        case Crs.WGS84 | Crs.CGCS2000:
            return lng, lat
        case Crs.GCJ02:
            return _undone(wgs84_to_gcj02, lng, lat)
        case Crs.BD09:
            return _undone(wgs84_to_gcj02, *_undone(_gcj02_to_bd09, lng, lat))


def wgs84_to_gcj02(lng: float, lat: float) -> tuple[float, float]:
    """Forward shift; outside China the datum is WGS-84 itself."""
    if not inside_china(lng, lat):
        return lng, lat
    x, y = lng - 105.0, lat - 35.0
    rad = math.radians(lat)
    curve = 1 - _ECCENTRICITY2 * math.sin(rad) ** 2
    north = _shift_north(x, y) * 180.0 / ((_AXIS * (1 - _ECCENTRICITY2)) / (curve * math.sqrt(curve)) * math.pi)
    east = _shift_east(x, y) * 180.0 / (_AXIS / math.sqrt(curve) * math.cos(rad) * math.pi)
    return lng + east, lat + north


def from_wgs84(lng: float, lat: float, crs: Crs) -> tuple[float, float]:
    """A WGS-84 place in another datum; what `to_wgs84` undoes."""
    match crs:
        case Crs.WGS84 | Crs.CGCS2000:
            return lng, lat
        case Crs.GCJ02:
            return wgs84_to_gcj02(lng, lat)
        case Crs.BD09:
            return _gcj02_to_bd09(*wgs84_to_gcj02(lng, lat))


def _undone(shift: Callable[[float, float], tuple[float, float]], lng: float, lat: float) -> tuple[float, float]:
    """What `shift` moves here, by fixed-point iteration; the shifts are smooth, so a few rounds settle it."""
    guess_lng, guess_lat = lng, lat
    for _ in range(20):
        there_lng, there_lat = shift(guess_lng, guess_lat)
        off_lng, off_lat = lng - there_lng, lat - there_lat
        guess_lng, guess_lat = guess_lng + off_lng, guess_lat + off_lat
        if abs(off_lng) < _CONVERGED and abs(off_lat) < _CONVERGED:
            break
    return guess_lng, guess_lat


def _gcj02_to_bd09(lng: float, lat: float) -> tuple[float, float]:
    radius = math.hypot(lng, lat) + 0.00002 * math.sin(lat * _BD_ANGLE)
    angle = math.atan2(lat, lng) + 0.000003 * math.cos(lng * _BD_ANGLE)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006


def _ripple(x: float) -> float:
    return (20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)) * (2.0 / 3.0)


def _shift_north(x: float, y: float) -> float:
    plain = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    swell = (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * (2.0 / 3.0)
    return (
        plain + _ripple(x) + (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * (2.0 / 3.0) + swell
    )


def _shift_east(x: float, y: float) -> float:
    plain = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    swell = (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * (2.0 / 3.0)
    return (
        plain + _ripple(x) + (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * (2.0 / 3.0) + swell
    )


def metres_between(lng1: float, lat1: float, lng2: float, lat2: float) -> float:
    """Great-circle distance in metres, good to a fraction of a percent."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half_lat, half_lng = (phi2 - phi1) / 2, math.radians(lng2 - lng1) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin(half_lng) ** 2
    return 2 * 6371008.8 * math.asin(min(1.0, math.sqrt(chord)))
