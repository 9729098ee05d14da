"""讲: who tells of a good deed is asked for nothing else, and nobody is counted by it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from schemas.api.deeds import GoodDeedIn, GoodDeedOut
from services.chassis.auth.person import Person
from services.chassis.directory.model import Directory
from services.governance.cycle import Role
from services.intake.store.deeds import DeedSeen, NewDeed
from services.intake.usecases.identity import Sealer
from services.intake.usecases.masking import mask
from services.intake.usecases.place import Home
from services.intake.usecases.refusal import Refusal

_FUTURE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Teller:
    """Who tells it, under which key, from where."""

    person: Person
    key: str
    home: Home


def checked(
    body: GoodDeedIn, note_id: UUID, teller: Teller, directory: Directory, now: datetime, sealer: Sealer
) -> NewDeed:
    """The note to store. Raises Refusal naming the field."""
    if body.seen_at is not None and body.seen_at > now + _FUTURE:
        raise Refusal("in_the_future", "seen_at")
    grid = teller.home.grid
    if body.cell is not None:
        cell = directory.cells.get(body.cell)
        if cell is None:
            raise Refusal("unknown_cell", "cell")
        grid = cell.grid
    plain = body.model_dump(mode="json", exclude_unset=True)
    return NewDeed(
        note_id=note_id,
        account=teller.person.account_id,
        key=teller.key,
        body_sha256=hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).digest(),
        grid=grid,
        masked_text=mask(body.text),
        masked_place=mask(body.place_words),
        seen_at=body.seen_at,
        sealed=sealer.words(body.text, body.place_words, "", note_id),
    )


def areas_read_by(person: Person) -> tuple[str, ...]:
    """Whose notes a branch secretary reads. Raises Refusal: others read their own alone."""
    areas = tuple(post.area for post in person.posts if post.role is Role.GRID_SECRETARY and post.area)
    if not areas:
        raise Refusal("not_permitted", "mine", status=403)
    return areas


def shown(note: DeedSeen, person: Person, sealer: Sealer) -> GoodDeedOut:
    """Raw to who told it, masked to others."""
    mine = note.account == person.account_id
    text, place = note.masked_text, note.masked_place
    if mine and note.sealed is not None:
        text, place, _ = sealer.words_of(note.sealed, note.note_id)
    return GoodDeedOut(
        id=str(note.note_id),
        text=text,
        place_words=place,
        grid=note.grid,
        seen_at=note.seen_at,
        told_at=note.told_at,
        mine=mine,
    )
