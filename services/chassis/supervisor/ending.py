"""How a life of a part ended: for people one line, for metrics one word."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Self


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
    def asked(self) -> bool:
        """Somebody wanted it: no failure."""
        return self.reason == "asked"
