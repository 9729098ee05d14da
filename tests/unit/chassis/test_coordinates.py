"""Datum conversion against published points; round trips to better than a centimetre."""

from __future__ import annotations

import pytest

from services.chassis.coordinates import Crs, inside_china, metres_between, to_wgs84, wgs84_to_gcj02

_CENTIMETRE = 1e-7  # degrees


@pytest.mark.parametrize(
    ("wgs", "gcj"),
    [
        ((118.84, 31.953), (118.845085, 31.950872)),
        ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
    ],
)
def test_forward_shift_at_known_points(wgs: tuple[float, float], gcj: tuple[float, float]) -> None:
    assert wgs84_to_gcj02(*wgs) == pytest.approx(gcj, abs=2e-6)


@pytest.mark.parametrize("lng", [75.0, 100.0, 113.06, 134.0])
@pytest.mark.parametrize("lat", [5.0, 23.69, 40.0, 53.0])
def test_inverse_undoes_the_shift(lng: float, lat: float) -> None:
    assert to_wgs84(*wgs84_to_gcj02(lng, lat), Crs.GCJ02) == pytest.approx((lng, lat), abs=_CENTIMETRE)


def test_bd09_at_a_known_point() -> None:
    # BD-09 (116.404, 39.915) is GCJ-02 (116.39762729119315, 39.90865673957631)
    expected = to_wgs84(116.39762729119315, 39.90865673957631, Crs.GCJ02)
    # the published inverse is a single step, good to some decimetres; ours undoes the shift itself
    assert to_wgs84(116.404, 39.915, Crs.BD09) == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("crs", [Crs.WGS84, Crs.CGCS2000])
def test_wgs84_and_cgcs2000_stay(crs: Crs) -> None:
    assert to_wgs84(113.06, 23.69, crs) == (113.06, 23.69)


def test_the_frame_around_the_country() -> None:
    assert inside_china(113.06, 23.69)
    assert not inside_china(23.69, 113.06)
    assert not inside_china(0.0, 0.0)


def test_distance() -> None:
    shifted = wgs84_to_gcj02(118.84, 31.953)
    assert 520 < metres_between(118.84, 31.953, *shifted) < 545
    assert metres_between(113.0, 23.0, 113.0, 23.0) == 0
