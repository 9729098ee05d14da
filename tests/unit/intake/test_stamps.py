"""The time that is carried from one write to the next is the database's, and late rather than early."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.intake.store.submissions import Stamp
from services.intake.usecases.stamps import Stamps

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Watch:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_nothing_is_at_hand_before_the_first_write() -> None:
    assert Stamps(Watch()).take(1) is None


def test_what_a_write_told_goes_on_with_the_seconds_that_passed() -> None:
    watch = Watch()
    stamps = Stamps(watch)
    stamps.told(Stamp(NOON, (7, 8, 9)))
    watch.seconds += 1.5
    assert stamps.take(2) == Stamp(NOON + timedelta(seconds=1.5), (7, 8))


def test_no_number_is_given_twice_and_too_few_are_none() -> None:
    stamps = Stamps(Watch())
    stamps.told(Stamp(NOON, (1, 2)))
    stamps.told(Stamp(NOON, (3,)))
    assert stamps.take(4) is None
    assert [stamp.numbers for stamp in (stamps.take(2), stamps.take(1)) if stamp] == [(1, 2), (3,)]
    assert stamps.take(1) is None


def test_a_write_brings_along_what_two_of_its_size_need() -> None:
    stamps = Stamps(Watch())
    assert stamps.wanted(3) == 6
    stamps.told(Stamp(NOON, tuple(range(5))))
    assert (stamps.wanted(3), stamps.wanted(1)) == (1, 0)


def test_after_a_fault_the_database_is_asked_again() -> None:
    stamps = Stamps(Watch())
    stamps.told(Stamp(NOON, (1, 2)))
    stamps.forget()
    assert stamps.take(1) is None
    assert stamps.wanted(1) == 2
