"""Two ladders: who owns the case next (grid → community → street → district), and who must look when it is late.

Lateness never moves the owner by itself; only a call does, automatic where the lower tier has not answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.governance.cycle import ClockKind, Role, Tier, Urgency
from services.governance.worktime import Budget

# --- who owns it next ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TierRow:
    """One rung of ownership: who holds it, which clock waits for its answer, which for its work."""

    tier: Tier
    up: Tier | None
    holder: Role
    response: ClockKind
    disposal: ClockKind


TIERS: dict[Tier, TierRow] = {
    row.tier: row
    for row in (
        TierRow(Tier.GRID, Tier.COMMUNITY, Role.GRID_SECRETARY, ClockKind.GRID_RESPONSE, ClockKind.GRID_DISPOSAL),
        TierRow(
            Tier.COMMUNITY,
            Tier.STREET,
            Role.COMMUNITY_SECRETARY,
            ClockKind.COMMUNITY_RESPONSE,
            ClockKind.COMMUNITY_DISPOSAL,
        ),
        TierRow(Tier.STREET, Tier.DISTRICT, Role.INTAKE_CLERK, ClockKind.RESPONSE, ClockKind.HANDLING),
        TierRow(Tier.DISTRICT, None, Role.DISTRICT, ClockKind.DISTRICT_RESPONSE, ClockKind.DISTRICT_HANDLING),
    )
}
HEIGHT: dict[Tier, int] = {tier: height for height, tier in enumerate(Tier)}


AGAIN = 64
"""A point that comes again is numbered on from its step by this; no ladder has so many steps."""


# --- who must look ---------------------------------------------------------------------------------------------------
class RungAct(StrEnum):
    """What the machine does at a point of a clock."""

    MARK = "mark"  # quiet: no push; rises nothing
    REMIND = "remind"  # case.reminded, flag due_soon
    OVERDUE = "overdue"  # case.overdue, flag overdue; urges once
    CALL_UP = "auto_call_up"  # the tier above takes over
    SIGN = "auto_sign"  # the time to object has ended
    RUN_ON = "run_on"  # the stage clock runs on without the answer
    RESUME = "auto_resume"  # review date of a suspension
    FORCE_CHOICE = "force_choice"  # somebody must choose; case.choice_forced
    SUPERVISE = "supervise"  # 督办 for being late: the holder owes an answer; case.supervised
    ESCALATE = "escalate"  # street leader; platform notice where the category is marked
    ALERT_NEXT = "alert_next"  # next unit of the catalogue line
    NEXT_CHECKER = "pass_on"  # the check goes to the next of the chain


NEXT_POST = {
    "branch_secretary": "community_secretary",
    "community_secretary": "duty_chief",
    "unit_head": "dispatcher",
    **dict.fromkeys(("dispatcher", "district_duty", "another_visitor", "issuer"), "duty_chief"),
    "duty_chief": "duty_leader",
    "liaison_leader": "leader_in_charge",
    "duty_leader": "leader_in_charge",
    "leader_in_charge": "street_leader",
}
"""Who looks where nobody holds a post."""


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One point of a ladder, at the latest of its parts: `percent` of the budget; `percent` plus `plus` after the due
    time (not for urgent cases); or `after` from the start, whatever the budget."""

    act: RungAct
    percent: int = 100
    plus: Budget | None = None
    after: Budget | None = None
    urgent_only: bool = False
    again: bool = False  # fires anew when the due time has moved
    every: Budget | None = None  # comes again after it, as a forced choice, for as long as the clock runs
    tell: tuple[str, ...] = ()  # posts that must look: owner, unit_head, community_secretary, duty_chief, …

    def applies(self, urgency: Urgency) -> bool:
        return not self.urgent_only or is_urgent(urgency)


@dataclass(frozen=True, slots=True)
class Ladder:
    """All points of one kind of clock, in the order of the file; their index is the rung's number."""

    kind: ClockKind
    steps: tuple[LadderStep, ...]

    def step_of(self, rung: int) -> LadderStep | None:
        """The step that a rung comes from, the first time or again; None: of a ladder that was longer once."""
        number = rung % AGAIN
        return self.steps[number] if number < len(self.steps) else None


def is_urgent(urgency: Urgency) -> bool:
    """U0 or U1: danger, so nothing waits in the grid or the community."""
    return urgency in (Urgency.CRITICAL, Urgency.URGENT)
