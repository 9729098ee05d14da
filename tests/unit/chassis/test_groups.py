"""Which partitions of a topic nobody in a group reads."""

from __future__ import annotations

from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from services.chassis.groups import _read, unread

WANTED = {"a": 4, "b": 2}


def test_what_members_read_together_is_read() -> None:
    one = {"a": frozenset({0, 2}), "b": frozenset({0, 1})}
    other = {"a": frozenset({1, 3})}
    assert unread([one, other], WANTED) == {}


def test_new_partitions_that_nobody_has_taken_are_counted() -> None:
    one = {"a": frozenset({0, 1}), "b": frozenset({0, 1})}
    assert unread([one], WANTED) == {"a": 2}
    assert unread([{}], WANTED) == WANTED
    assert unread([], {"a": 1}) == {"a": 1}


def test_an_assignment_as_kafka_keeps_it() -> None:
    raw = ConsumerProtocolMemberAssignment(0, [("a", [0, 12]), ("b", [1])], b"whatever the client adds").encode()
    assert _read(raw) == {"a": frozenset({0, 12}), "b": frozenset({1})}
    assert _read(b"") == {}, "a member that has just come has nothing yet"
