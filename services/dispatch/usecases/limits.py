"""What holds for an act before it is filled in: how often, until when, who decides, what must be shown. In words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.dispatch.usecases.words import Words
from services.governance import sla
from services.governance.acts import InputType
from services.governance.case import Case, Offer, clock_of, count_of, live_clock
from services.governance.cycle import Action, ClockKind, State
from services.governance.moves import BY_STEP
from services.governance.rulebook import Rulebook

_WORK = {
    State.COMMUNITY_HANDLING: ClockKind.COMMUNITY_DISPOSAL,
    State.DISPATCHED: ClockKind.HANDLING,
    State.HANDLING: ClockKind.HANDLING,
    State.DISTRICT_HANDLING: ClockKind.DISTRICT_HANDLING,
}
_AHEAD = frozenset(
    {Action.SUPERVISE, Action.CALL_CONFERENCE, Action.HOLD_CONFERENCE, Action.ADD_CO, Action.SUSPEND_REQUEST}
)
"""Acts that name a moment to come."""
_FARTHEST = timedelta(days=366)
"""No act sets a day beyond this: a slip in the year is no order."""


class OutOfBounds(ValueError):
    """A moment named in an act lies before `earliest` or after `latest`; the other one is None."""

    def __init__(self, earliest: datetime | None, latest: datetime | None) -> None:
        super().__init__(f"{earliest} … {latest}")
        self.earliest = earliest
        self.latest = latest


def between(action: Action, case: Case, book: Rulebook, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The earliest and the latest moment that this act may name."""
    if action not in _AHEAD:
        return None, None
    if action is Action.SUSPEND_REQUEST:
        return now, now + timedelta(days=book.settings.suspension_most_days)
    parent = _parent(case) if action is Action.ADD_CO else None
    return now, parent if parent is not None and parent > now else now + _FARTHEST


def hold_to_bounds(action: Action, until: datetime | None, case: Case, book: Rulebook, now: datetime) -> None:
    """Raises OutOfBounds for a moment that the act's form would not have offered."""
    first, last = between(action, case, book, now)
    if until is not None and first is not None and until <= first:
        raise OutOfBounds(first, None)
    if until is not None and last is not None and until > last:
        raise OutOfBounds(None, last)


def _parent(case: Case) -> datetime | None:
    """When the work under way falls due; a share of it ends no later."""
    kind = _WORK.get(case.state)
    work = live_clock(case, kind) if kind is not None else None
    return work.due_at if work is not None else None


@dataclass(frozen=True, slots=True)
class Limits:
    """Tells of one case at one moment, under the rulebook that it keeps."""

    case: Case
    book: Rulebook
    words: Words
    now: datetime

    def of(self, offer: Offer) -> tuple[str, ...]:
        """In sentences; none for an act that anybody may do at any time."""
        own = _OWN.get(offer.action)
        told = [own(self) if own is not None else None, self._shown(offer), self._decided(offer)]
        return tuple(sentence for sentence in told if sentence)

    def between(self, action: Action) -> tuple[datetime | None, datetime | None]:
        """The earliest and the latest moment that a form of this act may name."""
        return between(action, self.case, self.book, self.now)

    def _text(self, key: str, **figures: object) -> str:
        return self.words.labels.text(f"limit.{key}", **figures)

    def _shown(self, offer: Offer) -> str | None:
        needed = any(each.type is InputType.EVIDENCE and each.required for each in offer.inputs)
        return self._text("evidence") if needed else None

    def _decided(self, offer: Offer) -> str | None:
        move = BY_STEP.get((offer.action, self.case.state)) if offer.ask else None
        posts = dict.fromkeys(self.words.word("role", grant.role) for grant in move.deciding) if move else {}
        joint = "、" if self.words.labels.lang == "zh-CN" else ", "
        return self._text("decided", posts=joint.join(posts)) if posts else None

    # --- acts with limits of their own ----------------------------------------------------------------------------
    def extension(self) -> str | None:
        kind = _WORK.get(self.case.state)
        work = live_clock(self.case, kind) if kind is not None else None
        if work is None:
            return None
        budget = self.book.limit_of(self.book.condition_of(self.case.condition, self.case.danger), work.kind)
        more = sla.allow(budget, work.started_at, self.book).seconds
        return self._text(
            "extend",
            n=count_of(self.case, "extensions"),
            most=self.book.settings.extensions_most,
            amount=self.words.amount(more, work.basis),
            time=self.words.moment(sla.extend(work, more, self.book, self.case.urgency).due_at),
        )

    def suspension(self) -> str:
        rules = self.book.settings
        return self._text("suspend", most=rules.suspension_most_days, leader=rules.suspension_leader_days)

    def giving_back(self) -> str | None:
        window = live_clock(self.case, ClockKind.RETURN_WINDOW)
        return self._text("return", time=self.words.moment(window.due_at)) if window is not None else None

    def recalling(self) -> str | None:
        undo = self.case.undo
        until = undo.at + timedelta(seconds=self.book.settings.recall_s) if undo is not None else None
        return self._text("recall", time=self.words.moment(until)) if until is not None else None

    def sharing(self) -> str | None:
        due = _parent(self.case)
        return self._text("co", time=self.words.moment(due)) if due is not None else None

    def handing_on(self) -> str | None:
        """The handling clock runs on under the next unit."""
        handling = clock_of(self.case, ClockKind.HANDLING)
        return self._text("redispatch", time=self.words.moment(handling.due_at)) if handling is not None else None


_OWN: Mapping[Action, Callable[[Limits], str | None]] = {
    Action.EXTEND_REQUEST: Limits.extension,
    Action.SUSPEND_REQUEST: Limits.suspension,
    Action.RETURN: Limits.giving_back,
    Action.RECALL: Limits.recalling,
    Action.ADD_CO: Limits.sharing,
    Action.REDISPATCH: Limits.handing_on,
}
