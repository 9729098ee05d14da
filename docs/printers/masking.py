"""How well masking does: the corpus of the tests, measured and printed."""

from __future__ import annotations

from printers.tables import table
from services.intake.usecases.masking import mask
from tests.support.masked import Measured, measure
from tests.support.personal import SEED, sentences

_LIMITS = """
## What is not found

- A name that nothing hints at: 昨天王建国把车停在门口. Of the reporter himself it is found all the same, since his name
  and number are in the vault or known from his sign-in; of others it is not. The row *name without a hint* is there so
  that this limit has a figure.
- A nickname (小王, 老李), a given name alone, a name written with other characters on purpose, a name inside a picture.
- The last digits of a number told alone (尾号 678), a number spread over two sentences.
- A title after a surname that is a verb as well (向主任, 于老师): hidden only with a given name.
- Who somebody is by what he does or where he lives. House numbers stay in the words and are cut where they are shown to
  anybody without a share in the case.

Raw words lie encrypted in intake's vault; what leaves it is masked once, before the event is written, and cannot be
unmasked from what left.
"""


def page() -> str:
    """One row per class, and what was hidden in vain."""
    measured = measure(sentences(), mask)
    planted = sum(score.planted for score in measured.scores)
    parts = [
        "# What masking finds",
        "",
        f"Measured on {planted + measured.neutral} sentences in the style of reports, made by",
        f"`tests/support/personal.py` (seed {SEED}); a test holds every class to its floor, here and on other draws.",
        "*Found* means that no more is left of it than the ends that stay on purpose (`138****5678`).",
        "",
        table(
            ("class", "planted", "found", "recall"),
            ((s.kind, str(s.planted), str(s.found), f"{s.recall:.1%}") for s in measured.scores),
        ),
        *_vain(measured),
    ]
    return "\n".join(parts) + _LIMITS


def _vain(measured: Measured) -> list[str]:
    return [
        "",
        f"Hidden in vain: {len(measured.touched)} of {measured.neutral} sentences that name nobody were changed,",
        f"{measured.signs:.2%} of their signs. They are full of house numbers, times, sums, public numbers and of",
        "words that are surnames too.",
    ]
