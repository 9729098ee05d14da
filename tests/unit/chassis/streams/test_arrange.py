"""Which events of a batch are applied, held, dead or dropped."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Envelope, Head
from schemas.wire import Body
from services.chassis.streams.arrange import Move, Standing, applicable, arrange
from services.chassis.streams.message import Item, Lane, Message, Why

SOURCE, TOPIC = "grid/dispatch", "grid.case.v1"


def item(
    seq: int, key: str = "a", *, unknown: bool = False, dead: bool = False, held: bool = False, nr: int = 0
) -> Item:
    head = Head(UUID(int=(nr or seq) * 1000 + ord(key[0])), "case.noted", 1, SOURCE, key, seq)
    message = Message(TOPIC, 0, seq, key.encode(), {}, b"{}")
    if unknown:
        return Item(message, head, unknown="unknown type", held=held)
    if dead:
        return Item(message, head, dead="broken", held=held)
    return Item(message, head, envelope=_envelope(head), held=held)


def _envelope(head: Head) -> Envelope[Body]:
    from datetime import UTC, datetime

    return Envelope(
        id=head.id, type=head.type, version=1, source=SOURCE, time=datetime(2026, 9, 1, tzinfo=UTC),
        subject=head.subject, sequence=head.sequence, data=Body(),
    )  # fmt: skip


def lane(key: str = "a") -> Lane:
    return Lane(SOURCE, TOPIC, key.encode())


def ids(items: list[Item]) -> set[UUID]:
    return {each.head.id for each in items if each.head}


def numbers(items: list[Item]) -> list[int]:
    return [each.head.sequence for each in items if each.head]


def test_in_order_and_new() -> None:
    items = [item(1), item(1, "b"), item(2)]
    plan = arrange(items, ids(items), {})
    assert plan.ready == items
    assert {key: move.last_seq for key, move in plan.moves.items()} == {lane("a"): 2, lane("b"): 1}


def test_what_the_inbox_knows_is_dropped() -> None:
    items = [item(1), item(2)]
    plan = arrange(items, {UUID(int=2000 + ord("a"))}, {lane(): Standing(1, 0)})
    assert numbers(plan.ready) == [2]
    assert plan.duplicates == 1


def test_the_same_event_twice_in_a_batch_is_applied_once() -> None:
    items = [item(1), item(1)]
    plan = arrange(items, ids(items), {})
    assert (len(plan.ready), plan.duplicates) == (1, 1)


def test_an_old_number_is_dropped_though_the_inbox_has_forgotten_it() -> None:
    items = [item(3)]
    plan = arrange(items, ids(items), {lane(): Standing(5, 0)})
    assert (plan.ready, plan.duplicates, plan.moves[lane()].last_seq) == ([], 1, 5)


def test_a_gap_holds_its_lane_and_no_other() -> None:
    items = [item(1), item(3), item(1, "b"), item(4)]
    plan = arrange(items, ids(items), {})
    assert [(each.message.key, each.head.sequence) for each in plan.ready if each.head] == [(b"a", 1), (b"b", 1)]
    assert [why for _, why in plan.held] == [Why.GAP, Why.GAP]
    assert plan.moves[lane()] == Move(Standing(0, 0), 1, held=2)


@pytest.mark.parametrize("fault", ["unknown", "dead"])
def test_what_cannot_be_applied_stops_its_lane(fault: str) -> None:
    items = [item(1, unknown=fault == "unknown", dead=fault == "dead"), item(2), item(1, "b")]
    plan = arrange(items, ids(items), {})
    assert numbers(plan.ready) == [1]
    assert plan.ready[0].message.key == b"b"
    assert (len(plan.dead), len(plan.held)) == ((1, 1) if fault == "dead" else (0, 2))


def test_a_message_without_readable_attributes_is_dead_and_stops_nothing() -> None:
    broken = Item(Message(TOPIC, 0, 9, b"?", {}, b""), None, dead="ce_id: missing")
    items = [broken, item(1)]
    plan = arrange(items, ids(items), {})
    assert (plan.dead, numbers(plan.ready)) == ([broken], [1])


def test_the_missing_event_unblocks_its_lane() -> None:
    items = [item(2)]
    plan = arrange(items, ids(items), {lane(): Standing(1, 3)})
    assert plan.unblocked == {lane()}
    assert arrange([item(2)], ids(items), {lane(): Standing(1, 0)}).unblocked == set()


def test_a_held_event_that_is_applied_lowers_the_count() -> None:
    items = [item(2, held=True), item(3, held=True)]
    plan = arrange(items, ids(items), {lane(): Standing(1, 2)})
    assert plan.moves[lane()].held == -2
    assert plan.unblocked == set()


def test_of_held_events_only_the_next_without_a_gap_may_go() -> None:
    at = Standing(1, 5)
    held = [(at, item(n, held=True)) for n in (1, 2, 3, 5)] + [(Standing(0, 1), item(2, "b", held=True))]
    assert numbers(applicable(held)) == [1, 2, 3]


def test_a_held_event_still_unknown_stops_its_lane() -> None:
    at = Standing(1, 3)
    held = [(at, item(2, held=True)), (at, item(3, unknown=True, held=True)), (at, item(4, held=True))]
    assert numbers(applicable(held)) == [2]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 8)), max_size=40), st.integers(1, 10))
def test_however_events_come_each_lane_sees_one_two_three(arrivals: list[tuple[str, int]], size: int) -> None:
    """Any order, any repetition, any cutting into batches: what is applied is always 1, 2, 3, … per lane."""
    applied: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    seen: set[UUID] = set()
    standings: dict[Lane, Standing] = {}
    waiting: list[Item] = []

    def run(items: list[Item], fresh: set[UUID]) -> set[Lane]:
        plan = arrange(items, fresh, standings)
        for each in plan.ready:
            applied[each.message.key.decode()].append(each.head.sequence)  # type: ignore[union-attr]
        waiting.extend(each for each, _ in plan.held)
        for where, move in plan.moves.items():
            standings[where] = Standing(move.last_seq, move.before.held + move.held)
        return plan.unblocked

    for start in range(0, len(arrivals), size):
        items = [item(seq, key) for key, seq in arrivals[start : start + size]]
        unblocked = run(items, ids(items) - seen)
        seen |= ids(items)
        while unblocked:
            waiting.sort(key=lambda each: (each.message.key, each.message.offset))
            mine = [each for each in waiting if each.lane in unblocked]
            going = applicable([(standings[each.lane], _as_held(each)) for each in mine if each.lane])
            for each in going:
                waiting[:] = [other for other in waiting if other.head != each.head]
            unblocked = run(going, ids(going)) if going else set()

    for key, sequence in applied.items():
        assert sequence == list(range(1, len(sequence) + 1))
        arrived = {seq for other, seq in arrivals if other == key}
        assert len(sequence) == next(n for n in range(10) if n + 1 not in arrived), "everything that could go has gone"
    for where, standing in standings.items():
        assert standing.held == sum(each.lane == where for each in waiting)


def _as_held(each: Item) -> Item:

    return each._replace(held=True)
