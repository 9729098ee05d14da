"""A heartbeat as it travels from a process to the supervisor."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

from services.chassis.watchdog.rules import Rule, Verdict


class BadBeat(ValueError):
    """Not a heartbeat of ours."""


@dataclass(frozen=True, slots=True)
class Beat:
    """How a process is. `verdict` comes with the last one, when it ends itself."""

    rss_mb: int
    serving: bool = True
    waits_for: str | None = None
    verdict: Verdict | None = None

    def encode(self) -> str:
        """One line."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def decode(cls, line: str) -> Self:
        """Raises BadBeat."""
        try:
            raw: dict[str, Any] = json.loads(line)
            verdict = raw.pop("verdict")
            return cls(**raw, verdict=Verdict(Rule(verdict["rule"]), str(verdict["told"])) if verdict else None)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadBeat(str(error)) from error
