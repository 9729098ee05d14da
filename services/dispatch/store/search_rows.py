"""By what a case is found: its words as one text, and the keys under which the index holds it.

A key is a number: the week the case was opened in, then a pair of neighbouring characters of its words, or one of the
tokens of those who may see it. Pairs are what Chinese, which has no spaces, can be looked up by; of digits and Latin
letters, of which there are few, three. The week lets a search begin with the newest and stop as soon as it has enough,
however common the words are.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from services.chassis.directory import Directory
from services.chassis.houses import without_house_numbers
from services.dispatch.store.audience import EVERY_STREET, audience_of
from services.governance.case import Case
from services.governance.case.sight import units_in

WEEK_S: Final = 7 * 86_400
WEEK_BIT: Final = 44
MOST_CHARS: Final = 8_000
"""Of one case's words; what stands behind is not looked through."""
_TOKEN: Final = 1 << 43
_TRIPLE: Final = 1 << 42
_CHAR_BITS: Final = 21
_SCRIPT: Final = re.compile(r"[0-9a-z]+")
Row = dict[str, Any]
_CHECKS: Final = "v"  # such tokens come and go with the state; the area's own, which stays, stands for them


@dataclass(frozen=True, slots=True)
class SaidIn:
    """What a report says: its receipt and its masked words."""

    receipt_no: str
    text: str
    place: str


def normal(text: str) -> str:
    """As it is compared: one width, one case, lines kept apart."""
    return unicodedata.normalize("NFKC", text).casefold().replace("\r", "\n")


def terms_of(wanted: str) -> tuple[str, ...]:
    """What was typed, by its words: each must be found."""
    return tuple(dict.fromkeys(normal(wanted).split()))


def held_keys(texts: Iterable[str]) -> set[int]:
    """All by which `texts` can be asked for, without their week; none goes across a space or a line."""
    found = set()
    for text in texts:
        found |= {_pair(one, behind) for one, behind in pairwise(text) if not (one.isspace() or behind.isspace())}
        for run in _SCRIPT.findall(text):
            found |= _triples(run)
    return found


def asked_keys(terms: Iterable[str]) -> set[int]:
    """Those that whatever holds all `terms` must have, without their week: of a number only what is rare in it."""
    found = set()
    for term in terms:
        runs = [run for run in _SCRIPT.finditer(term) if len(run.group()) > 2]
        for run in runs:
            found |= _triples(run.group())
        within = {at for run in runs for at in range(run.start(), run.end() - 1)}
        found |= {_pair(one, behind) for at, (one, behind) in enumerate(pairwise(term)) if at not in within}
    return found


def _pair(one: str, behind: str) -> int:
    return ord(one) << _CHAR_BITS | ord(behind)


def _triples(run: str) -> set[int]:
    return {_TRIPLE | ord(a) << 14 | ord(b) << 7 | ord(c) for a, b, c in zip(run, run[1:], run[2:], strict=False)}


def token_keys(tokens: Iterable[str]) -> set[int]:
    """Keys of those who may see it, without their week."""
    return {_TOKEN | int.from_bytes(hashlib.blake2b(token.encode(), digest_size=5).digest()) for token in tokens}


def week_of(at: datetime) -> int:
    """Weeks since 1970; what is older counts as of the first."""
    return max(0, int(at.timestamp() // WEEK_S))


def seen_by(case: Case) -> frozenset[str]:
    """The tokens that an index may narrow by: whoever may see the case has one of them, or sees every street."""
    return frozenset(t for t in audience_of(case) if t != EVERY_STREET and not t.startswith(_CHECKS))


def narrowing(tokens: Iterable[str]) -> frozenset[str] | None:
    """The tokens of a person as `seen_by` has them; None where he sees every street."""
    own = frozenset(token.removeprefix(_CHECKS) for token in tokens)
    return None if EVERY_STREET in own else own


def found_by(case: Case) -> tuple[object, ...]:
    """What the index is made of, to tell whether a fact has changed it."""
    return (seen_by(case), case.reports, case.spot.cell, case.imported_unit, units_in(case))


@dataclass(frozen=True, slots=True)
class Said:
    """Of one case: its number, receipts and names, then what people wrote."""

    case_id: str
    opened_at: datetime
    head: Sequence[str]
    body: Sequence[str]
    seen: frozenset[str]


def search_row(case: Case, said: Sequence[SaidIn], accounts: Iterable[str], directory: Directory) -> Row:
    """The row of a case as it stands; `accounts`: those who did something for it, whom its page names."""
    spot = case.spot
    people = (directory.accounts.get(account) for account in accounts)
    places = (directory.name_of(code) for code in (spot.community, spot.grid, spot.cell) if code)
    units = sorted(units_in(case) | ({case.imported_unit} if case.imported_unit else set()))
    head = [case.case_no, *(one.receipt_no for one in said), *filter(None, places)]
    head += [directory.name_of(unit) or unit for unit in units] + [person.name for person in people if person]
    body = list(dict.fromkeys(text for one in said for text in (one.place, one.text) if text))
    return row_of(Said(case.case_id, case.opened_at, head, body, seen_by(case)))


def row_of(said: Said) -> Row:
    """The row of `search_rows`. `open_words` are for those who read no house numbers; None: they are the same."""
    words = _joined(said.head, said.body)
    open_words = _joined(said.head, [without_house_numbers(text) for text in said.body])
    week = week_of(said.opened_at) << WEEK_BIT
    return {
        "case_id": said.case_id,
        "opened_at": said.opened_at,
        "words": words,
        "open_words": open_words if open_words != words else None,
        "keys": sorted(week | key for key in held_keys(words.splitlines()) | token_keys(said.seen)),
    }


def _joined(head: Iterable[str], body: Iterable[str]) -> str:
    return normal("\n".join((*head, *body)))[:MOST_CHARS]
