"""Bodies around call-backs that a person has to look at (平台回执异常)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.api.base import CLEAN, Code, In, Line, Moment, Out

Needed = Annotated[str, Field(min_length=1, max_length=200), *CLEAN]


class ReceiptOut(Out):
    """One call-back: `word` is the platform's own code or type, `said` what it sent with it. `answer` is dispatch's:
    done, or refused for the reason `code`. `open`: a person has to look at it."""

    id: str
    at: Moment
    word: str
    said: dict[str, Any]
    state: Literal["passed_on", "unknown", "noted"]
    open: bool
    endpoint: str | None = None
    case_no: str | None = None
    answer: str | None = None
    code: str | None = None
    mapped_as: str | None = None
    mapped_by: str | None = None
    mapped_at: Moment | None = None
    aside_by: str | None = None
    aside_at: Moment | None = None
    aside_reason: str | None = None


class ReceiptPageOut(Out):
    """A page of call-backs, newest first."""

    items: tuple[ReceiptOut, ...]
    next: str | None = None


class ReceiptCountOut(Out):
    """What waits for a person: call-backs, and messages of ours that nobody took."""

    receipts: int
    dead_letters: int
    oldest_at: Moment | None = None


class ReceiptMapIn(In):
    """Take it for one of the things a platform may call back, once."""

    outcome: Literal["accepted", "refused", "returned", "disposed", "closed"]
    case_no: Code
    unit: Line | None = None
    eta: Moment | None = None
    note: Line = ""


class ReceiptAsideIn(In):
    """Nothing follows from it."""

    reason: Needed
