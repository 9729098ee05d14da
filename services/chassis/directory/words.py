"""A person's posts in words: the label of the appointment, else role and place."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.labels import Labels
from services.chassis.auth.person import Lent, Person
from services.chassis.directory.model import Directory
from services.governance.acts import Post


def post_words(person: Person, directory: Directory) -> Sequence[str]:
    """One line for each of `person.posts`, in their order: '云溪第一网格员', '派遣员', '处置单位 · 派出所'."""
    given = {a.post: a.label for a in directory.appointments if a.account_id == person.account_id and a.label}
    labels = Labels(person.lang)
    if person.lang != "zh-CN":
        given = {}  # appointments are written in Chinese
    return [given.get(post) or _role_and_place(post, labels, directory) for post in person.posts]


def lent_posts(person: Person, directory: Directory) -> dict[Post, Lent]:
    """Those of `person.posts` that he holds for a while, with until when and who lent them."""
    if person.at is None:
        return {}
    held = directory.appointments_of(person.account_id, person.at)
    return {a.post: Lent(a.until, _name(a.granted_by, directory)) for a in held if a.grant_id and a.until}


def _name(account_id: str | None, directory: Directory) -> str | None:
    known = directory.accounts.get(account_id or "")
    return known.name if known else None


def _role_and_place(post: Post, labels: Labels, directory: Directory) -> str:
    code = post.unit or post.area
    place = directory.name_of(code) if code else None
    role = labels.word("role", post.role.value)
    return f"{role} · {place}" if place else role
