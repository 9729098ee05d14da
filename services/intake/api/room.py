"""What the routes work with; made once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Header

from schemas.labels import Labels
from services.chassis.auth import CurrentPerson, Person
from services.chassis.db import Database
from services.chassis.directory import Directory, DirectoryCache, UnknownRulebook
from services.chassis.ids import IdSource
from services.governance.rulebook import Rulebook
from services.intake.store.moment import DatabaseClock
from services.intake.usecases.check import Desk
from services.intake.usecases.photos import PhotoDesk
from services.intake.usecases.place import Home, home_of
from services.intake.usecases.refusal import Refusal
from services.intake.usecases.submit import Submissions
from services.intake.usecases.words import WordsFromDispatch

KEY_MAX = 255


@dataclass(frozen=True, slots=True)
class Room:
    """The parts behind the routes."""

    db: Database
    cache: DirectoryCache
    clock: DatabaseClock
    ids: IdSource
    submissions: Submissions
    photos: PhotoDesk
    words: WordsFromDispatch

    @property
    def directory(self) -> Directory:
        return self.cache.current()

    def home(self, person: Person) -> Home:
        """The caller's own area."""
        return home_of(person.posts, self.directory)

    async def desk(self, home: Home) -> Desk:
        """Directory, rulebook and time as they stand now, for a reporter of `home`."""
        now = self.clock.now()
        return Desk(self.directory, await self.cache.current_rulebook(home.street, now), now)

    async def rulebook(self, version: str) -> Rulebook | None:
        """A version for showing names; None where it cannot be had."""
        try:
            return await self.cache.rulebook(version)
        except UnknownRulebook:
            return None


def labels_for(person: Person) -> Labels:
    """The words of the caller's language."""
    return Labels(person.lang)


async def required_key(key: Annotated[str | None, Header(alias="Idempotency-Key")] = None) -> str:
    """The request's key. Raises Refusal: without one a lost answer could not be asked for again."""
    if key is None or not key.strip():
        raise Refusal("idempotency_key_required", "Idempotency-Key")
    if len(key) > KEY_MAX:
        raise Refusal("key_format", "Idempotency-Key")
    return key.strip()


async def same_account(
    person: CurrentPerson, account: Annotated[str | None, Header(alias="Grid-Account")] = None
) -> None:
    """What a phone kept for one account goes in under that account alone. Raises Refusal 412 `other_account`.

    A page may still show one person while another signed in beside it; sent under his name, a report whose answer
    was lost would be there twice, since keys belong to the account.
    """
    if account is not None and account != person.account_id:
        raise Refusal("other_account", "Grid-Account", status=412)
