"""Bars as SVG: no script, no style attribute, colours by class; every bar's number is also in its words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from services.dispatch.whatif.view import Bar

WIDTH = 640
_LABEL, _ROW, _BAR = 200, 42, 14
_PLOT = WIDTH - _LABEL - 64
_TALL, _FOOT, _HEAD = 190, 46, 20


def pairs(bars: Sequence[Bar], title: str, before: str, after: str) -> str:
    """Two lying bars for each row: before above, after below."""
    most = max((max(each.before, each.after) for each in bars), default=0) or 1
    rows = [_pair(number, each, most) for number, each in enumerate(bars)]
    told = f"{title}: " + "; ".join(f"{each.label} {before} {each.before}, {after} {each.after}" for each in bars)
    return _svg(WIDTH, len(bars) * _ROW + 4, told, "".join(rows))


def columns(counts: Sequence[tuple[str, int]], title: str) -> str:
    """Standing bars, the ends of each below it."""
    most = max((count for _, count in counts), default=0) or 1
    step = WIDTH / max(1, len(counts))
    bars = [_column(number, label, count, most, step, len(counts)) for number, (label, count) in enumerate(counts)]
    told = f"{title}: " + "; ".join(f"{label} {count}" for label, count in counts)
    middle = f'<line class="axis" x1="{WIDTH / 2:g}" x2="{WIDTH / 2:g}" y1="4" y2="{_HEAD + _TALL}"/>'
    return _svg(WIDTH, _HEAD + _TALL + _FOOT, told, middle + "".join(bars))


def _pair(number: int, each: Bar, most: int) -> str:
    top = number * _ROW + 4
    lines = [_text(_LABEL - 10, top + 18, _shortened(each.label), "name", "end")]
    for offset, kind, amount in ((0, "before", each.before), (_BAR + 2, "after", each.after)):
        wide = round(_PLOT * amount / most, 1)
        lines.append(f'<rect class="{kind}" x="{_LABEL}" y="{top + offset}" width="{wide:g}" height="{_BAR}" rx="2"/>')
        lines.append(_text(_LABEL + wide + 6, top + offset + 12, str(amount), "amount", "start"))
    return "".join(lines)


def _column(number: int, label: str, count: int, most: int, step: float, many: int) -> str:
    high = round(_TALL * count / most, 1)
    kind = "earlier" if number < many / 2 else "later"
    left, middle = round(number * step + 3, 1), round(number * step + step / 2, 1)
    top = _HEAD + _TALL - high
    bar = f'<rect class="{kind}" x="{left:g}" y="{top:g}" width="{step - 6:.1f}" height="{high:g}" rx="2"/>'
    amount = _text(middle, top - 5, str(count), "amount", "middle") if count else ""
    y = _HEAD + _TALL + (16 if number % 2 == 0 else 34)  # in two rows, so that they do not run into each other
    return bar + amount + _text(middle, y, label, "tick", "middle")


def _text(x: float, y: float, words: str, kind: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(wide: float, high: float, told: str, inside: str) -> str:
    return f'<svg viewBox="0 0 {wide:g} {high:g}" role="img" aria-label="{escape(told)}">{inside}</svg>'


def _shortened(label: str, most: int = 26) -> str:
    """As many characters as fit, of which a Chinese one takes two places; the whole label is in the words."""
    width = 0
    for position, char in enumerate(label):
        width += 2 if ord(char) > 0x2E7F else 1
        if width > most:
            return label[:position] + "…"
    return label
