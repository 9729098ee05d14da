"""Lent posts in words, as one who may lend reads them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.api.lending import ColleagueOut, DelegationOut, DelegationsOut, LendableOut, PlaceOut
from services.chassis.directory import Account, Appointment, Directory
from services.dispatch.usecases.lending import OVER, Over, lendable, may_end, places, sees
from services.dispatch.usecases.words import Words
from services.governance.acts import Post
from services.governance.cycle import Role


@dataclass(frozen=True, slots=True)
class Desk:
    """Who lends, what he holds at `now`, and his language."""

    account: str
    held: tuple[Appointment, ...]
    words: Words
    now: datetime

    @property
    def directory(self) -> Directory:
        return self.words.directory

    def page(self, lent: Sequence[Appointment], disabled: Collection[str]) -> DelegationsOut:
        """Everything the page needs."""
        return DelegationsOut(
            items=tuple(self.row(one) for one in lent if sees(self.held, one.post, self.directory)),
            roles=tuple(self._lendable(role) for role in lendable(self.held)),
            people=tuple(self._colleagues(disabled)),
        )

    def row(self, lent: Appointment) -> DelegationOut:
        """One lent post; its id, lender and end are set."""
        assert lent.grant_id is not None
        assert lent.granted_by is not None
        assert lent.until is not None
        known = self.directory.accounts.get(lent.account_id)
        return DelegationOut(
            id=lent.grant_id,
            account=known.login if known else lent.account_id,
            account_name=known.name if known else None,
            role=lent.post.role,
            role_label=self.words.word("role", lent.post.role),
            area=lent.post.area,
            unit=lent.post.unit,
            place=self.words.place(lent.post.unit or lent.post.area),
            since=lent.since,
            until=lent.until,
            granted_by=lent.granted_by,
            granted_by_name=self.words.person(lent.granted_by),
            in_force=lent.in_force(self.now),
            may_end=may_end(self.held, lent.post, self.directory),
        )

    def _lendable(self, role: Role) -> LendableOut:
        codes = places(role, self.held, self.directory)
        if len(codes) > 1 and OVER[role] is Over.STREET:
            # the only street there is needs no name beside "the whole street"
            codes = tuple(code for code in codes if not code or not self.directory.covers_all(code))
        return LendableOut(
            role=role,
            label=self.words.word("role", role),
            field="unit" if OVER[role] in (Over.UNIT, Over.MEMBER) else "area",
            places=tuple(PlaceOut(code=code, name=self._place(code)) for code in codes),
        )

    def _place(self, code: str) -> str:
        """A grid is named with its community: 第一网格 there are many."""
        grid = self.directory.grids.get(code)
        if grid is not None:
            return f"{self.words.place(grid.community)} · {grid.name}"
        return self.words.place(code) or self.words.labels.text("delegations.whole")

    def _colleagues(self, disabled: Collection[str]) -> Iterator[ColleagueOut]:
        """Whoever has a post in the lender's place; residents are not listed, nor is he himself."""
        held: dict[str, list[Post]] = {}
        for own in self.directory.appointments:
            if own.post.role in OVER and own.in_force(self.now) and sees(self.held, own.post, self.directory):
                held.setdefault(own.account_id, []).append(own.post)
        for account in sorted(self._named(held), key=lambda one: one.login):
            if account.account_id not in disabled and account.account_id != self.account:
                posts = " / ".join(self.words.held_post(post) for post in held[account.account_id])
                yield ColleagueOut(login=account.login, name=account.name, posts=posts)

    def _named(self, ids: Collection[str]) -> Iterator[Account]:
        return (self.directory.accounts[one] for one in ids if one in self.directory.accounts)
