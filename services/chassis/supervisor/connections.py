"""How many database connections each part may hold, and all of them together: what `max_connections` has to allow.

Every process keeps a pool of its own and never more than that (`max_overflow=0`); what must own a session for itself
is counted beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from services.chassis.supervisor.table import Command

EVERY_PROCESS: Final = ("a look whether the database is there, when the process seems to hang",)
OF_THEIR_OWN: Final = {
    "relay": (
        "the session that owns the shards of the outbox and reads them",
        "the session that keeps house, one process of a service at a time",
        "the session that counts deadlines anew, should housekeeping take that up (dispatch)",
    ),
    "timers": ("the session that compares the timers with the clocks of the cases, one process at a time",),
    "import": ("the session that lets one import run at a time",),
}
"""What a process of this verb holds beside its pool: one connection each."""

COMMANDS_BESIDE: Final = 2
"""Commands of a person (`grid import`, `grid count`, a migration) that must find room while everything runs."""


@dataclass(frozen=True, slots=True)
class Use:
    """One process and the most connections it holds, each from its own side of the pooler where there is one."""

    part: str
    application: str
    pool: int
    own: int

    @property
    def most(self) -> int:
        return self.pool + self.own


def uses(commands: Sequence[Command], pool: int) -> Iterator[Use]:
    """Every process that runs all the time."""
    for command in commands:
        if not command.once:
            verb = command.arguments[0]
            application = command.role if verb == "serve" else f"{command.role}-{verb}"
            yield Use(command.name, application, pool, len(EVERY_PROCESS) + len(OF_THEIR_OWN.get(verb, ())))


def needed(commands: Sequence[Command], pool: int) -> int:
    """Connections of everything at once, with room for a person's commands."""
    beside = pool + len(OF_THEIR_OWN["import"])
    return sum(use.most for use in uses(commands, pool)) + COMMANDS_BESIDE * beside
