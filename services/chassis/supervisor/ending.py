"""How a life of a part ended: for people one line, for metrics one word."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Self

from services.chassis.watchdog.rules import Rule


@dataclass(frozen=True, slots=True)
class Ending:
    """`reason` is one of `asked`, `exit`, `signal`, `failed` (could not be started) or a rule of the watchdog."""

    reason: str
    told: str
    code: int | None = None

    @classmethod
    def of_code(cls, code: int | None) -> Self:
        """From an exit code as `subprocess` gives it: negative for a signal."""
        if code is None or code >= 0:
            return cls("exit", f"exit code {code}", code)
        return cls("signal", f"killed by {signal.Signals(-code).name}", code)

    @property
    def needs_pause(self) -> bool:
        """Whether others may still count on the dead process. They have given up one that was silent for long."""
        return self.code != 0 and self.reason not in (Rule.SILENT, Rule.STUCK)

    @property
    def asked(self) -> bool:
        """Somebody wanted it: no failure."""
        return self.reason == "asked"
