"""What a rulebook says about one matter: route, limits, ladders, the machine's own acts; as words and as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from schemas.labels import Labels
from schemas.route_words import NotTaken, RouteWords
from schemas.sentences import sentence
from services.governance import sla
from services.governance.acts import ActorRef, Classified, Clock, Fact, OpenCase, Routed, Rung, Spot
from services.governance.case import Case, advance
from services.governance.case.classify import matter_of
from services.governance.case.turn import runs
from services.governance.cycle import ClockKind, MachineRule, Nature, Urgency
from services.governance.explain import explain
from services.governance.routing import Matter, RouteKind, match
from services.governance.rulebook import Condition, Rulebook
from services.governance.tiers import is_urgent

_MOMENT = "%Y-%m-%d %H:%M"
_JOINTS = {"zh-CN": "；", "en-US": "; "}


@dataclass(frozen=True, slots=True)
class Question:
    """A matter somebody asks about. `at` counts as the moment of the report and as the start of every clock."""

    category: str | None
    condition: str | None
    spot: Spot
    source: str
    nature: Nature
    danger: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class LadderMoment:
    """One point of a clock's ladder. `held_until`: when a push that is not urgent goes out, if not at once."""

    at: str
    act: str
    told: tuple[str, ...]
    words: str
    held_until: str | None


