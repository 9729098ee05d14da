"""Reports that are about one matter because another system's number says so, whichever of them comes first."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from schemas.events.report import ReportSubmittedV1
from services.dispatch.store.matters import Number
from services.governance.case import Case
from services.governance.cycle import LIVE
from services.governance.tiers import is_urgent


def numbers_of(report: ReportSubmittedV1) -> tuple[Number, ...]:
    """By which other systems know the report: the sender's own first."""
    return tuple((known.system, known.number) for known in report.external)


def earlier_reports(report: ReportSubmittedV1, known: Mapping[Number, str]) -> list[str]:
    """Reports that brought one of the report's numbers before it."""
    found = (known.get(number) for number in numbers_of(report))
    return list(dict.fromkeys(one for one in found if one is not None and one != report.report_id))


def case_meant(
    report: ReportSubmittedV1, known: Mapping[Number, str], case_of: Callable[[str], Case | None]
) -> Case | None:
    """The case that the report's numbers lead to: an open one before an ended one, the oldest of several."""
    cases = [case for one in earlier_reports(report, known) if (case := case_of(one)) is not None and not case.history]
    return min(cases, key=lambda case: (case.state not in LIVE, case.opened_at, case.case_id), default=None)


def joins(report: ReportSubmittedV1, case: Case) -> bool:
    """Whether the report becomes a part of the case. Danger never hides in a matter without it."""
    calmer = report.partner and (report.danger or report.life) and not is_urgent(case.urgency)
    return case.state in LIVE and not calmer


def together(
    reports: Mapping[int, ReportSubmittedV1], joined: Mapping[int, str], known: Mapping[Number, str]
) -> dict[int, int]:
    """Of one batch: which report becomes a part of the case that an earlier one of the batch opens."""
    first: dict[str, int] = {}
    found: dict[int, int] = {}
    for n, report in reports.items():
        if n not in joined:
            before = (first[one] for one in earlier_reports(report, known) if one in first)
            at = next((one for one in before if _as_urgent(reports[one], report)), None)
            if at is not None:
                found[n] = at
        first.setdefault(report.report_id, found.get(n, n))
    return found


def _as_urgent(one: ReportSubmittedV1, other: ReportSubmittedV1) -> bool:
    return one.danger or one.life or not (other.danger or other.life)
