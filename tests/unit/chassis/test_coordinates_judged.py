"""Our conversions beside another library's, over the whole country: the same shift, undone to a millimetre."""

from __future__ import annotations

import geocoordinates_ffi as other
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.chassis.coordinates import Crs, from_wgs84, inside_china, metres_between, to_wgs84

LNG = st.floats(73.0, 136.0, exclude_min=True, exclude_max=True)
LAT = st.floats(3.0, 54.5, exclude_min=True, exclude_max=True)
SAME_DEG = 1e-9
ROUND_TRIP_DEG, ROUND_TRIP_M = 1e-6, 0.1
EDGE_DEG = 0.02  # beside the frame's edge the shift itself ends, and what it moved out cannot be told from abroad


@given(lng=LNG, lat=LAT)
@settings(max_examples=300, deadline=None)
@example(lng=118.84, lat=31.953)
@example(lng=73.000001, lat=3.000001)
@example(lng=135.999999, lat=54.499999)
def test_the_shift_is_the_one_others_make(lng: float, lat: float) -> None:
    plain = other.Wgs84(lat=lat, lon=lng)
    gcj, bd = other.wgs84_to_gcj02(plain), other.wgs84_to_bd09(plain)
    assert from_wgs84(lng, lat, Crs.GCJ02) == pytest.approx((gcj.lon, gcj.lat), abs=SAME_DEG)
    assert from_wgs84(lng, lat, Crs.BD09) == pytest.approx((bd.lon, bd.lat), abs=SAME_DEG)


@given(
    lng=st.floats(73.0 + EDGE_DEG, 136.0 - EDGE_DEG),
    lat=st.floats(3.0 + EDGE_DEG, 54.5 - EDGE_DEG),
    crs=st.sampled_from(Crs),
)
@settings(max_examples=400, deadline=None)
def test_there_and_back_is_the_same_place(lng: float, lat: float, crs: Crs) -> None:
    back = to_wgs84(*from_wgs84(lng, lat, crs), crs)
    assert back == pytest.approx((lng, lat), abs=ROUND_TRIP_DEG)
    assert metres_between(lng, lat, *back) <= ROUND_TRIP_M


@given(lng=st.floats(74.0, 135.0), lat=st.floats(4.0, 53.5))
@settings(max_examples=300, deadline=None)
def test_the_way_back_agrees_with_others_as_far_as_they_promise(lng: float, lat: float) -> None:
    gcj = other.gcj02_to_wgs84_refined(other.Gcj02(lat=lat, lon=lng))
    bd = other.bd09_to_wgs84_refined(other.Bd09(lat=lat, lon=lng))
    for judge, crs in ((gcj, Crs.GCJ02), (bd, Crs.BD09)):
        assert metres_between(judge.lon, judge.lat, *to_wgs84(lng, lat, crs)) <= max(judge.max_error_m, ROUND_TRIP_M)


@given(lng=st.floats(-180, 180), lat=st.floats(-90, 90))
@settings(max_examples=200, deadline=None)
def test_outside_the_country_gcj02_is_wgs84(lng: float, lat: float) -> None:
    if not inside_china(lng, lat):
        assert from_wgs84(lng, lat, Crs.GCJ02) == (lng, lat)


@given(lng=st.floats(-180, 180), lat=st.floats(-90, 90))
@settings(max_examples=200, deadline=None)
@example(lng=73.0, lat=30.0)
@example(lng=136.0, lat=54.5)
def test_on_the_edge_and_beyond_a_conversion_ends_and_stays_near(lng: float, lat: float) -> None:
    for crs in Crs:
        assert metres_between(lng, lat, *to_wgs84(lng, lat, crs)) < 3_000


def test_cgcs2000_is_taken_as_wgs84() -> None:
    """The two differ by less than a metre, which no phone can tell."""
    assert to_wgs84(113.06, 23.69, Crs.CGCS2000) == (113.06, 23.69) == from_wgs84(113.06, 23.69, Crs.CGCS2000)
