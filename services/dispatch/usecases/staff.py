"""The people of a street in words, as one who may invite them reads them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from schemas.api.inviting import PeopleOut, PersonOut
from services.chassis.auth.admin import SignIns
from services.chassis.directory import Account, Appointment
from services.dispatch.usecases.inviting import may_invite
from services.dispatch.usecases.lending import sees
from services.dispatch.usecases.words import Words


@dataclass(frozen=True)
class Register:
    """`held`: posts of the reader in force at `now`; `disabled`: ids of accounts that sign in no more."""

    held: tuple[Appointment, ...]
    disabled: Collection[str]
    words: Words
    now: datetime

    def knows(self, login: str) -> bool:
        return login in self._people

    def may_invite(self, login: str) -> bool:
        _, posts = self._people[login]
        return may_invite(self.held, posts, self.words.directory)

    def page(self, sign_ins: Mapping[str, SignIns]) -> PeopleOut:
        """Everybody, by login; the link of the phone is offered where the reader may make one."""
        rows = (self._row(account, posts, sign_ins) for _, (account, posts) in sorted(self._people.items()))
        return PeopleOut(items=tuple(rows))

    def _row(self, account: Account, posts: list[Appointment], sign_ins: Mapping[str, SignIns]) -> PersonOut:
        signed = sign_ins.get(account.account_id, SignIns())
        return PersonOut(
            login=account.login,
            name=account.name,
            posts=" / ".join(self.words.held_post(own.post) for own in posts),
            seen_at=signed.seen_at,
            link_until=signed.link_until,
            may_invite=self.may_invite(account.login),
        )

    @cached_property
    def _people(self) -> dict[str, tuple[Account, list[Appointment]]]:
        """By login: all posts of each whose some post lies in the reader's place."""
        directory = self.words.directory
        found: dict[str, tuple[Account, list[Appointment]]] = {}
        for own in directory.appointments:
            account = directory.accounts.get(own.account_id)
            if account is not None and own.in_force(self.now) and own.account_id not in self.disabled:
                found.setdefault(account.login, (account, []))[1].append(own)
        return {
            login: (account, posts)
            for login, (account, posts) in found.items()
            if any(sees(self.held, own.post, directory) for own in posts)
        }
