"""What the case page is made from: one case, what happened to it, and what was written and shown about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.dispatch.store.candidates import Candidate
from services.dispatch.store.detail import EvidenceRow, FactRow
from services.dispatch.store.reports import ReportWords
from services.dispatch.usecases.words import Words
from services.governance.acts import Fact
from services.governance.case import Case
from services.governance.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class CasePage:
    """Read in one transaction. `history` holds the same facts as `facts`, with their changes; it was read after them,
    so it may be longer."""

    case: Case
    facts: list[FactRow]
    history: list[Fact]
    reports: list[ReportWords]
    evidence: list[EvidenceRow]
    rulebook: Rulebook
    words: Words
    now: datetime
    beside: list[Candidate]

    def photo_url(self, evidence_id: str) -> str:
        """Where a piece of evidence is read, below this service."""
        return f"/api/v1/cases/{self.case.case_no}/evidence/{evidence_id}"


def by_machine(fact: FactRow) -> bool:
    """Nobody did it: a rule of the street was due."""
    return fact.account is None and fact.role is None
