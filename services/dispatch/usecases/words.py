"""Words for codes, in one language: what `schemas.labels` has, and how amounts and moments are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.labels import Labels
from schemas.sentences import sentence, steps
from services.chassis.clock import LOCAL
from services.chassis.directory import Directory
from services.dispatch.store.candidates import Candidate
from services.governance.acts import Clock, Fact, Post
from services.governance.case import Case
from services.governance.cycle import Action, ClosedKind, Role, Stage, State, Tier
from services.governance.explain import explain
from services.governance.moves import BY_STEP
from services.governance.rulebook import Rulebook

_TIER_OF_STAGE = {Stage.COMMUNITY_CALL.value: Tier.COMMUNITY.value, Stage.COORDINATION.value: Tier.STREET.value}
_BY_MACHINE = {"case.report_attached": "photo"}  # without a person it is a photo that has arrived
_REASON_GROUPS = ("reason", "means", "grade", "supervise_kind", "whistle_kind", "rule", "action")


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that turns an id into what a person reads. A word the list lacks shows as its id."""

    labels: Labels
    directory: Directory

    def word(self, group: str, member: str, at: str | None = None) -> str:
        """`group.member@at`, else `group.member`, else the bare id."""
        for key in (f"{group}.{member}@{at}", f"{group}.{member}"):
            if key in self.labels:
                return self.labels.text(key)
        return member

    def state(self, state: State, closed_as: ClosedKind | None) -> str:
        return self.word("state", state, closed_as)

    def action(self, action: Action, state: State) -> str:
        """The word on the button: the move's own label where its row has one."""
        move = BY_STEP.get((action, state))
        return self.word("action", move.label_id if move is not None else action)

    def fact(self, kind: str, intent: str | None, stage: str, *, machine: bool = False) -> str:
        """The word for something that happened; calls and answers are named after the tier they went to."""
        by_machine = _BY_MACHINE.get(kind) if machine else None
        return self.word("fact", kind, by_machine or intent or _TIER_OF_STAGE.get(stage))

    def reason(self, code: str, book: Rulebook | None = None) -> str:
        """The word for a fact's code: a reason, the means of an act, a grade. A street's own list is in Chinese: its
        words come first in that language, and where there are no others."""
        own = next((words[code] for words in book.reasons.values() if code in words), None) if book else None
        if own is not None and (self.labels.lang == "zh-CN" or f"reason.{code}" not in self.labels):
            return own
        for group in _REASON_GROUPS:
            if f"{group}.{code}" in self.labels:
                return self.word(group, code)
        return code

    def person(self, account: str | None) -> str | None:
        """A colleague's name. None: the machine, or somebody without an account here."""
        known = self.directory.accounts.get(account) if account is not None else None
        return known.name if known is not None else None

    def post(self, role: Role | str | None, unit: str | None) -> str | None:
        """'派遣员', or the unit's name for people of a unit. A reporter's post is his report, which has no name."""
        if unit is not None and role != Role.REPORTER:
            return self.directory.name_of(unit) or unit
        return self.word("role", role) if role is not None else None

    def instead(self, held: str, post: str) -> str:
        """Who was told because nobody held `post`; both are a ladder's words."""
        return self.labels.text("timeline.instead", post=self.word("tell", post), held=self.word("tell", held))

    def place(self, code: str | None) -> str:
        return (self.directory.name_of(code) or code) if code else ""

    def held_post(self, post: Post) -> str:
        """A post by its role and place."""
        return " · ".join(filter(None, (self.word("role", post.role), self.place(post.unit or post.area))))

    def candidate(self, one: Candidate, now: datetime) -> str:
        """Another case in one line: which, how far, how often reported, how it stands, how long ago."""
        far = one.distance_m
        where = "choice.case.cell" if far is None else "choice.case.metres"
        return self.labels.text(
            "choice.case",
            case_no=one.case_no,
            where=self.labels.text(where, n=far),
            reports=one.reports,
            age=self.amount(int((now - one.opened_at).total_seconds())),
            state=self.state(one.state, one.closed_as),
        )

    # --- time ---------------------------------------------------------------------------------------------------
    def moment(self, at: datetime) -> str:
        """Local date and minute."""
        return f"{at.astimezone(LOCAL):%Y-%m-%d %H:%M}"

    def amount(self, seconds: int, basis: str = "wall") -> str:
        """Seconds as days, hours and minutes, none of them nought. A working day has no fixed length, so working time
        stays in hours."""
        minutes = max(0, seconds) // 60
        hours, minutes = divmod(minutes, 60)
        if basis != "work" and hours >= 24:
            days, hours = divmod(hours, 24)
            return self.labels.text("clock.amount.dh" if hours else "explain.amount.d", d=days, h=hours)
        if hours:
            return self.labels.text("clock.amount.hm" if minutes else "explain.amount.h", h=hours, m=minutes)
        return self.labels.text("clock.amount.m", m=minutes) if minutes else self.labels.text("clock.amount.s")

    def why_due(
        self, case: Case, clock: Clock, facts: Sequence[Fact], rulebook: Rulebook
    ) -> tuple[str, tuple[str, ...]]:
        """Why a clock is due when it is: one sentence that can be checked by hand, and its parts."""
        told, calendar = explain(case, clock, facts, rulebook), rulebook.calendar
        return sentence(told, self.labels, calendar), steps(told, self.labels, calendar)
