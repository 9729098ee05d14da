"""What can be done to the system: one coroutine per kind of harm, which returns once the harm is healed.

Each gets the world and its strike, does it, waits until what it hurt is well again, and answers a word for the report.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from tests.chaos.faults import engines, hours, messages, outside, processes
from tests.chaos.plan import Fault, Strike
from tests.chaos.world import World

Doing = Callable[[World, Strike], Awaitable[str]]

FAULTS: Final[Mapping[Fault, Doing]] = {
    Fault.KILL: processes.kill,
    Fault.KILL_UNDER_LOAD: processes.kill_under_load,
    Fault.TERMINATE: processes.terminate,
    Fault.FREEZE: processes.freeze,
    Fault.FREEZE_IN_TRANSACTION: processes.freeze_in_transaction,
    Fault.ROLLING_RESTART: processes.rolling_restart,
    Fault.KILL_BACKEND: engines.kill_backend,
    Fault.BROKER_OUTAGE: engines.broker_outage,
    Fault.DATABASE_OUTAGE: engines.database_outage,
    Fault.DISK_FULL: engines.disk_full,
    Fault.HANG_UP: engines.hang_up,
    Fault.EXHAUST: engines.exhaust,
    Fault.CUT_COMMIT: outside.cut_commit,
    Fault.CLOCK_STEP: hours.clock_step,
    Fault.DATABASE_CLOCK: hours.database_clock,
    Fault.RECEIVER_REFUSES: outside.receiver_refuses,
    Fault.RECEIVER_ERRORS: outside.receiver_errors,
    Fault.RECEIVER_SLOW: outside.receiver_slow,
    Fault.POISON: messages.poison,
    Fault.DUPLICATES: messages.duplicates,
}

__all__ = ["FAULTS"]
