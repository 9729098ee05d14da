"""What will be done to the system, drawn beforehand from a seed: the same seed and length give the same plan.

A plan is decks of cards. Each deck holds every kind of harm once and a kill of every process, in random order, so that
even a short run meets all of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Fault(StrEnum):
    """One kind of harm."""

    KILL = "kill"  # kill -9; PostgreSQL: immediate stop
    KILL_UNDER_LOAD = "kill under load"  # a worker, at 200 events a second, with nothing else going on: measured
    KILL_BACKEND = "kill a backend"  # kill -9 of one of PostgreSQL's own processes: it restarts them all
    TERMINATE = "terminate"  # SIGTERM
    FREEZE = "freeze"  # SIGSTOP, later SIGCONT: a zombie
    FREEZE_IN_TRANSACTION = "freeze in a transaction"
    ROLLING_RESTART = "rolling restart"
    BROKER_OUTAGE = "broker outage"
    DATABASE_OUTAGE = "database outage"
    DISK_FULL = "disk full"
    HANG_UP = "hang up"  # the database ends every connection, several times
    EXHAUST = "no connection left"
    CUT_COMMIT = "commit cut off"  # the connection breaks at COMMIT: its outcome is unknown
    CLOCK_STEP = "clock step"  # the wall clock of some processes jumps by up to ten minutes
    DATABASE_CLOCK = "database clock step"  # the one that decides jumps ahead: nothing may fire for a while
    RECEIVER_REFUSES = "receiver refuses"
    RECEIVER_ERRORS = "receiver answers 500"
    RECEIVER_SLOW = "receiver slow"
    POISON = "poison"
    DUPLICATES = "duplicates"


GROUND: Final = frozenset(
    {
        Fault.KILL_UNDER_LOAD,
        Fault.KILL_BACKEND,
        Fault.BROKER_OUTAGE,
        Fault.DATABASE_OUTAGE,
        Fault.DISK_FULL,
        Fault.EXHAUST,
        Fault.DATABASE_CLOCK,
    }
)
"""The next harm waits until these are over."""
ALONE: Final = frozenset({Fault.KILL_UNDER_LOAD, Fault.DATABASE_CLOCK})
"""Done in long runs only, when all else is well."""
ENGINES: Final = ("postgres", "kafka")
ZOMBIE_S: Final = 40.0
FAR_S: Final = 60.0
"""Who is down when the supervisor is stopped for longer stays down for so long: all must be well before."""
LONG_MIN: Final = 5.0
"""Runs of so many minutes take their time: zombies outlive every time-out, a measured kill under load."""
OUTAGE_MIN: Final = 25.0
"""Runs of so many minutes have one outage each of the length that the design promises to survive."""
BROKER_AWAY_S: Final = 600.0
DATABASE_AWAY_S: Final = 300.0
EACH_S: Final = 8.0
"""About so much time between two cards of a long run."""
BACK_S: Final = {"kafka": 6.0, "postgres": 2.0}
WORKERS: Final = ("dispatch-worker-1", "dispatch-worker-2")
GUEST: Final = "guest-"
"""Processes of the suite's own. No supervisor ends them while they are stopped, so they come back as zombies."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One harm: when (seconds of the run), what, to whom, for how long. `seed` is for what it draws itself."""

    number: int
    at_s: float
    fault: Fault
    target: str
    lasts_s: float
    seed: int

    @property
    def blocks(self) -> bool:
        """Whether nothing else can be done meanwhile."""
        return self.fault in GROUND or (self.fault is Fault.KILL and self.target in ENGINES)

    @property
    def waits(self) -> bool:
        """Whether everything that was hurt before has to be well first."""
        return self.fault in ALONE or self.lasts_s > FAR_S


@dataclass(frozen=True, slots=True)
class _Card:
    fault: Fault
    target: str = ""


def draw(
    seed: int, minutes: float, victims: Sequence[str], without: AbstractSet[Fault] = frozenset()
) -> tuple[Strike, ...]:
    """The plan. `victims` are the processes that can be killed; `without` is what cannot be done on this machine."""
    rng = random.Random(seed)
    cards = _cards(victims, minutes, without)
    decks = max(1, round((minutes * 60 - _outages_s(minutes)) / _deck_s(cards, minutes)))
    dealt = [(number == 0, card) for number in range(decks) for card in _shuffled(rng, cards, victims)]
    if minutes >= LONG_MIN and Fault.DATABASE_CLOCK not in without:  # it stays wrong: nothing is measured by it after
        dealt.append((False, _Card(Fault.DATABASE_CLOCK)))
    lengths = [_lasts(rng, card, minutes, first) for first, card in dealt]
    blocked = sum(_blocks(card, length) for length, (_, card) in zip(lengths, dealt, strict=True))
    gap = max(1.0, (minutes * 60 - blocked) / len(dealt))
    strikes, at = [], 0.0
    for number, ((_, card), length) in enumerate(zip(dealt, lengths, strict=True), start=1):
        at += gap * rng.uniform(0.5, 1.5)
        strikes.append(Strike(number, round(at, 1), card.fault, card.target, round(length, 1), rng.getrandbits(32)))
        at += _blocks(card, length)
    return tuple(strikes)


