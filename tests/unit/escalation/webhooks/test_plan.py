"""The retry plan and the breaker."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.escalation.settings import WebhookSettings
from services.escalation.webhooks.failures import Failure, failure_of
from services.escalation.webhooks.plan import Breaker, next_try, retry_after

NOW = datetime(2026, 9, 30, 9, 0, tzinfo=UTC)
SCHEDULE = WebhookSettings().schedule_s


@given(st.integers(1, len(SCHEDULE)), st.integers())
def test_each_wait_is_within_a_fifth_of_the_plan(failed: int, seed: int) -> None:
    due = next_try(SCHEDULE, failed, NOW, random.Random(seed))
    assert due is not None
    wait = (due - NOW).total_seconds()
    assert 0.8 * SCHEDULE[failed - 1] <= wait <= 1.2 * SCHEDULE[failed - 1]


def test_after_the_last_there_is_none() -> None:
    assert next_try(SCHEDULE, len(SCHEDULE) + 1, NOW, random.Random(1)) is None


def test_a_receiver_may_ask_for_more_patience_but_not_for_less() -> None:
    longer = next_try(SCHEDULE, 1, NOW, random.Random(1), retry_after_s=600)
    assert longer == NOW + timedelta(seconds=600)
    shorter = next_try(SCHEDULE, 2, NOW, random.Random(1), retry_after_s=1)
    assert shorter is not None
    assert shorter >= NOW + timedelta(seconds=240)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("Wed, 30 Sep 2026 09:01:00 GMT", 60.0),
        ("Wed, 30 Sep 2020 09:01:00 GMT", 0.0),
        ("later", None),
        ("²", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


def test_the_breaker_opens_at_the_fifth_failure_and_doubles_its_pause_to_a_quarter_of_an_hour() -> None:
    breaker, now = Breaker(0, 0, None), NOW
    pauses = []
    for _ in range(12):
        breaker = breaker.after_failure(now)
        pauses.append(breaker.open_for_s)
        now = breaker.open_until or now
    assert pauses == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    healed = breaker.after_success(now)
    assert (healed.failures, healed.open_for_s, healed.open_until) == (0, 0, None)


def test_failures_under_way_when_the_breaker_opened_do_not_lengthen_its_pause() -> None:
    breaker = Breaker(4, 0, None).after_failure(NOW)
    for _ in range(8):
        breaker = breaker.after_failure(NOW + timedelta(seconds=1))
    assert breaker == Breaker(13, 30, NOW + timedelta(seconds=30))


def met(outcomes: str, *, apart_s: float = 1.0) -> Breaker:
    """A breaker after these outcomes: + accepted, - failed."""
    breaker, now = Breaker(0, 0, None), NOW
    for outcome in outcomes:
        breaker = breaker.after_success(now) if outcome == "+" else breaker.after_failure(now)
        now += timedelta(seconds=apart_s)
    return breaker


@pytest.mark.parametrize(
    ("outcomes", "apart_s", "open_for_s"),
    [
        ("+--" * 6 + "+-", 1.0, 30),  # 13 of 20 in twenty seconds, never five in a row
        ("+--" * 6 + "-", 1.0, 0),  # nineteen are too few to judge
        ("+-" * 20, 1.0, 0),  # half of them is not most
        ("+--" * 20, 5.0, 0),  # twelve a minute are too few
    ],
)
def test_the_breaker_opens_when_most_of_twenty_in_a_minute_failed(
    outcomes: str, apart_s: float, open_for_s: int
) -> None:
    assert met(outcomes, apart_s=apart_s).open_for_s == open_for_s


def test_after_its_pause_the_minute_is_counted_anew() -> None:
    breaker = met("+--" * 6 + "+-")
    assert breaker.open_until is not None
    healed = breaker.after_success(breaker.open_until)
    assert healed.after_failure(breaker.open_until).open_until is None


@pytest.mark.parametrize(
    ("status", "error", "wanted"),
    [
        (None, "timeout", Failure.TIMEOUT),
        (None, "tls", Failure.TLS),
        (None, "refused_address", Failure.ADDRESS),
        (None, "secret_unreadable", Failure.SECRET),
        (None, "ServerDisconnectedError", Failure.UNREACHABLE),
        (200, "rejected", Failure.REJECTED),
        (302, None, Failure.REDIRECTED),
        (410, None, Failure.REFUSED),
        (429, None, Failure.THROTTLED),
        (503, None, Failure.RECEIVER_ERROR),
    ],
)
def test_failures_fall_into_few_classes(status: int | None, error: str | None, wanted: Failure) -> None:
    assert failure_of(status, error) is wanted
