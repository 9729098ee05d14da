"""The public progress page as plain values: six steps, dates, words; nothing that names a person.

A restricted matter shows its class and community only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.labels import Labels
from services.chassis.clock import LOCAL
from services.chassis.directory.model import Directory
from services.chassis.houses import without_house_numbers
from services.governance.acts import CategoryRef
from services.governance.cycle import ClosedKind, Stage, State
from services.governance.rulebook import Rulebook
from services.intake.store.reading import CaseSeen, ReportSeen
from services.intake.tables.rows import StepRow
from services.intake.usecases.words import ANSWERS, Words

_SHORT = "%m-%d %H:%M"
_LONG = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class BarStep:
    """One of the six steps. `mark`: done, now, todo or skipped; `note` says when, or why it was not walked."""

    name: str
    mark: str
    note: str


@dataclass(frozen=True, slots=True)
class Line:
    """One public fact, with what was written for the reporter."""

    at: str
    text: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class TrackPage:
    """Everything the page shows."""

    lang: str
    receipt_no: str
    case_no: str | None
    state: str
    category: str | None
    community: str | None
    submitted: str
    due: str | None
    bar: tuple[BarStep, ...]
    lines: tuple[Line, ...]
    restricted: bool
    sample: bool
    updated: str
    words_missing: bool


def track_page(
    report: ReportSeen,
    told: tuple[Sequence[StepRow], Sequence[StepRow]],
    words: Words,
    directory: Directory,
    rulebook: Rulebook | None,
    labels: Labels,
    now: datetime,
) -> TrackPage:
    """The page of one report. `told`: the steps of its case, and those of the one it was before a merge, if it was."""
    case, (steps, before) = report.case, told
    category = _category_name(report, rulebook)
    restricted = case.restricted if case else bool(category and category[1])
    street = directory.streets.get(report.street)
    return TrackPage(
        lang=labels.lang,
        receipt_no=report.receipt_no,
        case_no=None if restricted or case is None else case.case_no,
        state=_state(case, labels),
        category=category[0] if category else None,
        community=directory.name_of(report.community) if report.community else None,
        submitted=_local(report.submitted_at, _LONG),
        due=_local(case.due_at, _LONG) if case and case.due_at and not restricted else None,
        bar=() if restricted else tuple(_bar(report, steps, labels)),
        lines=() if restricted else tuple(_line(step, words, labels) for step in story(steps, before)),
        restricted=restricted,
        sample=bool(street and street.sample),
        updated=_local(now, _LONG),
        words_missing=words.missing,
    )


def _line(step: StepRow, words: Words, labels: Labels) -> Line:
    # the page is open to who has its link
    said = "" if step.kind in ANSWERS else without_house_numbers(words.under(step))
    return Line(_local(step.at, _LONG), _fact(step.kind, labels), said)


def story(steps: Sequence[StepRow], before: Sequence[StepRow]) -> list[StepRow]:
    """The reporter's own matter up to the merge, and the master's from then on."""
    merged_at = max((step.at for step in before if step.state == State.MERGED), default=None)
    return [*before, *(step for step in steps if merged_at is None or step.at > merged_at)]


def _bar(report: ReportSeen, steps: Sequence[StepRow], labels: Labels) -> list[BarStep]:
    case = report.case
    now = Stage(case.stage) if case else Stage.DISCOVERY
    over = case is not None and case.closed_at is not None
    skipped = {entry["stage"]: entry["why"] for entry in case.skipped} if case else {}
    entered = {step.stage: step.at for step in reversed(steps)} | {Stage.DISCOVERY.value: report.submitted_at}
    bar = []
    for stage in Stage:
        name = labels.word("stage", stage.value)
        if stage.value in skipped:
            bar.append(BarStep(name, "skipped", labels.text(f"stage.skipped.{skipped[stage.value]}")))
        elif stage is now and not over:
            bar.append(BarStep(name, "now", _when(entered, stage)))
        elif stage.value in entered:
            bar.append(BarStep(name, "done", _when(entered, stage)))
        else:
            bar.append(BarStep(name, "todo", ""))
    return bar


def _when(entered: dict[str, datetime], stage: Stage) -> str:
    at = entered.get(stage.value)
    return _local(at, _SHORT) if at else ""


def _state(case: CaseSeen | None, labels: Labels) -> str:
    if case is None:
        return labels.word("state", State.REPORTED.value)
    special = case.closed_as if case.closed_as in (ClosedKind.SELF, ClosedKind.UNFOUNDED, ClosedKind.DECLINED) else None
    return labels.word("state", case.state, special)


def _fact(kind: str, labels: Labels) -> str:
    return labels.text(f"fact.{kind}")


def _category_name(report: ReportSeen, rulebook: Rulebook | None) -> tuple[str, bool] | None:
    if rulebook is None or report.category is None or report.scheme is None or report.edition is None:
        return None
    found = rulebook.category_of(CategoryRef(report.scheme, report.edition, report.category))
    return (found.name, found.restricted) if found else None


def _local(at: datetime, form: str) -> str:
    return at.astimezone(LOCAL).strftime(form)
