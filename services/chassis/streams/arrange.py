"""Decide for each event of a batch whether it is applied, held, dead or dropped. Pure: positions in, plan out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from services.chassis.streams.message import Item, Lane, Why


class Standing(NamedTuple):
    """How far a lane has come, and how many of its events are held."""

    last_seq: int
    held: int


UNSEEN = Standing(0, 0)


@dataclass(slots=True)
class Move:
    """What happens to one lane in this batch."""

    before: Standing
    last_seq: int
    held: int = 0
    """By how much the number of held events changes."""

    @property
    def unblocked(self) -> bool:
        """It moved on and has held events, which may follow now."""
        return self.last_seq > self.before.last_seq and self.before.held + self.held > 0


@dataclass(slots=True)
class Plan:
    """A batch, sorted by what becomes of its events."""

    ready: list[Item] = field(default_factory=list)
    held: list[tuple[Item, Why]] = field(default_factory=list)
    dead: list[Item] = field(default_factory=list)
    duplicates: int = 0
    moves: dict[Lane, Move] = field(default_factory=dict)

    @property
    def unblocked(self) -> set[Lane]:
        """Lanes whose held events may follow now."""
        return {lane for lane, move in self.moves.items() if move.unblocked}


def arrange(items: Sequence[Item], fresh: AbstractSet[UUID], standings: Mapping[Lane, Standing]) -> Plan:
    """Walk the batch in order.

    `fresh` are the ids this transaction claimed (new in the inbox, or taken out of `held_events`). A lane moves on
    only by its next number, so a dead or unknown event stops its lane and nothing else.
    """
    plan = Plan()
    left = set(fresh)
    for item in items:
        lane, head = item.lane, item.head
        if lane is None or head is None:
            plan.dead.append(item)
        elif head.id not in left:
            plan.duplicates += 1
        else:
            left.discard(head.id)
            before = standings.get(lane, UNSEEN)
            move = plan.moves.setdefault(lane, Move(before, before.last_seq))
            move.held -= item.held
            _place(plan, item, move, head.sequence)
    return plan


def _place(plan: Plan, item: Item, move: Move, sequence: int) -> None:
    if sequence <= move.last_seq:
        plan.duplicates += 1
    elif item.dead is not None:
        plan.dead.append(item)
    elif item.unknown is not None:
        plan.held.append((item, Why.UNKNOWN))
        move.held += 1
    elif sequence > move.last_seq + 1:
        plan.held.append((item, Why.GAP))
        move.held += 1
    else:
        plan.ready.append(item)
        move.last_seq = sequence


def applicable(held: Sequence[tuple[Standing, Item]]) -> list[Item]:
    """Of events held, in order per lane, those that can go now: the next of their lane, and what follows without a gap.

    Leftovers the lane has passed already come along, to be cleared away; what still cannot be read stops its lane.
    """
    going: list[Item] = []
    reached: dict[Lane, int] = {}
    stopped: set[Lane] = set()
    for standing, item in held:
        lane, head = item.lane, item.head
        if lane is None or head is None or lane in stopped:
            continue
        last = reached.setdefault(lane, standing.last_seq)
        if head.sequence > last + 1 or (item.unknown is not None and head.sequence == last + 1):
            stopped.add(lane)
            continue
        going.append(item)
        if item.dead is not None:
            stopped.add(lane)
        reached[lane] = max(last, head.sequence)
    return going
