"""Numbers that name a person are masked before text leaves the vault: `138****5678`, `441802********1234`.

Masking errs on the side of hiding: a long run of digits that is no phone and no identity number is masked as well.
House numbers, prices and times are short and stay readable.
"""

from __future__ import annotations

import re

_FULL_WIDTH = str.maketrans("０１２３４５６７８９－　Ｘｘ＋（）", "0123456789- Xx+()")
_GAP = r"[ \-.·]?"

_IDENTITY = re.compile(rf"(?<!\d)\d{{6}}{_GAP}(?:19|20)\d{{2}}{_GAP}\d{{4}}{_GAP}\d{{3}}[\dXx](?![\dXx])")
_IDENTITY_15 = re.compile(r"(?<!\d)\d{15}(?!\d)")
_MOBILE = re.compile(rf"(?<!\d)(?:\+?86{_GAP})?(1[3-9]\d){_GAP}(\d{{4}}){_GAP}(\d{{4}})(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)\(?(0\d{2,3})\)?[ \-]?(\d{3,4})[ \-]?(\d{4})(?!\d)")
_LONG_RUN = re.compile(r"(?<![\d*])\d{7,}(?![\d*])")
_MAIL = re.compile(r"[A-Za-z0-9._%+\-]+@([A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+)")


def mask(text: str) -> str:
    """The text with phone, identity and other long numbers and mail addresses made unrecognisable."""
    plain = text.translate(_FULL_WIDTH) if any(ord(sign) > 0xFF00 for sign in text) else text
    plain = _MAIL.sub(r"***@\1", plain)
    plain = _IDENTITY.sub(lambda hit: _ends(hit.group(), 6, 4), plain)
    plain = _MOBILE.sub(r"\1****\3", plain)
    plain = _IDENTITY_15.sub(lambda hit: _ends(hit.group(), 6, 3), plain)
    plain = _LANDLINE.sub(r"\1-****\3", plain)
    return _LONG_RUN.sub(lambda hit: _ends(hit.group(), 3, 2), plain)


def _ends(number: str, head: int, tail: int) -> str:
    """Keep the first and last signs of a number, hide its middle; gaps inside do not count."""
    signs = re.sub(r"[^0-9Xx]", "", number)
    return signs[:head] + "*" * (len(signs) - head - tail) + signs[-tail:]
