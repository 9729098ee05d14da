"""The twenty invariants of the cycle, each under its number, asked of every single step that a case takes.

They know the words of the cycle and nothing of how `decide` works: what they need of the past they gather themselves
from the facts. A broken one raises AssertionError that begins with its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.governance.acts import Act, Command
from services.governance.case import Case, decide
from services.governance.rulebook import Rulebook
from tests.property.governance import acting, standing
from tests.property.governance.history import Check

INVARIANTS: Mapping[str, Check] = {
    "I1": standing.one_lead,
    "I2": standing.who_handled_does_not_check,
    "I3": standing.every_row_says_who_and_why,
    "I4": standing.no_clock_runs_twice,
    "I5": standing.the_first_due_time_stands,
    "I6": standing.nothing_open_at_the_end,
    "I7": standing.objections_end_in_a_ruling,
    "I8": standing.merged_and_void_stay,
    "I9": standing.danger_never_waits_below,
    "I10": standing.the_age_is_what_has_passed,
    "I11": acting.the_same_act_works_once,
    "I12": acting.replay_gives_the_row,
    "I13": acting.the_stage_follows_from_the_state,
    "I14": acting.the_tier_moves_by_calls_alone,
    "I15": acting.every_clock_has_a_ladder,
    "I16": acting.what_only_people_do,
    "I17": acting.what_the_machine_does,
    "I18": acting.signing_stops_nothing,
    "I19": acting.danger_decides_no_basis,
    "I20": acting.restricted_is_restricted,
}


def done_once(case: Case | None, command: Command, book: Rulebook, now: datetime) -> None:
    """I11, from outside: the same act again gives nothing."""
    if isinstance(command, Act):
        assert decide(case, command, book, now) == (), "I11: the same act works twice"
