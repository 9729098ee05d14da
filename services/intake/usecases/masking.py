"""What names a person is hidden before text leaves the vault: numbers by their shape, names by the words around them.

Every sign hidden becomes one `*`, so text never grows and what is hidden cannot be put together again. Of a mobile
number the ends stay (`138****5678`), of an identity number the region, of a bank card the last four signs, of a plate
the place, of a mail address the site. Where in doubt it hides: a long run of digits that is no date, no sum and no
number of ours is hidden as well. House numbers, prices and times are short and stay; who may read house numbers is
decided where they are shown.

How much is found, and how much is hidden in vain, is measured (docs/reference/masking.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from services.intake.usecases.names import Span, names_in

_FOLD: Final = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},  # full-width letters, digits and signs
    **{0x2460 + n: 0x31 + n for n in range(9)},  # ① to ⑨
    **dict.fromkeys((0x3000, 0x00A0, 0x2009), 0x20),
    **dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015), 0x2D),
    **dict.fromkeys((0x2022, 0x30FB, 0x2027, 0x25CF), 0xB7),
}
_FOLDABLE: Final = re.compile(f"[{''.join(map(chr, _FOLD))}]")
_UNSEEN: Final = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, 0x00AD))
_UNSEEN_SIGN: Final = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_WRITTEN: Final = "〇零○一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖"
_READ: Final = str.maketrans(_WRITTEN, "000" + "123456789" + "12" + "123456789")

_FREE: Final = r"(?<![\d*])"
_END: Final = r"(?![\d*])"
_GAP: Final = r"[ \-.·/_]?"
_PLACE: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

Kept = Callable[[str], tuple[int, int]]
"""How many signs of a match stay at its front and at its end; gaps do not count."""


def _ends(front: int, back: int) -> Kept:
    return lambda _: (front, back)


def _identity(digits: str) -> tuple[int, int]:
    return (6, 0) if re.fullmatch(r"\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])[0-3]\d{4}[\dXx]", digits) else (0, 4)


def _landline(digits: str) -> tuple[int, int]:
    return (3 if digits.startswith(("010", "02")) else 4, 4)


_RULES: Final[Sequence[tuple[re.Pattern[str], Kept]]] = (
    (
        re.compile(rf"{_FREE}\d{{6}}{_GAP}(?:19|20)\d{{2}}{_GAP}\d{{4}}{_GAP}\d{{3}}{_GAP}[\dXx](?![\dXx*])"),
        _ends(6, 0),
    ),
    (re.compile(rf"{_FREE}\d{{4}}(?:[ -]\d{{4}}){{3}}[ -]\d[\dXx](?![\dXx*])"), _identity),
    (re.compile(rf"{_FREE}\d(?:[ .·-]\d){{16}}[ .·-][\dXx](?![\dXx*])"), _ends(6, 0)),
    (re.compile(rf"{_FREE}\d{{4}}(?:[ -]\d{{4}}){{3}}(?:[ -]?\d{{1,3}})?{_END}"), _ends(0, 4)),
    (re.compile(rf"{_FREE}\d{{17}}[\dXx](?![\dXx*])"), _identity),
    (re.compile(rf"{_FREE}\d{{16,19}}{_END}"), _ends(0, 4)),
    (re.compile(rf"{_FREE}\d{{15}}{_END}"), _ends(6, 0)),
    (re.compile(rf"{_FREE}\d{{6}}[ -]\d{{6}}[ -]\d{{3}}{_END}"), _ends(6, 0)),
    (
        re.compile(
            rf"{_FREE}(?:\+?86{_GAP}|0086{_GAP})?\(?1[3-9]\d\)?[ \-.·/_]{{0,3}}\d{{4}}[ \-.·/_]{{0,3}}\d{{4}}{_END}"
        ),
        _ends(3, 4),
    ),
    (re.compile(rf"{_FREE}1[3-9]\d\d{_GAP}\d{{3}}{_GAP}\d{{4}}{_END}"), _ends(3, 4)),
    (re.compile(rf"{_FREE}1[3-9]\d{_GAP}\d{{3}}{_GAP}\d{{5}}{_END}"), _ends(3, 4)),
    (re.compile(rf"{_FREE}1[ .·\-,，、][3-9](?:[ .·\-,，、]\d){{9}}{_END}"), _ends(3, 4)),
    (re.compile(rf"{_FREE}\+?85[23][ -]?\d{{4}}[ -]?\d{{4}}{_END}"), _ends(3, 2)),
    (re.compile(rf"{_FREE}\(?0\d{{2,3}}\)?[ -]{{0,2}}\d{{3,4}}[ -]?\d{{4}}{_END}"), _landline),
    (re.compile(rf"(?:电话|座机|固话|传真|号码|[Tt]el|TEL|[Pp]hone)\D{{0,4}}?\d{{3,4}}[ -]\d{{4}}{_END}"), _ends(0, 2)),
)
_MAIL: Final = re.compile(r"([A-Za-z0-9._%+\-]+)[ ]?@[ ]?[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+")
_CHAT: Final = re.compile(
    r"(?:微信|薇信|威信|(?i:wechat|weixin|\bwx|vx|v信))(?:号码|号|(?i:id))?[ :]*(?:是|为)?[ :]*"
    r"([A-Za-z][A-Za-z0-9_\-]{5,19}|\d[\d ]{3,}\d)"
)
_QQ: Final = re.compile(r"(?:(?i:qq)|扣扣|企鹅)(?:群号|群|号码|号)?[ :]*(?:是|为)?[ :]*(\d[\d ]{3,11}\d)")
_SIGN: Final = "[A-HJ-NP-Z0-9]"
_BODY: Final = rf"(?=[A-Z0-9 ]{{0,6}}\d){_SIGN}[ ]?(?:{_SIGN}[ ]?){{3,4}}[A-HJ-NP-Z0-9挂学警港澳领]"
_PLATES: Final = tuple(
    re.compile(shape, re.IGNORECASE)
    for shape in (
        rf"[{_PLACE}][ ]?[A-Z][ ·.\-]?({_BODY})(?![A-Z0-9*])",
        rf"(?:WJ[ ·-]?[{_PLACE}]?|[军空海北沈兰济南广成][A-Z])[ ·-]?([A-Z]?\d{{4,5}}[A-Z]?)(?![A-Z0-9*])",
        r"使[ ·]?(\d{3}[ ·]?\d{3})(?![\d*])",
        r"(?<![\d*])(\d{3}[ ·]?\d{3})(?=使(?:馆|牌|字|$|[^用得劲者命]))",
        rf"(?:车牌|牌照)(?:号码|号)?(?:是|为)?[ :]*([A-Z][ ·.\-]?(?=[A-Z0-9]{{0,5}}\d){_SIGN}{{5,6}})(?![A-Z0-9*])",
    )
)
_PLATE_HINT: Final = re.compile(rf"[{_PLACE}军空海北沈兰济南广成][ ]?[A-Za-z]|[Ww][Jj]|使|车牌|牌照")
_LONG: Final = re.compile(r"(?<![\d*])\d{7,}(?![\d*])(?![ ]?(?:元|块|万|米|平|㎡|吨|公斤|千克|立方))")
_OURS: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,6}-?20\d{6}-?\d{3,8}(?![\d*])")  # receipts and cases
_DAY: Final = re.compile(r"20\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])?(?:[0-5]\d){0,2}")
_SPOKEN: Final = re.compile(rf"[{_WRITTEN}\d](?:[ ,，、-]?[{_WRITTEN}\d]){{6,}}")
_LATIN_OR_DIGIT: Final = re.compile(r"[A-Za-z\d]")
_REGION: Final = re.compile(r"[\d(+][\dXx ()+\-.·/_,，、]{4,}")
_BEFORE: Final = 12


def mask(text: str, own: Sequence[str] = ()) -> str:
    """The text without what names a person. `own`: what is known of the reporter (name, number), hidden wherever it
    stands, however it is spaced."""
    plain = text.translate(_UNSEEN) if _UNSEEN_SIGN.search(text) else text
    shadow = plain.translate(_FOLD) if _FOLDABLE.search(plain) else plain
    spans = list(_spans(shadow, own))
    if not spans:
        return plain
    signs = list(plain)
    for start, end in spans:
        for n in range(start, end):
            if not shadow[n].isspace():
                signs[n] = "*"
    return "".join(signs)


def _spans(shadow: str, own: Sequence[str]) -> Iterator[Span]:
    yield from _known(shadow, own)
    yield from names_in(shadow)
    yield from _spoken(shadow)
    if _LATIN_OR_DIGIT.search(shadow) is None:  # as in most texts: what follows is made of these
        return
    yield from _numbers(shadow)
    yield from (hit.span(1) for hit in _CHAT.finditer(shadow))
    if "@" in shadow:
        yield from (hit.span(1) for hit in _MAIL.finditer(shadow))
    if _PLATE_HINT.search(shadow) is not None:
        yield from (hit.span(1) for pattern in _PLATES for hit in pattern.finditer(shadow))


def _numbers(shadow: str) -> Iterator[Span]:
    """Every rule takes what none before it took. Rules look only where digits stand close together."""
    for region in _REGION.finditer(shadow):
        start, end = max(0, region.start() - _BEFORE), min(len(shadow), region.end() + 2)
        taken = [hit.span() for hit in _OURS.finditer(shadow, start, end)]
        for pattern, kept in _RULES:
            for hit in pattern.finditer(shadow, start, end):
                if _free(hit.span(), taken):
                    taken.append(hit.span())
                    yield from _middle(shadow, hit.span(), kept)
        for hit in _QQ.finditer(shadow, start, end):
            taken.append(hit.span(1))
            yield hit.span(1)
        for hit in _LONG.finditer(shadow, start, end):
            if _free(hit.span(), taken) and not _DAY.fullmatch(hit.group()):
                yield hit.start(), hit.end() - 2


def _middle(shadow: str, span: Span, kept: Kept) -> Iterator[Span]:
    """The signs of a number between the ends that stay. A country's prefix is none of them."""
    places = [n for n in range(*span) if shadow[n] in "0123456789Xx"]
    digits = "".join(shadow[n] for n in places)
    if len(digits) in (13, 15) and re.match(r"(?:00)?861[3-9]", digits):
        places = places[-11:]
    front, back = kept(digits)
    for n in places[front : len(places) - back]:
        yield n, n + 1