def _blocks(card: _Card, length: float) -> float:
    """For about how many seconds nothing else is done: what it lasts, and what an engine takes to come back."""
    if card.fault is Fault.KILL:
        return BACK_S.get(card.target, 0.0)
    if card.fault not in GROUND:
        return 0.0
    return length + BACK_S.get("kafka" if card.fault is Fault.BROKER_OUTAGE else "postgres", 0.0)


def _deck_s(cards: Sequence[_Card], minutes: float) -> float:
    """About how long a deck takes, without the two long outages."""
    rng = random.Random(0)
    return sum(EACH_S + _blocks(card, _lasts(rng, card, minutes, first=False)) for card in cards) or EACH_S


def _outages_s(minutes: float) -> float:
    return BROKER_AWAY_S + DATABASE_AWAY_S if minutes >= OUTAGE_MIN else 0.0


def _cards(victims: Sequence[str], minutes: float, without: AbstractSet[Fault]) -> list[_Card]:
    kills = [_Card(Fault.KILL, victim) for victim in victims if Fault.KILL not in without]
    aimed = {Fault.FREEZE: _own(victims), Fault.TERMINATE: _own(victims)}
    others = [
        _Card(fault, "any" if fault in aimed else "")
        for fault in Fault
        if fault not in without and fault is not Fault.KILL and fault not in ALONE
    ]
    zombies = [_Card(Fault.FREEZE, victim) for victim in victims if victim.startswith(GUEST) and minutes >= LONG_MIN]
    others += [card for card in zombies if card.fault not in without]
    last = [_Card(Fault.KILL_UNDER_LOAD, worker) for worker in WORKERS if minutes >= LONG_MIN and worker in victims]
    return [*kills, *others, *(card for card in last if Fault.KILL_UNDER_LOAD not in without)]


def _own(victims: Iterable[str]) -> tuple[str, ...]:
    return tuple(victim for victim in victims if victim not in ENGINES)


def _shuffled(rng: random.Random, cards: Sequence[_Card], victims: Sequence[str]) -> list[_Card]:
    """In random order; who is frozen or terminated is drawn, and what is measured comes when all else is over."""
    own = _own(victims)
    mixed = [card for card in cards if card.fault is not Fault.KILL_UNDER_LOAD]
    rng.shuffle(mixed)
    measured = [card for card in cards if card.fault is Fault.KILL_UNDER_LOAD]
    return [_Card(card.fault, rng.choice(own)) if card.target == "any" else card for card in [*mixed, *measured]]


def _lasts(rng: random.Random, card: _Card, minutes: float, first: bool) -> float:
    """Seconds. In a short run a zombie still outlives Kafka's session and PostgreSQL's patience."""
    fault, long = card.fault, minutes >= LONG_MIN
    if fault is Fault.FREEZE and long and card.target.startswith(GUEST):
        return ZOMBIE_S
    if fault in (Fault.FREEZE, Fault.FREEZE_IN_TRANSACTION):
        return rng.uniform(20, 40) if long else rng.uniform(9, 14)
    if fault is Fault.BROKER_OUTAGE:
        return BROKER_AWAY_S if first and minutes >= OUTAGE_MIN else rng.uniform(20, 40) if long else 6.0
    if fault is Fault.DATABASE_OUTAGE:
        return DATABASE_AWAY_S if first and minutes >= OUTAGE_MIN else rng.uniform(15, 30) if long else 5.0
    if fault in (Fault.RECEIVER_REFUSES, Fault.RECEIVER_ERRORS, Fault.RECEIVER_SLOW):
        return rng.uniform(15, 30) if long else rng.uniform(4, 8)
    return _SHORT.get(fault, (0.0, 0.0))[long]


_SHORT: Final = {
    Fault.KILL_UNDER_LOAD: (30.0, 30.0),
    Fault.DISK_FULL: (4.0, 10.0),
    Fault.EXHAUST: (3.0, 6.0),
    Fault.HANG_UP: (2.0, 5.0),
    Fault.CUT_COMMIT: (4.0, 10.0),
    Fault.CLOCK_STEP: (6.0, 30.0),
    Fault.DATABASE_CLOCK: (40.0, 40.0),
}
"""Seconds in a short and in a long run."""
