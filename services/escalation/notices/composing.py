"""Which pushes go together: each at once to a person, the day's rest in one; to a group one message a fact, and all in
one where more happened than its robot may say in a minute.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from services.chassis.ids import IdSource
from services.escalation.notices.choosing import MAIL, TEXT
from services.escalation.notices.pushes import Due, Message

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Composed:
    """Messages to write down, and notices that need not go any more, by outlet."""

    messages: list[Message] = field(default_factory=list)
    dropped: dict[str, list[int]] = field(default_factory=dict)


def composed(due: Sequence[Due], room: Mapping[str, int], active: Collection[str], ids: IdSource) -> Composed:
    """`room`: messages that each robot may still say in this minute. What finds no room waits for the next."""
    made = Composed()
    for outlet, rows in _grouped((one.outlet, one) for one in due).items():
        there = outlet in (MAIL, TEXT) or outlet in active
        gone = [one.notice_id for one in rows if not there or (one.digest and one.read)]
        if gone:
            made.dropped[outlet] = gone
        left = [one for one in rows if one.notice_id not in gone]
        groups = _of_people(left) if outlet in (MAIL, TEXT) else _of_group(left, room.get(outlet, 0))
        for group in groups:
            account = group[0].account_id if outlet in (MAIL, TEXT) else None
            made.messages.append(Message(ids.uuid7(), outlet, account, tuple(one.notice_id for one in group)))
    return made


def _of_people(rows: Sequence[Due]) -> list[list[Due]]:
    singly = [[one] for one in rows if not one.digest]
    together = _grouped((one.account_id, one) for one in rows if one.digest)
    return [*singly, *together.values()]


def _of_group(rows: Sequence[Due], room: int) -> list[list[Due]]:
    """Danger first; the last free place takes all that is left."""
    rest = [one for one in rows if one.digest]
    facts = list(_grouped((one.fact_id, one) for one in rows if not one.digest).values())
    facts.sort(key=lambda fact: not fact[0].urgent)
    wanted = len(facts) + bool(rest)
    if wanted <= room:
        return [*facts, *([rest] if rest else [])]
    if room <= 0:
        return []
    singly, left = facts[: room - 1], facts[room - 1 :]
    return [*singly, [*(one for fact in left for one in fact), *rest]]


def _grouped(pairs: Iterable[tuple[K, Due]]) -> dict[K, list[Due]]:
    groups: dict[K, list[Due]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
