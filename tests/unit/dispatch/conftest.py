"""Cases made by the rules themselves, from the sample street's rulebook."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from schemas.rulebook import load_rulebook
from services.governance.acts import ActorRef, Around, OpenCase, Spot
from services.governance.case import Case, decide, evolve
from services.governance.cycle import Nature, Role
from services.governance.rulebook import Rulebook

RULEBOOKS = Path(__file__).resolve().parents[3] / "deploy" / "rulebooks"
NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)  # a Wednesday morning in the street
SPOT = Spot("441802001", "441802001001", "44180200100101", "441802001001001", 113.06, 23.69)


@cache
def rulebook() -> Rulebook:
    calendars = {path.stem: path.read_text() for path in (RULEBOOKS / "calendars").glob("*.toml")}
    return load_rulebook((RULEBOOKS / "fengcheng.toml").read_text(), calendars)


def opened(**changes: Any) -> Case:
    """A case that a worker has just reported, with some fields of the case changed afterwards."""
    command = OpenCase(
        case_id="01a00000-0000-7000-8000-000000000001",
        case_no="FC-20260304-00001",
        report_id="01a00000-0000-7000-8000-0000000000aa",
        reporter=ActorRef("worker", Role.GRID_WORKER),
        reported_at=NOW,
        source="grid_worker",
        nature=Nature.COMPLAINT,
        category=None,
        danger=False,
        life=False,
        spot=SPOT,
        staff=True,
    )
    case: Case | None = None
    for fact in decide(None, command, rulebook(), NOW, Around()):
        case = evolve(case, fact)
    assert case is not None
    return replace(case, **changes)
