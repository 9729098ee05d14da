"""What has arrived at the simulator, and what is odd about it: repeats, wrong signatures, an order that is broken."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message as the platform reads it. `why` says what is wrong with its proof; None: it is genuine."""

    message_id: str
    case: str
    what: str
    sequence: int
    whistle: bool = False
    case_no: str = ""
    pictures: tuple[str, ...] = ()
    why: str | None = None


@dataclass(slots=True)
class Book:
    """Counts, and the highest number of each case."""

    taken: int = 0
    repeats: int = 0
    forged: int = 0
    broken: int = 0
    seen: set[str] = field(default_factory=set)
    highest: dict[str, int] = field(default_factory=dict)

    def enter(self, arrived: Arrived) -> str:
        """Note a message that is taken; answers what is odd about it, '' where nothing is."""
        if arrived.why is not None:
            self.forged += 1
            return f"NOT GENUINE: {arrived.why}"
        if arrived.message_id in self.seen:
            self.repeats += 1
            return "a repeat"
        self.seen.add(arrived.message_id)
        self.taken += 1
        before = self.highest.get(arrived.case, 0)
        self.highest[arrived.case] = max(before, arrived.sequence)
        if arrived.sequence and arrived.sequence <= before:
            self.broken += 1
            return f"OUT OF ORDER: {arrived.sequence} after {before}"
        if arrived.sequence > before + 1:
            return f"a gap: {arrived.sequence} after {before}"
        return ""

    def told(self) -> str:
        """One line of sums."""
        return f"taken {self.taken}, repeats {self.repeats}, not genuine {self.forged}, out of order {self.broken}"
