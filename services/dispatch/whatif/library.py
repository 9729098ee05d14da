"""The rulebooks that a comparison needs, each with the days that were in force when it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

from schemas.rulebook import load_rulebook
from schemas.rulebook_faults import RulebookFileError
from services.dispatch.whatif.replay import Books
from services.governance.rulebook import Rulebook

Texts = tuple[tuple[str, str], ...]
"""Name and TOML of each file."""


class UnknownDays(LookupError):
    """A rulebook version or a calendar revision that the directory does not hold."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Texts alone, so that it can be handed to another process. `days`: calendars to be used for the changed rulebook
    instead of those that were in force."""

    versions: Texts
    calendars: tuple[Texts, ...]  # as they stood after each change, oldest first
    changed: str
    name: str
    days: Texts | None = None

    @classmethod
    def of(
        cls,
        versions: Mapping[str, str],
        calendars: Sequence[Mapping[str, str]],
        changed: str,
        name: str,
        days: Mapping[str, str] | None,
    ) -> Shelf:
        states = tuple(tuple(sorted(state.items())) for state in calendars)
        return cls(
            tuple(sorted(versions.items())), states, changed, name, tuple(sorted(days.items())) if days else None
        )


@dataclass(slots=True)
class Library:
    """Reads each rulebook once. Raises RulebookFileError for the changed one."""

    shelf: Shelf
    _read: dict[tuple[str, int], Rulebook] = field(default_factory=dict)
    _states: dict[str, int] = field(default_factory=dict)

    def own(self, version: str) -> Books:
        """The rulebook of a version. Asked for what is not there it raises UnknownDays."""
        return partial(self._own, version)

    def changed(self, calendar: str) -> Rulebook:
        """The changed rulebook with the days of a revision."""
        if self.shelf.days is not None:
            return self._load("", -1, self.shelf.days)
        state = self._state(calendar)
        return self._load("", state, self.shelf.calendars[state])

    def newest(self, version: str) -> Rulebook:
        return self._own(version, "")

    def _own(self, version: str, calendar: str) -> Rulebook:
        state = self._state(calendar)
        return self._load(version, state, self.shelf.calendars[state])

    def _load(self, version: str, state: int, days: Texts) -> Rulebook:
        known = self._read.get((version, state))
        if known is None:
            text, name = (self._text(version), version) if version else (self.shelf.changed, self.shelf.name)
            known = self._read[(version, state)] = load_rulebook(text, dict(days), name)
        return known

    def _text(self, version: str) -> str:
        for known, text in self.shelf.versions:
            if known == version:
                return text
        raise UnknownDays(f"rulebook {version}")

    def _state(self, calendar: str) -> int:
        """Which state of the calendars a revision names; the newest for ''."""
        last = len(self.shelf.calendars) - 1
        if last < 0:
            raise UnknownDays("no calendar")
        if not calendar:
            return last
        known = self._states.get(calendar)
        return known if known is not None else self._find(calendar)

    def _find(self, calendar: str) -> int:
        for state in range(len(self.shelf.calendars) - 1, -1, -1):
            for version, _ in self.shelf.versions:
                try:
                    book = self._load(version, state, self.shelf.calendars[state])
                except RulebookFileError:  # its calendar came later than that state
                    continue
                self._states.setdefault(book.calendar.revision, state)
            if calendar in self._states:
                return self._states[calendar]
        raise UnknownDays(f"calendar {calendar}")


@cache
def library_of(shelf: Shelf) -> Library:
    """One library per shelf and process."""
    return Library(shelf)
