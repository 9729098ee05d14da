"""A notice in words: a title, a line of what it is about, and what is to be said of how it came here.

The same words stand in the app and in every push; they name no person, and of a restricted case class and community.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.labels import Labels
from services.chassis.clock import LOCAL
from services.escalation.notices.notice import Notice


@dataclass(frozen=True, slots=True)
class Said:
    """`notes`: that it came in another's place, or late."""

    title: str
    about: str
    notes: tuple[str, ...] = ()


def said(notice: Notice, labels: Labels) -> Said:
    """The words of one notice."""
    if notice.merged:
        return _merged(notice, labels)
    detail = notice.detail
    what = labels.word("fact", notice.kind, detail.get("at"))
    clock = detail.get("clock")
    title = labels.text("notice.clocked", clock=labels.word("clock_kind", clock), what=what) if clock else what
    if notice.urgent:
        title = labels.text("notice.urgent", urgency=labels.word("urgency", detail["urgency"]), what=title)
    category, place = detail.get("category", ""), detail.get("place", "")
    about = labels.text("notice.about", category=category, place=place) if category else place
    return Said(title, about, tuple(_notes(notice, labels)))


def _notes(notice: Notice, labels: Labels) -> list[str]:
    notes = []
    if notice.instead_of is not None:
        notes.append(labels.text("notice.instead", post=post_word(notice.instead_of, labels)))
    if notice.planned_at is not None and (notice.at - notice.planned_at).total_seconds() >= _WORTH_SAYING_S:
        planned, told = local(notice.planned_at, labels), local(notice.at, labels)
        notes.append(labels.text("notice.late", planned=planned, told=told))
    return notes


_WORTH_SAYING_S = 120


def _merged(notice: Notice, labels: Labels) -> Said:
    detail = notice.detail
    first, last = (datetime.fromisoformat(detail[key]) for key in ("first", "last"))
    title = labels.text("notice.merged", n=detail["count"])
    if notice.urgent:
        title = labels.text("notice.urgent", urgency=labels.text("notice.some_urgent"), what=title)
    return Said(title, labels.text("notice.merged.about", first=local(first, labels), last=local(last, labels)))


def post_word(post: str, labels: Labels) -> str:
    """A ladder's word or a role in the reader's language; the word itself where a newer version has brought it."""
    known = next((key for group in _POSTS if (key := f"{group}.{post}") in labels), None)
    return post if known is None else labels.text(known)


_POSTS = ("tell", "role", "notice.post")


def local(moment: datetime, labels: Labels) -> str:
    """A moment as people here write it, to the minute."""
    here = moment.astimezone(LOCAL)
    return labels.text("notice.moment", month=here.month, day=here.day, time=f"{here:%H:%M}")
