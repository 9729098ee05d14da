"""Pinyin initials of names: '东门小区2栋' → 'dmxq2d'; of characters with several readings each that people may type."""

from __future__ import annotations

from itertools import product

from pypinyin import Style, pinyin

MOST = 8
"""Readings kept of one name. The dictionary's own reading of the whole phrase comes first and is never left out."""
_VARIED = 5  # characters of one name that are read in several ways


def initials(name: str) -> str:
    """All likely initials of a name, separated by spaces. Digits and Latin letters are kept, all else is dropped.

    '重庆路' is a phrase the dictionary knows and is read 'cql' first; '重' alone may be 'c' or 'z'. Of very ambiguous
    names only MOST combinations are kept, those that take fewest characters in another than their first reading.
    """
    phrase = "".join(_kept(part[0]) for part in pinyin(name, style=Style.FIRST_LETTER, errors="default"))
    each = pinyin(name, style=Style.FIRST_LETTER, heteronym=True, errors="default")
    choices = [list(dict.fromkeys(kept for reading in part if (kept := _kept(reading)))) or [""] for part in each]
    found = dict.fromkeys([phrase, *_combinations(choices)])
    return " ".join([letters for letters in found if letters][:MOST])


def _combinations(choices: list[list[str]]) -> list[str]:
    """The letters, those with the fewest other readings first; of long names only some ambiguous characters vary."""
    free = 0
    narrowed = []
    for part in choices:
        free += len(part) > 1
        narrowed.append(part if free <= _VARIED else part[:1])
    ways = list(product(*(enumerate(part) for part in narrowed)))
    ways.sort(key=lambda way: (sum(n > 0 for n, _ in way), sum(n for n, _ in way)))
    return ["".join(letters for _, letters in way) for way in ways]


def _kept(reading: str) -> str:
    return "".join(letter for letter in reading if letter.isascii() and letter.isalnum()).lower()
