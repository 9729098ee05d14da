"""How well masking does on the corpus: found per class, and hidden in vain."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.support.personal import Sentence

Mask = Callable[[str, Sequence[str]], str]
_LEFT = {"mobile": 7, "landline": 8, "identity number": 6, "bank card": 4, "plate": 2}
"""Signs of a number that may stay by design: the ends of a mobile number, the region of an identity number, …"""
_FRAME = re.compile(r"\+?(86|W)")
"""A country's prefix and the police's W are no part of what names somebody."""


@dataclass(frozen=True, slots=True)
class Score:
    """Of one class."""

    kind: str
    planted: int
    found: int
    missed: tuple[str, ...]

    @property
    def recall(self) -> float:
        return self.found / self.planted


@dataclass(frozen=True, slots=True)
class Measured:
    """`touched`: sentences without anything personal that were changed; `signs`: the share of their signs hidden."""

    scores: tuple[Score, ...]
    neutral: int
    touched: tuple[str, ...]
    signs: float


def measure(corpus: Iterable[Sentence], mask: Mask) -> Measured:
    """A planted thing counts as found if no more of it is left than its class may keep."""
    planted, found = Counter[str](), Counter[str]()
    missed: dict[str, list[str]] = {}
    neutral, touched, others, hidden = 0, [], 0, 0
    for sentence in corpus:
        masked = mask(sentence.text, sentence.own)
        if not sentence.spans:
            neutral += 1
            others += len(sentence.text)
            hidden += sum(new != old for new, old in zip(masked, sentence.text, strict=True))
            if masked != sentence.text:
                touched.append(f"{sentence.text} → {masked}")
        for kind, start, end in sentence.spans:
            planted[kind] += 1
            if _gone(kind, sentence.text[start:end], masked[start:end]):
                found[kind] += 1
            else:
                missed.setdefault(kind, []).append(f"{sentence.text} → {masked}")
    scores = tuple(Score(kind, planted[kind], found[kind], tuple(missed.get(kind, ()))) for kind in planted)
    return Measured(scores, neutral, tuple(touched), hidden / others)


def _gone(kind: str, value: str, masked: str) -> bool:
    if kind == "mail":
        value, masked = (re.split("[@＠]", part)[0] for part in (value, masked))
    left = sum(sign.isalnum() for sign in masked)
    frame = _FRAME.match(value)
    allowed = _LEFT.get(kind, 0) + (len(frame.group(1)) if frame else 0)
    return left <= min(allowed, sum(sign.isalnum() for sign in value) - 3) if kind in _LEFT else left == 0
