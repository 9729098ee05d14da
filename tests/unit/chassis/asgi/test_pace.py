"""A burst, then a steady rate, for each key by itself; a refusal says how long to wait."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.asgi.pace import Bucket, Budget, Budgets, Pace
from services.chassis.asgi.problem import Problem


@dataclass
class Hand:
    """A clock moved by hand."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_burst_then_a_rate() -> None:
    hand = Hand()
    bucket = Bucket(Budget(per_minute=60, burst=3), hand)
    assert [bucket.take("a") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert bucket.take("a") == pytest.approx(1.0)
    assert bucket.take("b") == 0.0
    hand.at += 1.0
    assert bucket.take("a") == 0.0
    assert bucket.take("a") > 0
    hand.at += 600
    assert [bucket.take("a") for _ in range(4)].count(0.0) == 3


@given(st.lists(st.floats(0, 30), max_size=60), st.integers(1, 120), st.integers(1, 20))
def test_never_more_than_burst_and_rate_together_and_never_waits_in_vain(
    gaps: list[float], rate: int, burst: int
) -> None:
    hand = Hand()
    bucket, began, taken = Bucket(Budget(rate, burst), hand), hand.at, 0
    for gap in gaps:
        hand.at += gap
        wait = bucket.take("a")
        taken += wait == 0.0
        assert taken <= burst + (hand.at - began) * rate / 60 + 1e-6
        if wait > 0:
            hand.at += wait + 1e-6
            assert bucket.take("a") == 0.0
            taken += 1


def test_nought_is_no_limit() -> None:
    bucket = Bucket(Budget(per_minute=0, burst=0), Hand())
    assert {bucket.take("a") for _ in range(1000)} == {0.0}


def test_memory_is_bounded() -> None:
    hand = Hand()
    bucket = Bucket(Budget(per_minute=60, burst=1), hand, most_keys=10)
    for n in range(1000):
        assert bucket.take(str(n)) == 0.0
        assert len(bucket._whole) <= 10
    hand.at += 100
    assert bucket.take("new") == 0.0


def paces() -> Pace:
    one, many = Budget(60, 1), Budget(60, 1000)
    return Pace(Budgets(account=one, account_photos=many, address=one, address_photos=many, pages=one), Hand())


def test_addresses_reading_and_photos_count_apart() -> None:
    pace = paces()
    assert pace.by_address("POST", "/api/v1/reports", "10.0.0.1") is None
    refused = pace.by_address("POST", "/open311/v2/requests.json", "10.0.0.1")
    assert refused is not None
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (429, "too_fast", "1")
    assert refused.extra == {"retry_after_s": 1, "whose": "address"}
    assert pace.by_address("POST", "/api/v1/reports", "10.0.0.2") is None
    assert pace.by_address("GET", "/api/v1/reports", "10.0.0.1") is None
    assert pace.by_address("PUT", "/api/v1/reports/x/photos/p1", "10.0.0.1") is None
    assert pace.by_address("POST", "/api/v1/reports", None) is None
    assert pace.by_address("GET", "/t/abc", "10.0.0.1") is None
    assert pace.by_address("GET", "/t/abd.svg", "10.0.0.1") is not None


def test_one_line_of_ipv6_is_one_address() -> None:
    pace = paces()
    assert pace.by_address("POST", "/", "2001:db8::1") is None
    assert pace.by_address("POST", "/", "2001:db8::ffff:2") is not None
    assert pace.by_address("POST", "/", "2001:db8:0:1::1") is None


def test_accounts() -> None:
    pace = paces()
    pace.by_account("GET", "/api/v1/reports", "a")
    pace.by_account("POST", "/api/v1/reports", "a")
    pace.by_account("PUT", "/api/v1/reports/x/photos/p", "a")
    with pytest.raises(Problem) as told:
        pace.by_account("POST", "/api/v1/reports", "a")
    assert told.value.extra["whose"] == "account"
    pace.by_account("POST", "/api/v1/reports", "b")
