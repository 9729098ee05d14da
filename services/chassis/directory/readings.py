"""Pinyin initials of names: '东门小区2栋' → 'dmxq2d'; of characters with several readings each that people may type."""

from __future__ import annotations

from itertools import product

from pypinyin import Style, pinyin

MOST = 6
"""Readings kept of one name. The dictionary's own reading of the whole phrase comes first and is never left out."""


def initials(name: str) -> str:
    """All likely initials of a name, separated by spaces. Digits and Latin letters are kept, all else is dropped.

    '重庆路' is a phrase the dictionary knows and is read 'cql' first; '重' alone may be 'c' or 'z'. Of very ambiguous
    names only the first MOST combinations are kept, those with the fewest rare readings before the others.
    """
    phrase = "".join(_kept(part[0]) for part in pinyin(name, style=Style.FIRST_LETTER, errors="default"))
    each = pinyin(name, style=Style.FIRST_LETTER, heteronym=True, errors="default")
    choices = [list(dict.fromkeys(kept for reading in part if (kept := _kept(reading)))) or [""] for part in each]
    wide = [part[:2] for part in choices]  # a third reading of one character is rarer than anybody types
    ranked = sorted(_combinations(wide), key=lambda pair: pair[0])
    found = dict.fromkeys([phrase, *(letters for _, letters in ranked)])
    return " ".join([letters for letters in found if letters][:MOST])


def _combinations(choices: list[list[str]]) -> list[tuple[int, str]]:
    """(how many second readings, the letters); of long names only the first ambiguous characters are varied."""
    free = 0
    narrowed = []
    for part in choices:
        free += len(part) > 1
        narrowed.append(part if free <= MOST else part[:1])
    ways = product(*(enumerate(part) for part in narrowed))
    return [(sum(n for n, _ in way), "".join(letters for _, letters in way)) for way in ways]


def _kept(reading: str) -> str:
    return "".join(letter for letter in reading if letter.isascii() and letter.isalnum()).lower()
