"""Posts in words, as a session shows them: 网格员 · 东门社区一网格."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.labels import Labels
from services.chassis.auth.person import Person
from services.chassis.directory.model import Directory


def post_words(person: Person, directory: Directory) -> Sequence[str]:
    """One line per post in force, in the person's language."""
    labels = Labels(person.lang)
    words = []
    for post in person.posts:
        where = directory.name_of(post.unit or post.area) if post.unit or post.area else None
        role = labels.word("role", post.role.value)
        words.append(f"{role} · {where}" if where else role)
    return words
