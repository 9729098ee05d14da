"""The answer in words, ready to be laid out on a terminal or on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.dispatch.usecases.words import Words
from services.dispatch.whatif.explain import Part, tiers, unit_name
from services.dispatch.whatif.figures import Bin, Figures
from services.dispatch.whatif.model import UNIT, Compared, Side
from services.governance.rulebook import Rulebook

_HOUR, _DAY = 3600, 86400


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked. `own`: the street's versions by their names, with how many cases were opened under each."""

    changed: Rulebook
    name: str
    own: tuple[tuple[str, int], ...]
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """One figure of the first screen."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A pair of amounts, before and after."""

    label: str
    before: int
    after: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """One of the largest differences."""

    case_no: str
    matter: str
    opened: str
    ended: str  # why it was compared no further; '' to the end
    changes: tuple[str, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class View:
    """All words of the answer, in the order in which they are read."""

    lang: str
    title: str
    street: str
    rulebooks: str
    period: str
    cases: str
    counts: tuple[Count, ...]
    nothing: str  # where nothing differs
    listed: tuple[Listed, ...]
    unlisted: str
    loads: tuple[Bar, ...]
    helping: tuple[Bar, ...]
    breaches: tuple[Bar, ...]
    shifts: tuple[tuple[str, int], ...]
    clocks: tuple[tuple[str, ...], ...]  # a header row, then one per kind
    parted: tuple[Count, ...]
    faults: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class Writer:
    """Puts figures into the words of one language."""

    question: Question
    figures: Figures
    words: Words

    def view(self, listed: Sequence[tuple[Compared, tuple[Part, ...]]]) -> View:
        """Everything; `listed` are the largest differences with their explanations."""
        figures, book = self.figures, self.question.changed
        return View(
            lang=self.words.labels.lang,
            title=self._text("title"),
            street=f"{book.street.name} {book.street.code}",
            rulebooks=self._rulebooks(),
            period=self._text(
                "period", since=self.words.moment(self.question.since), until=self.words.moment(self.question.until)
            ),
            cases=self._cases(),
            counts=tuple(self._counts()),
            nothing="" if figures.differ else self._text("nothing"),
            listed=tuple(self._listed(one, parts) for one, parts in listed),
            unlisted=self._text("unlisted", n=figures.unlisted) if figures.unlisted else "",
            loads=tuple(Bar(self._unit(load.unit), load.before, load.after) for load in figures.loads),
            helping=tuple(
                Bar(self._unit(load.unit), load.helping_before, load.helping_after)
                for load in figures.loads
                if load.helping_before or load.helping_after
            ),
            breaches=tuple(
                Bar(self._category(row.key), row.before, row.after, self._come_and_gone(row.gone, row.come))
                for row in figures.by_category
            ),
            shifts=tuple((self._bin(each), each.count) for each in figures.shifts) if self._any_shift() else (),
            clocks=tuple(self._clocks()),
            parted=tuple(Count(self.why(why), str(n)) for why, n in figures.parted),
            faults=tuple(Count(self._fault(why), str(n)) for why, n in figures.faults),
        )

    # --- the first screen ---------------------------------------------------------------------------------------
    def _rulebooks(self) -> str:
        own = ", ".join(f"{name} ({n})" for name, n in self.question.own) or "-"
        changed = self.question.changed
        return self._text("rulebooks", own=own, name=self.question.name, edition=changed.edition or changed.version)

    def _cases(self) -> str:
        f = self.figures
        told = [self._text("cases", n=f.cases), self._text("compared", n=f.compared)]
        told += [self._text("history", n=f.history)] if f.history else []
        told += [self._text("diverged", n=f.diverged), self._text("not_reproducible", n=f.not_reproducible)]
        return " · ".join(told)

    def _counts(self) -> list[Count]:
        f = self.figures
        usable = f.compared + f.diverged
        counted = (("unit", f.unit), ("tier", f.tier), ("due", f.due), ("route", f.route))
        told = [Count(self._text(f"changes.{name}"), str(n), _share(n, usable)) for name, n in counted]
        note = self._come_and_gone(f.breaches_gone, f.breaches_come)
        return [*told, Count(self._text("breaches"), f"{f.breaches_before} → {f.breaches_after}", note)]

    def _come_and_gone(self, gone: int, come: int) -> str:
        return self._text("come_and_gone", gone=gone, come=come)

    # --- the largest --------------------------------------------------------------------------------------------
    def _listed(self, one: Compared, parts: tuple[Part, ...]) -> Listed:
        return Listed(
            case_no=one.case_no,
            matter=self._category(one.category or ""),
            opened=self.words.moment(one.opened_at),
            ended=self._ended(one),
            changes=tuple(self._changes(one)),
            parts=parts,
        )

    def _ended(self, one: Compared) -> str:
        if not one.why or one.at is None:
            return ""
        return self._text("ended", at=self.words.moment(one.at), why=self.why(one.why))

    def _changes(self, one: Compared) -> list[str]:
        """What differs, in a few words each: unit, tiers, the largest shift, breaches."""
        if one.before is None or one.after is None:
            return []
        told: list[str] = []
        if one.unit_changes:
            told.append(f"{self._side_unit(one.before)} → {self._side_unit(one.after)}")
        elif one.route_changes:
            told.append(self._text("changes.route"))
        if one.tier_changes:
            told.append(self._text("tiers", before=tiers(one.before, self.words), after=tiers(one.after, self.words)))
        moved = [shift for shift in one.shifts if shift.seconds is not None]
        if moved:
            largest = max(moved, key=lambda shift: abs(shift.seconds or 0))
            told.append(f"{self.words.word('clock_kind', largest.kind)} {self.shift(largest.seconds or 0)}")
        if one.breaches_gone or one.breaches_come:
            told.append(self._come_and_gone(one.breaches_gone, one.breaches_come))
        return told

    def shift(self, seconds: int) -> str:
        """'2 h 30 min later'."""
        return self._text("later" if seconds > 0 else "earlier", amount=self.words.amount(abs(seconds)))

    def why(self, why: str) -> str:
        """Why a case was compared no further."""
        kind, _, rest = why.partition(":")
        if kind != "refused":
            return self._text(f"why.{UNIT if kind == UNIT else 'task'}")
        action, _, code = rest.partition(":")
        return self._text("why.refused", action=self.words.word("action", action), problem=self._problem(code))

    def _fault(self, why: str) -> str:
        kind, _, rest = why.partition(":")
        told = self.words.word("fact", rest) if kind in ("fact", "missing") else rest
        return self._text(f"fault.{kind}", what=self._problem(rest) if kind == "refused" else told)

    def _problem(self, code: str) -> str:
        return self.words.word("problem", code) if code else ""

    # --- tables -------------------------------------------------------------------------------------------------
    def _clocks(self) -> list[tuple[str, ...]]:
        rows = [
            (
                self.words.word("clock_kind", row.kind),
                str(row.earlier),
                str(row.later),
                self.shift(row.middle_s) if row.middle_s else "-",
                str(row.only_before),
                str(row.only_after),
            )
            for row in self.figures.by_clock
        ]
        heads = ("kind", "earlier", "later", "middle", "only_before", "only_after")
        return [tuple(self._text(f"column.{name}") for name in heads), *rows] if rows else []

    def _any_shift(self) -> bool:
        return any(each.count for each in self.figures.shifts)

    def _bin(self, each: Bin) -> str:
        if each.low is None:
            return f"-{_short(each.high or 0)} …"
        if each.high is None:
            return f"… +{_short(each.low)}"
        near, far = sorted((abs(each.low), abs(each.high)))
        return f"{'-' if each.high <= 0 else '+'}{_short(near)}–{_short(far)}"

    def _side_unit(self, side: Side) -> str:
        return self._unit(side.unit or "")

    def _unit(self, code: str) -> str:
        return unit_name(code, self.question.changed, self.words)

    def _category(self, code: str) -> str:
        if not code:
            return self._text("no_class")
        known = self.question.changed.categories.get(code)
        return f"{code} {known.name}" if known is not None else code

    def _text(self, key: str, **values: object) -> str:
        return self.words.labels.text(f"whatif.{key}", **values)


def _share(n: int, of: int) -> str:
    return f"{100 * n / of:.1f} %" if of else ""


def _short(seconds: int) -> str:
    """'8h', '3d': ends of a column."""
    seconds = abs(seconds)
    return f"{seconds // _DAY}d" if seconds >= _DAY else f"{seconds // _HOUR}h"
