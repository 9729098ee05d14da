"""The codes of a platform beside our states, read from a file: which code a case stands at, what a code asks of us."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from schemas.events.case import CaseFactV1
from services.escalation.dialects.base import Outcome
from services.governance.cycle import Flag, Intent, State

Meaning = Outcome | Literal["progress", "person"]
_OUTCOMES = get_args(Outcome)
_MEANINGS = (*_OUTCOMES, "progress", "person")


@dataclass(frozen=True, slots=True)
class Code:
    """One code with its word; `kinds` and `states` say when we stand there, `heard` what it means coming from them."""

    code: str
    word: str
    heard: Meaning
    kinds: tuple[str, ...] = ()
    states: frozenset[State] = frozenset()
    flag: Flag | None = None
    intent: Intent | None = None

    @property
    def outcome(self) -> Outcome | None:
        """What it asks of us; None: nothing that the machine may do."""
        return cast("Outcome", self.heard) if self.heard in _OUTCOMES else None

    def fits(self, kind: str, fact: CaseFactV1) -> bool:
        """Whether a message of this kind is told as this code."""
        if kind not in self.kinds and fact.standing.state not in self.states:
            return False
        if self.flag is not None and self.flag not in fact.standing.flags:
            return False
        return self.intent is None or self.intent is fact.intent


@dataclass(frozen=True, slots=True)
class Answers:
    """How to read what they answer to a message."""

    code: tuple[str, ...]
    accepted: frozenset[str]
    known: frozenset[str]
    their_number: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """A platform's codes and words."""

    codes: tuple[Code, ...]
    answers: Answers
    natures: Mapping[str, str]

    def code_for(self, kind: str, fact: CaseFactV1) -> Code:
        """Rows that name the kind go before rows that name the state. Raises ValueError where no row fits."""
        fitting = [code for code in self.codes if code.fits(kind, fact)]
        if not fitting:
            raise ValueError(f"no code for {kind} in state {fact.standing.state}")
        return next((code for code in fitting if kind in code.kinds), fitting[0])

    def named(self, code: str) -> Code | None:
        """The row of a code; None: they send something that nobody has told us of."""
        return next((one for one in self.codes if one.code == code), None)


def read_crosswalk(path: Path) -> Crosswalk:
    """The crosswalk of a file. Raises ValueError for a word that is not ours."""
    told = tomllib.loads(path.read_text("utf-8"))
    answers = told["answers"]
    return Crosswalk(
        codes=tuple(_code(one) for one in told["code"]),
        answers=Answers(
            code=tuple(answers["code"]),
            accepted=frozenset(answers["accepted"]),
            known=frozenset(answers["known"]),
            their_number=tuple(answers["their_number"]),
        ),
        natures=told["natures"],
    )


def _code(told: Mapping[str, str | Sequence[str]]) -> Code:
    heard = str(told["heard"])
    if heard not in _MEANINGS:
        raise ValueError(f"code {told['code']}: {heard!r} is none of {', '.join(_MEANINGS)}")
    flag, intent = told.get("flag"), told.get("intent")
    return Code(
        code=str(told["code"]),
        word=str(told["word"]),
        heard=cast("Meaning", heard),
        kinds=tuple(told.get("kinds", ())),
        states=frozenset(State(state) for state in told.get("states", ())),
        flag=Flag(str(flag)) if flag else None,
        intent=Intent(str(intent)) if intent else None,
    )
