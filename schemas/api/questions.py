"""What the people of a case ask its reporter, and what he answered: dispatch keeps it, intake shows it to him."""

from __future__ import annotations

from typing import Literal

from schemas.api.base import Moment, Out


class SaidOut(Out):
    """One side of it. Only the two of them speak here: nothing else of the timeline, and no names."""

    said: Literal["question", "answer"]
    at: Moment
    text: str


class QuestionsOut(Out):
    """Oldest first."""

    items: tuple[SaidOut, ...]