def _spoken(shadow: str) -> Iterator[Span]:
    """Numbers in Chinese numerals, read out or mixed with digits: seven and more in a row are no quantity."""
    for hit in _SPOKEN.finditer(shadow):
        signs = [sign for sign in hit.group() if sign in _WRITTEN or sign.isdigit()]
        written = sum(sign in _WRITTEN for sign in signs)
        shape = "".join(signs).translate(_READ)
        mixed = re.fullmatch(r"1[3-9]\d{9}|\d{15}|\d{18}", shape) and not re.search("[,，、]", hit.group())
        if written and (written == len(signs) or mixed):
            yield hit.span()


def _known(shadow: str, own: Iterable[str]) -> Iterator[Span]:
    for word in own:
        if (pattern := _spaced(word)) is not None:
            yield from (hit.span() for hit in pattern.finditer(shadow))


@lru_cache(maxsize=1024)
def _spaced(word: str) -> re.Pattern[str] | None:
    """A word however it is spaced; None for one that is too short to mean anybody."""
    signs = [re.escape(sign) for sign in word.translate(_FOLD) if not sign.isspace() and sign not in "-()"]
    return re.compile(r"[ \-·.]?".join(signs), re.IGNORECASE) if len(signs) >= 2 else None


def _free(span: Span, taken: Iterable[Span]) -> bool:
    return all(span[1] <= start or end <= span[0] for start, end in taken)
