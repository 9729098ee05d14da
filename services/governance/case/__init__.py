"""The life of one case: `decide` says what happens, `evolve` applies it. No clock, no I/O, standard library only.

`model` is the case · `turn` the parts facts are made of · `classify` `calling` `coordination` `cotasks` `closing`
`requests` `merging` `anytime` the moves by phase · `proposals` what one asks for and another decides · `machine` what
happens by itself · `rows` ties them to the table.
"""

from __future__ import annotations

from services.governance.case.decide import advance, check_inputs, decide
from services.governance.case.evolve import evolve, standing_before
from services.governance.case.machine import next_point
from services.governance.case.merging import consequences, other_of
from services.governance.case.model import (
    OPEN_TASKS,
    Case,
    clock_of,
    count_of,
    had_check,
    live_clock,
    open_tasks,
    pending,
    stage_of,
)
from services.governance.case.offers import Offer, offers
from services.governance.case.permits import covers, owns, permit
from services.governance.case.proposals import asked_with, comes_to
from services.governance.case.sight import Sight, may_see

__all__ = [
    "OPEN_TASKS",
    "Case",
    "Offer",
    "Sight",
    "advance",
    "asked_with",
    "check_inputs",
    "clock_of",
    "comes_to",
    "consequences",
    "count_of",
    "covers",
    "decide",
    "evolve",
    "had_check",
    "live_clock",
    "may_see",
    "next_point",
    "offers",
    "open_tasks",
    "other_of",
    "owns",
    "pending",
    "permit",
    "stage_of",
    "standing_before",
]
