"""Ids rise; tokens do not repeat."""

from __future__ import annotations

from uuid import UUID

from services.chassis.ids import SystemIds, uuid7_from


def test_ids_rise_strictly_within_a_millisecond() -> None:
    ids = SystemIds(milliseconds=lambda: 1_700_000_000_000)
    made = [ids.uuid7() for _ in range(5000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_rise_though_the_clock_steps_back() -> None:
    moments = iter([2000, 1000, 1000, 3000])
    ids = SystemIds(milliseconds=lambda: next(moments))
    made = [ids.uuid7() for _ in range(4)]
    assert made == sorted(made)


def test_an_id_is_version_seven_and_carries_its_moment() -> None:
    made = SystemIds(milliseconds=lambda: 0x0192_ABCD_1234).uuid7()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == 0x0192_ABCD_1234


def test_a_used_up_millisecond_borrows_from_the_next() -> None:
    ids = SystemIds(milliseconds=lambda: 5)
    first = ids.uuid7()
    ids._counter = (1 << 42) - 1
    after = ids.uuid7()
    assert after > first
    assert after.int >> 80 == 6


def test_the_smallest_id_of_a_moment() -> None:
    assert uuid7_from(1) == UUID("00000000-0001-7000-8000-000000000000")


def test_tokens_are_long_and_differ() -> None:
    ids = SystemIds()
    made = {ids.token(24) for _ in range(50)}
    assert len(made) == 50
    assert all(len(token) == 32 for token in made)
