"""An explanation of a due time as one sentence, in the words of one language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from schemas.labels import Labels
from services.governance.case.grounds import Rests
from services.governance.explain import Explanation, Rule, Step, StepKind
from services.governance.worktime import Basis, Calendar

_JOINTS = {"zh-CN": ("，", "；", "。", "、", ""), "en-US": (", ", "; ", ". ", ", ", " ")}


def sentence(told: Explanation, labels: Labels, calendar: Calendar) -> str:
    """Such as 9月30日（周三）17:00派遣起计，当日计1小时；…；应于10月8日11:00前办结。依据：…。"""
    return _Writer(told, labels, calendar).whole()


def steps(told: Explanation, labels: Labels, calendar: Calendar) -> tuple[str, ...]:
    """The same, one part to a line: what was counted or left out, when it is due, what it rests on."""
    return _Writer(told, labels, calendar).apart()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class _Writer:
    told: Explanation
    labels: Labels
    calendar: Calendar

    def whole(self) -> str:
        _, between, end, _, _ = _JOINTS[self.labels.lang]
        sentences = [_capital(between.join(self._clauses())), *self._grounds()]
        return "".join(each + end for each in sentences).strip()

    def apart(self) -> tuple[str, ...]:
        return (*(_capital(clause) for clause in self._clauses()), *self._grounds())

    def _grounds(self) -> Iterator[str]:
        yield self._basis()
        for year in self.told.provisional_years:
            yield self._text("clock.provisional", year=year)

    # --- steps ------------------------------------------------------------------------------------------------------
    def _clauses(self) -> Iterator[str]:
        steps, comma = list(self.told.steps), _JOINTS[self.labels.lang][0]
        beginning, counted = self._start(steps), False
        if len(steps) > 1 and steps[1].same_day and steps[1].kind in (StepKind.COUNTED, StepKind.OFF_HOURS):
            beginning += comma + self._that_day(steps[1])
            counted = steps[1].kind is StepKind.COUNTED
            del steps[1]
        yield beginning
        for step in steps[1:]:
            yield self._counted(step, counted) if step.kind is StepKind.COUNTED else _CLAUSES[step.kind](self, step)
            counted = counted or step.kind is StepKind.COUNTED
        if self.told.original_due != self.told.due_at:
            yield self._text("explain.original", at=self._at(self.told.original_due))

    def _start(self, steps: list[Step]) -> str:
        step = steps[0]
        same_day = next((s for s in steps if s.kind is StepKind.COUNTED and s.same_day and s.at >= step.at), None)
        at = self._at(step.at, weekday=True, name=self._name(same_day) if same_day else "")
        return self._by("explain.start", step, at=at)

    def _that_day(self, step: Step) -> str:
        if step.kind is StepKind.OFF_HOURS:
            return self._text("explain.off_hours")
        return self._text("explain.that_day", amount=self._amount(step.seconds)) + self._windows(step)

    def _counted(self, step: Step, before: bool) -> str:
        amount = self._amount(step.seconds)
        if self.told.basis is not Basis.WORK:
            return self._text("explain.without_break", amount=amount)
        if step.days > 1:
            return self._text("explain.days", days=self._range(step), n=step.days, amount=amount)
        name = self._name(step)
        at = self._at(step.at, weekday=bool(name), name=name)
        return self._text("explain.more" if before else "explain.from", at=at, amount=amount) + self._windows(step)

    def _skipped(self, step: Step) -> str:
        name = self._name(step)
        why = self._text("explain.holiday", name=name) if name else self._text("explain.weekend")
        return self._text("explain.skipped", days=self._range(step), why=why)

    def _off_hours(self, step: Step) -> str:
        return self._text("explain.off_hours.on", day=self._range(step))

    def _happened(self, step: Step) -> str:
        """Paused, resumed, extended, computed anew, stopped."""
        amount = self._amount(step.seconds)
        return self._by(f"explain.{step.kind.value}", step, at=self._at(step.at), amount=amount)

    def _stopped(self, step: Step) -> str:
        said, over = self._happened(step), step.seconds - self.told.budget_s
        if over <= 0:
            return said
        ratio = f"{over / max(1, self.told.budget_s):.2f}"
        return said + _JOINTS[self.labels.lang][0] + self._text("explain.late", ratio=ratio)

    def _amount_only(self, step: Step) -> str:
        return self._text(f"explain.{step.kind.value}", amount=self._amount(step.seconds))

    def _due(self, step: Step) -> str:
        act = self._text(f"explain.act.{self.told.kind.value}")
        return self._text("explain.due", at=self._at(step.at), act=act)

    def _windows(self, step: Step) -> str:
        """The hours themselves where lunch or another break lies between them."""
        if len(step.windows) < 2:
            return ""
        joint, space = _JOINTS[self.labels.lang][3:]
        hours = joint.join(f"{self._time(begin)}–{self._time(end)}" for begin, end in step.windows)
        return space + self._text("explain.windows", windows=hours)

    # --- what it rests on -----------------------------------------------------------------------------------------
    def _basis(self) -> str:
        rule, comma = self.told.rule, _JOINTS[self.labels.lang][0]
        parts = [self._condition(rule), self._limit(rule), self._text("explain.rules", edition=rule.edition)]
        return self._text("explain.basis", grounds=comma.join(parts))

    def _condition(self, rule: Rule) -> str:
        if rule.category is None or rule.number is None:
            return self._text("explain.condition.plain", condition=rule.condition)
        name, code = rule.category.name, rule.category.code
        return self._text("explain.condition", name=name, code=code, number=rule.number)

    def _limit(self, rule: Rule) -> str:
        ground = rule.ground
        if ground.budget is None:
            return self._text(f"explain.rests.{ground.rests.value}")
        limit = self._text(f"explain.unit.{ground.budget.unit.value}", n=ground.budget.value)
        if rule.convention is not None:
            limit += _JOINTS[self.labels.lang][4] + self._text(
                f"explain.convention.{rule.convention.value}", amount=self._amount(rule.day_s)
            )
        if ground.rests is Rests.STAGE:
            return self._text("explain.rests.stage", kind=self._text(f"clock_kind.{self.told.kind.value}"), limit=limit)
        return self._text("explain.rests.whole", limit=limit) if ground.rests is Rests.WHOLE else limit

    # --- dates and amounts ----------------------------------------------------------------------------------------
    def _text(self, key: str, **values: object) -> str:
        return self.labels.text(key, **values)

    def _by(self, key: str, step: Step, **values: object) -> str:
        """With what happened, where there is a word for it."""
        by = f"explain.by.{step.fact}"
        if by in self.labels:
            return self._text(f"{key}.by", by=self._text(by), **values)
        return self._text(key, **values)

    def _name(self, step: Step) -> str:
        return step.name if self.labels.lang == "zh-CN" else step.english or step.name

    def _at(self, at: datetime, *, weekday: bool = False, name: str = "") -> str:
        day = self.calendar.local(at).date()
        values = {"date": self._date(day), "time": self._time(at)}
        if not weekday:
            return self._text("explain.at", **values)
        values["weekday"] = self._text(f"weekday.{day.isoweekday()}")
        if name:
            return self._text("explain.at.named", name=name, **values)
        return self._text("explain.at.weekday", **values)

    def _range(self, step: Step) -> str:
        first, last = step.first, step.last
        if first is None or last is None:
            return ""
        if first == last:
            return self._date(first)
        same_month = (first.year, first.month) == (last.year, last.month)
        if not same_month:
            return self._text("explain.range", first=self._date(first), last=self._date(last))
        month, year = self._text(f"month.{first.month}"), self._year(first)
        key = "explain.range.month.year" if year else "explain.range.month"
        return self._text(key, month=month, first=first.day, last=last.day, **year)

    def _date(self, day: date) -> str:
        year = self._year(day)
        key = "explain.date.year" if year else "explain.date"
        return self._text(key, month=self._text(f"month.{day.month}"), day=day.day, **year)

    def _year(self, day: date) -> Mapping[str, int]:
        """Told only where it is not the year in which the clock began."""
        return {} if day.year == self.calendar.local(self.told.started_at).year else {"year": day.year}

    def _time(self, at: datetime) -> str:
        local = self.calendar.local(at)
        return f"{local.hour}:{local.minute:02}"

    def _amount(self, seconds: int) -> str:
        hours, minutes = divmod(max(0, seconds) // 60, 60)
        days, rest = divmod(hours, 24)
        if self.told.basis is not Basis.WORK and days and not minutes:
            key = "clock.amount.dh" if rest else "explain.amount.d"
            return self._text(key, d=days, h=rest)
        if not hours:
            return self._text("clock.amount.m", m=minutes)
        return self._text("clock.amount.hm" if minutes else "explain.amount.h", h=hours, m=minutes)


_CLAUSES: Mapping[StepKind, Callable[[_Writer, Step], str]] = {
    StepKind.STARTED: _Writer._happened,  # noqa: SLF001 - the class's own table
    StepKind.SKIPPED: _Writer._skipped,  # noqa: SLF001
    StepKind.OFF_HOURS: _Writer._off_hours,  # noqa: SLF001
    StepKind.USED: _Writer._amount_only,  # noqa: SLF001
    StepKind.LEFT: _Writer._amount_only,  # noqa: SLF001
    StepKind.PAUSED: _Writer._happened,  # noqa: SLF001
    StepKind.RESUMED: _Writer._happened,  # noqa: SLF001
    StepKind.EXTENDED: _Writer._happened,  # noqa: SLF001
    StepKind.RECOMPUTED: _Writer._happened,  # noqa: SLF001
    StepKind.STOPPED: _Writer._stopped,  # noqa: SLF001
    StepKind.DUE: _Writer._due,  # noqa: SLF001
}
