"""A row of the record in words: which act it was, the name of what it was done to, its details line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from schemas.api.audit import AuditDetailOut, AuditRowOut
from services.chassis.audit import Audited
from services.chassis.audit.reading import Recorded
from services.dispatch.usecases.words import Words


def row_out(row: Recorded, words: Words) -> AuditRowOut:
    """Ids stay beside the words, for whoever looks further."""
    return AuditRowOut(
        place=f"{row.shard}.{row.n}",
        at=row.at,
        service=row.service,
        account=row.account,
        account_name=words.person(row.account),
        action=row.action,
        label=_label(row, words),
        subject=row.subject,
        subject_name=words.person(row.subject) or words.directory.name_of(row.subject or "") or None,
        outcome=row.outcome,
        reason=row.reason,
        reason_label=_reason(row.reason, words),
        details=row.details,
        told=tuple(_told(row.details, words)),
        request_id=row.request_id,
        address=row.address,
    )


def _label(row: Recorded, words: Words) -> str:
    """An act on a case is named by the act; what was done to a case is the least that a reader wants to know."""
    act = row.details.get("action")
    if row.action == Audited.CASE_ACTED and isinstance(act, str):
        return words.labels.text("audit_act", action=words.word("action", act))
    return words.labels.word("audit", row.action) if f"audit.{row.action}" in words.labels else row.action


def _reason(code: str | None, words: Words) -> str | None:
    if code is None:
        return None
    group = next((g for g in ("audit_reason", "problem") if f"{g}.{code}" in words.labels), None)
    return words.word(group, code) if group else code


def _told(details: Mapping[str, Any], words: Words) -> Iterable[AuditDetailOut]:
    for name, value in details.items():
        if value is None or value in ("", []):
            continue
        yield AuditDetailOut(label=words.word("audit_detail", name), value=_value(name, value, words))


def _value(name: str, value: Any, words: Words) -> str:
    if isinstance(value, list):
        return " · ".join(_value(name, one, words) for one in value)
    if isinstance(value, bool):
        return words.labels.text("yes" if value else "no")
    known = _VALUES.get(name)
    return known(words, value) if known is not None else str(value)


_VALUES: Mapping[str, Callable[[Words, Any], str]] = {
    "action": lambda words, value: words.word("action", value),
    "means": lambda words, value: words.word("audit_means", value),
    "role": lambda words, value: words.word("role", value),
    "area": lambda words, value: words.place(value),
    "unit": lambda words, value: words.place(value),
    "life_s": lambda words, value: words.amount(value),
    "since": lambda words, value: words.moment(datetime.fromisoformat(value)),
    "until": lambda words, value: words.moment(datetime.fromisoformat(value)),
    "events": lambda words, value: words.word("webhook", value),
}
"""How a detail is said whose value is an id, a moment or a length of time; the others are said as they stand."""
