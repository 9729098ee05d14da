"""Bodies of dispatch: what happened to a case and why: its facts, requests, words and its route."""

from __future__ import annotations

from pydantic import Field

from schemas.api.base import Line, Moment, Out
from schemas.api.dispatch.photos import CasePhotoOut
from services.governance.cycle import Action, Intent


class AskedForOut(Out):
    """One thing that was filled in with a request."""

    name: str
    label: str
    text: str


class RequestOut(Out):
    """Something asked for. `asked` is what it was filled in with, `deciders` the posts whose word is awaited."""

    id: str
    kind: Action
    label: str
    status: str
    by_name: str | None = None
    at: Moment
    until: Moment | None = None
    reason: str | None = None
    note: str | None = None
    asked: tuple[AskedForOut, ...] = ()
    deciders: tuple[str, ...] = ()


class WordOut(Out):
    """What the street wrote for who reported, under the sequence of its fact."""

    sequence: int
    kind: str
    at: Moment
    text: str


class WordsOut(Out):
    """Questions and advice of one case, oldest first."""

    words: tuple[WordOut, ...]


class TimelineOut(Out):
    """One fact in words. `recall_until`: the machine's act can be taken back until then."""

    sequence: int
    at: Moment
    kind: str
    label: str
    actor_name: str | None = None
    actor_post: str | None = None
    machine: bool
    rule: str | None = None
    note: str | None = None
    reason: str | None = None
    intent: Intent | None = None
    evidence: tuple[CasePhotoOut, ...] = ()
    recall_until: Moment | None = None
    cases: tuple[str, ...] = Field(default=(), description="numbers of the other cases that it is about")
    instead: tuple[Line, ...] = Field(default=(), description="who was told in place of a post that nobody held")


class RouteReasonOut(Out):
    """A line of the routes that was not taken: whose it is, what it rests on, and why not, in words."""

    line: str
    unit: str = ""
    basis: str = ""
    why: str


class RoutingOut(Out):
    """The units and why; `unmatched` tells for each line 'id:reason' why it was not taken, `reasons` the same in words.

    `because` is what the matter says where the line asked for something, `line_basis` what the line rests on.
    `names`: unit code → name. `rulebook`: the version that chose.
    """

    lead: str | None = None
    co_units: tuple[str, ...] = ()
    line: str | None = None
    basis: str
    unmatched: tuple[str, ...] = ()
    rulebook_lead: str | None = None
    names: dict[str, str] = Field(default_factory=dict)
    rulebook: str = ""
    edition: str = ""
    line_basis: str = ""
    matched: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    reasons: tuple[RouteReasonOut, ...] = ()