@dataclass(frozen=True, slots=True)
class ClockAnswer:
    """One limit, as if its clock began at the moment asked about. `due` None: it does not run for this nature."""

    kind: str
    label: str
    limit: str
    due: str | None
    sentence: str
    ladder: tuple[LadderMoment, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything `grid rulebook explain` tells."""

    version: str
    edition: str
    category: str | None
    category_name: str
    condition: str
    condition_text: str
    urgency: str
    restricted: bool
    at: str
    lead: str | None
    lead_name: str
    co_units: tuple[str, ...]
    co_names: tuple[str, ...]
    line: str | None
    basis: str
    basis_words: str
    because: tuple[str, ...]
    not_taken: tuple[NotTaken, ...]
    clocks: tuple[ClockAnswer, ...]
    machine: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


class Answering:
    """Answers from one rulebook in one language."""

    def __init__(self, book: Rulebook, lang: str) -> None:
        self._book = book
        self._labels = Labels(lang)
        self._words = RouteWords(book, self._labels)

    def answer(self, asked: Question) -> Answer:
        """Raises UnknownCategory and UnknownCondition."""
        if not asked.spot.street:
            asked = replace(asked, spot=Spot(self._book.street.code))
        category = self._book.require_category(asked.category) if asked.category else None
        condition = self._condition(asked)
        case, _ = self._case(asked, condition, staff=True)
        routed = case.routed or Routed(None, (), None, "none")
        return Answer(
            version=self._book.version,
            edition=self._book.edition,
            category=category.code if category else None,
            category_name=category.name if category else self._labels.text("routing.unsure"),
            condition=condition.id,
            condition_text=condition.text,
            urgency=case.urgency.value,
            restricted=case.restricted,
            at=self._local(asked.at),
            lead=routed.lead,
            lead_name=self._words.unit(routed.lead),
            co_units=routed.co_units,
            co_names=tuple(self._words.unit(unit) for unit in routed.co_units),
            line=routed.line,
            basis=routed.basis,
            basis_words=next((x.basis for x in self._book.catalogue if x.id == routed.line), ""),
            because=self._words.because(routed),
            not_taken=self._words.not_taken(routed, self._matter(case)),
            clocks=tuple(self._clocks(case, condition, asked.at)),
            machine=tuple(self._machine(asked, condition)),
        )

    # --- the matter as a case -----------------------------------------------------------------------------------
    def _condition(self, asked: Question) -> Condition:
        """By id, or by its number within the class."""
        category = self._book.require_category(asked.category) if asked.category else None
        if asked.condition is None:
            chosen = category.conditions[0] if category and not asked.danger else None
            return self._book.conditions[chosen] if chosen else self._proposed(asked)
        wanted = asked.condition
        if category is not None and wanted.isdigit() and 1 <= int(wanted) <= len(category.conditions):
            wanted = category.conditions[int(wanted) - 1]
        return self._book.require_condition(wanted, category)

    def _proposed(self, asked: Question) -> Condition:
        _, case = advance(None, _opening(asked, self._book, staff=True), self._book, asked.at)
        return self._book.condition_of(case.condition if case else None, asked.danger)

    def _case(self, asked: Question, condition: Condition, *, staff: bool) -> tuple[Case, tuple[Fact, ...]]:
        """The case that such a report opens, with the condition asked about as the class's first."""
        facts, case = advance(None, _opening(asked, self._book, staff=staff), self._first(asked, condition), asked.at)
        if case is None:
            raise LookupError("a report always opens a case")
        return case, facts

    def _first(self, asked: Question, condition: Condition) -> Rulebook:
        """The same rules, proposing this condition for this class."""
        category = self._book.categories.get(asked.category or "")
        if category is None:
            return self._book
        others = tuple(each for each in category.conditions if each != condition.id)
        return replace(
            self._book,
            categories={**self._book.categories, category.code: replace(category, conditions=(condition.id, *others))},
        )

    def _matter(self, case: Case) -> Matter:
        known = Classified(case.category, case.condition, case.urgency, case.restricted, proposed=True)
        return matter_of(case, known, self._book)

    # --- clocks -------------------------------------------------------------------------------------------------
    def _clocks(self, case: Case, condition: Condition, at: datetime) -> Iterator[ClockAnswer]:
        for kind in ClockKind:
            if kind is not ClockKind.WHOLE and kind is not ClockKind.HANDLING and kind not in self._book.limits:
                continue
            label = self._labels.word("clock_kind", kind)
            budget = self._book.limit_of(condition, kind)
            limit = self._labels.text(f"explain.unit.{budget.unit.value}", n=budget.value)
            if not runs(case.nature, kind):
                yield ClockAnswer(kind, label, limit, None, self._labels.text("rulebook.explain.not_run"), ())
                continue
            clock = self._clock(case, kind, condition, at)
            told = sentence(explain(case, clock, (), self._book), self._labels, self._book.calendar)
            ladder = tuple(self._ladder(clock, case.urgency))
            yield ClockAnswer(kind, label, limit, self._local(clock.due_at), told, ladder)

    def _clock(self, case: Case, kind: ClockKind, condition: Condition, at: datetime) -> Clock:
        book = self._book
        allowance = (
            sla.whole_case(condition, case.urgency, at, book)
            if kind is ClockKind.WHOLE
            else sla.allow(book.limit_of(condition, kind), at, book)
        )
        return sla.start(book, f"{case.case_id}:{kind.value}:1", kind, allowance, at, case.urgency)

    def _ladder(self, clock: Clock, urgency: Urgency) -> Iterator[LadderMoment]:
        ladder = self._book.ladders[clock.kind]
        for rung in sorted(clock.rungs, key=lambda each: each.at):
            step = ladder.step_of(rung.rung)
            told = tuple(self._labels.word("tell", post) for post in (step.tell if step is not None else ()))
            words = self._labels.text(f"rung_act.{rung.act}")
            if step is not None and step.every is not None:
                every = self._labels.text(f"explain.unit.{step.every.unit.value}", n=step.every.value)
                words = self._labels.text("rulebook.explain.every", words=words, every=every)
            held = None if is_urgent(urgency) else self._held(rung)
            yield LadderMoment(self._local(rung.at), rung.act, told, words, held)

    def _held(self, rung: Rung) -> str | None:
        """When the quiet hours around a moment end."""
        quiet, local = self._book.quiet, self._book.calendar.local(rung.at)
        minute = local.hour * 60 + local.minute
        if quiet.begins <= quiet.ends:
            held = quiet.begins <= minute < quiet.ends
        else:
            held = minute >= quiet.begins or minute < quiet.ends
        if not held:
            return None
        days = 1 if minute >= quiet.ends else 0
        ends = local.replace(hour=quiet.ends // 60, minute=quiet.ends % 60, second=0) + timedelta(days=days)
        return ends.strftime(_MOMENT)

    # --- the machine --------------------------------------------------------------------------------------------
    def _machine(self, asked: Question, condition: Condition) -> Iterator[str]:
        """What follows at once from such a report, by staff and by a resident."""
        for who, staff in (("staff", True), ("resident", False)):
            _, facts = self._case(asked, condition, staff=staff)
            acts = dict.fromkeys(self._act(fact) for fact in facts if fact.rule is not None)
            told = _JOINTS[self._labels.lang].join(acts)
            name = self._labels.text(f"rulebook.explain.{who}")
            yield self._labels.text("rulebook.explain.reports", who=name, acts=told)
        if self._by_itself(asked, condition):
            yield f"{self._labels.text('rule.auto_dispatch')} [auto_dispatch]"

    def _by_itself(self, asked: Question, condition: Condition) -> bool:
        """Whether the machine may dispatch it once it stands at the street, reported by staff and with nothing near."""
        category = self._book.categories.get(asked.category or "")
        if category is None or not category.auto_dispatch or not self._book.does(MachineRule.DISPATCH):
            return False
        case, _ = self._case(asked, condition, staff=True)
        found = match(self._matter(case), self._book.catalogue)
        return len(found.lines) == 1 and found.kind is not RouteKind.FALLBACK and not case.restricted

    def _act(self, fact: Fact) -> str:
        rule = fact.rule.rule if fact.rule else ""
        return f"{self._labels.text(f'rule.{rule}')} [{rule}]"

    def _local(self, at: datetime) -> str:
        return self._book.calendar.local(at).strftime(_MOMENT)


def _opening(asked: Question, book: Rulebook, *, staff: bool) -> OpenCase:
    category = book.categories.get(asked.category or "")
    return OpenCase(
        case_id=str(UUID(int=0)),
        case_no="0",
        report_id=str(UUID(int=0)),
        reporter=ActorRef("reporter"),
        reported_at=asked.at,
        source=asked.source,
        nature=asked.nature,
        category=category.ref if category else None,
        danger=asked.danger,
        life=False,
        spot=asked.spot,
        staff=staff,
    )


def spot_of(code: str) -> Spot:
    """A place by the code of a street (9 digits), community (12), grid (14) or cell (15); '' for none."""
    street, community = code[:9], code[:12] if len(code) >= 12 else None
    return Spot(street, community, code if len(code) == 14 else None, code if len(code) == 15 else None)
