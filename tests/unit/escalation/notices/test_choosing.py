"""By which ways a person hears of a notice; what of it holds while the key of the addresses is another one."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag

from services.chassis.directory import Directory
from services.chassis.secretbox import SecretBox
from services.escalation.notices.choosing import Ways, addresses, readable, sealed, ways_of
from services.escalation.notices.notice import Notice
from services.escalation.notices.ways import Choices

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
OURS, ANOTHER = SecretBox(b"k" * 32), SecretBox(b"x" * 32)
STREET = Directory(0)


def ways(*off: str, urgent: bool = False, box: SecretBox = OURS) -> list[str]:
    chosen = Choices(sealed({"email": "a@example.cn", "phone": "13800000000"}, OURS), off)
    notice = Notice(1, UUID(int=1), "a", "case.overdue", "C1", "owner", None, urgent, None, NOW)
    return ways_of(notice, Ways((), {"a": chosen}, mail=True, texts=True), STREET, NOW, box)


def test_a_short_message_is_for_danger_alone_and_what_is_not_wanted_does_not_go() -> None:
    assert ways() == ["email"]
    assert ways(urgent=True) == ["email", "sms"]
    assert ways("email", urgent=True) == ["sms"]


def test_under_another_key_a_push_is_tried_by_each_way_that_is_wanted() -> None:
    assert ways("sms", urgent=True, box=ANOTHER) == ["email"]
    assert ways(urgent=True, box=ANOTHER) == ["email", "sms"]


def test_under_another_key_a_person_finds_nothing_and_can_tell_it_anew() -> None:
    chosen = Choices(sealed({"email": "a@example.cn"}, OURS), ())
    assert readable(chosen, OURS) == {"email": "a@example.cn"}
    assert readable(chosen, ANOTHER) == readable(None, OURS) == {}
    with pytest.raises(InvalidTag):
        addresses(chosen, ANOTHER)
