"""Notices as one message: for mail, a short message, or the Markdown of a group's robot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.labels import Labels
from services.escalation.notices.notice import Notice
from services.escalation.notices.words import Said, said

MOST_LISTED: Final = 20
MARKDOWN_BYTES: Final = 4096
"""What WeCom takes; DingTalk takes more."""


@dataclass(frozen=True, slots=True)
class Item:
    """One notice in a message. `link` None where nobody said under which address people reach the pages."""

    said: Said
    case_no: str | None
    link: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes out: a subject, the listed notices, how many more there are, and words below."""

    subject: str
    items: tuple[Item, ...]
    more: str | None
    below: str

    @property
    def lines(self) -> list[str]:
        """As plain text."""
        out: list[str] = []
        for item in self.items:
            case = f"（{item.case_no}）" if item.case_no else ""
            out += [
                f"{item.said.title}{case}",
                item.said.about,
                *item.said.notes,
                *([item.link] if item.link else []),
                "",
            ]
        return [*out, *([self.more, ""] if self.more else []), self.below]


def letter(notices: Sequence[Notice], labels: Labels, base: str | None) -> Letter:
    """The message of these notices; without any it is a test. `base`: the address before `cases/…`."""
    if not notices:
        test = Said(labels.text("notice.test"), labels.text("notice.test.about"))
        return Letter(test.title, (Item(test, None, None),), None, labels.text("notice.below"))
    items = tuple(_item(notice, labels, base) for notice in notices[:MOST_LISTED])
    left = len(notices) - len(items)
    one = items[0].said.title
    subject = one if len(notices) == 1 else labels.text("notice.digest", n=len(notices))
    more = labels.text("notice.more", n=left) if left else None
    return Letter(subject, items, more, labels.text("notice.below"))


def markdown(letter: Letter, mentions: Sequence[str] = ()) -> str:
    """For robots: within MARKDOWN_BYTES, whole entries only, those called upon at the end."""
    head = f"**{_plain(letter.subject)}**"
    tail = [*([letter.more] if letter.more else []), " ".join(mentions)]
    room = MARKDOWN_BYTES - len("\n\n".join([head, *tail]).encode()) - 8
    shown: list[str] = []
    for item in letter.items:
        entry = _entry(item, alone=len(letter.items) == 1)
        room -= len(entry.encode()) + 2
        if room < 0:
            break
        shown.append(entry)
    return "\n\n".join(part for part in [head, *shown, *tail] if part)


def short(letter: Letter) -> str:
    """For a short message: the first notice in one line."""
    item = letter.items[0]
    parts = (item.said.title, item.case_no, item.said.about, *item.said.notes)
    return "，".join(part for part in parts if part)


def _item(notice: Notice, labels: Labels, base: str | None) -> Item:
    link = f"{base}cases/{notice.case_no}" if base and notice.case_no else None
    return Item(said(notice, labels), notice.case_no, link)


def _entry(item: Item, *, alone: bool) -> str:
    case = item.case_no or ""
    named = f"[{case}]({item.link})" if item.link and case else case
    title = "" if alone else f"{_plain(item.said.title)} "
    lines = [f"> {title}{named}".rstrip(), f"> {_plain(item.said.about)}", *(f"> {_plain(n)}" for n in item.said.notes)]
    return "\n".join(line for line in lines if line != ">")


def _plain(words: str) -> str:
    """Names of places and classes are data: they neither make links nor call upon anybody."""
    return words.translate(_MARKS)


_MARKS: Final = str.maketrans(
    {"[": "［", "]": "］", "<": "＜", ">": "＞", "*": "＊", "`": "｀", "@": "＠", "\n": " ", "#": "＃"}
)
