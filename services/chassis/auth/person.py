"""Who is calling: a person with the posts in force now, or a machine that holds a token."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from services.governance.acts import Actor, Post
from services.governance.cycle import Role


@dataclass(frozen=True, slots=True)
class Person:
    """The caller of a request. `account_id` of a machine is 'token:<id>', so facts can name it too."""

    account_id: str
    login: str
    name: str
    posts: tuple[Post, ...]
    lang: str = "zh-CN"
    sample: bool = False
    machine: bool = False
    scope: str | None = None  # machines only: 'open311' or None for a role token
    work_no: str | None = None  # stands on photos in place of a name; None: a resident, or a machine
    at: datetime | None = field(default=None, compare=False)  # when those posts were in force; machines: None

    @property
    def actor(self) -> Actor:
        """The same caller as the rules see him."""
        return Actor(account=self.account_id, posts=self.posts)

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(post.role for post in self.posts)

    def has_role(self, *roles: Role) -> bool:
        """True if one of the posts in force carries one of `roles`."""
        return not self.roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Lent:
    """A post that somebody holds for a while (值班). `granted_by` is the name of who lent it; None: not known here."""

    until: datetime
    granted_by: str | None
