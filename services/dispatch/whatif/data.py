"""The answer as data, for programs: same answer, same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson

from services.dispatch.whatif.figures import Figures
from services.dispatch.whatif.model import Compared, Side
from services.dispatch.whatif.view import Question, View

_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
_TWICE = frozenset({"listed"})  # told with its explanations beside the figures


def as_data(question: Question, figures: Figures, answers: Sequence[Compared], view: View) -> str:
    """Figures, the largest differences with both explanations, and one row for every case that differs."""
    book = question.changed
    told = {
        "question": {
            "street": book.street.code,
            "file": question.name,
            "version": book.version,
            "edition": book.edition,
            "since": question.since,
            "until": question.until,
        },
        "figures": {name: value for name, value in asdict(figures).items() if name not in _TWICE},
        "largest": [asdict(one) for one in view.listed],
        "cases": [_row(one) for one in answers if (one.differs or one.before is None) and not one.restricted],
    }
    return orjson.dumps(told, option=_PRETTY).decode()


def _row(one: Compared) -> dict[str, Any]:
    return {
        "case_no": one.case_no,
        "category": one.category,
        "opened_at": one.opened_at,
        "rulebook": one.rulebook,
        "verdict": one.verdict,
        "why": one.why or None,
        "compared_until": one.at,
        "before": _side(one.before),
        "after": _side(one.after),
        "shifts": [{"clock": s.kind, "before": s.before, "after": s.after, "seconds": s.seconds} for s in one.shifts],
        "breaches_gone": one.breaches_gone,
        "breaches_come": one.breaches_come,
    }


def _side(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {
        "unit": side.unit,
        "chosen": side.choice,
        "line": side.line,
        "co_units": side.co_units,
        "helping": side.helping,
        "tiers": side.tiers,
        "passed": sorted(due.kind for due in side.dues if due.late),
    }
