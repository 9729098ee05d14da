"""Which pushes go together in one message."""

from __future__ import annotations

from uuid import UUID

import pytest

from services.chassis.ids import SystemIds
from services.escalation.notices.composing import composed
from services.escalation.notices.pushes import Due

ROBOT = "0190aaaa-0000-7000-8000-000000000001"


def due(n: int, *, outlet: str = ROBOT, fact: int | None = None, who: str = "a", **more: bool) -> Due:
    chosen = {"digest": False, "urgent": False, "read": False, **more}
    return Due(n, outlet, who, fact_id=UUID(int=n if fact is None else fact), **chosen)


def sent(rows: list[Due], room: int, active: bool = True) -> list[tuple[int, ...]]:
    made = composed(rows, {ROBOT: room}, {ROBOT} if active else (), SystemIds())
    return [message.notice_ids for message in made.messages]


def test_one_message_a_fact_calls_upon_everybody_of_the_group() -> None:
    assert sent([due(1, fact=7), due(2, fact=7, who="b"), due(3)], 20) == [(1, 2), (3,)]


def test_more_than_a_robot_may_say_goes_in_its_last_message_danger_first() -> None:
    rows = [*(due(n) for n in range(1, 6)), due(6, urgent=True)]
    assert sent(rows, 3) == [(6,), (1,), (2, 3, 4, 5)]
    assert sent(rows, 1) == [(6, 1, 2, 3, 4, 5)]


@pytest.mark.parametrize("room", [0, -3])
def test_no_room_waits(room: int) -> None:
    assert sent([due(1)], room) == []


def test_to_a_person_each_goes_singly_and_the_rest_in_one() -> None:
    rows = [due(1, outlet="email"), due(2, outlet="email", digest=True), due(3, outlet="email", digest=True)]
    rows += [due(4, outlet="email", digest=True, who="b"), due(5, outlet="sms")]
    made = composed(rows, {}, (), SystemIds())
    assert [(m.outlet, m.account_id, m.notice_ids) for m in made.messages] == [
        ("email", "a", (1,)),
        ("email", "a", (2, 3)),
        ("email", "b", (4,)),
        ("sms", "a", (5,)),
    ]


def test_what_was_read_meanwhile_and_what_has_no_robot_any_more_does_not_go() -> None:
    rows = [due(1, outlet="email", digest=True, read=True), due(2, outlet="email", read=True)]
    made = composed(rows, {}, (), SystemIds())
    assert made.dropped == {"email": [1]}
    assert [m.notice_ids for m in made.messages] == [(2,)]
    gone = composed([due(3)], {}, (), SystemIds())
    assert (gone.dropped, gone.messages) == ({ROBOT: [3]}, [])
