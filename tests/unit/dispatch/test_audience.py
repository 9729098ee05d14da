"""Who sees a case, as tokens: two with the same posts have the same view, and only a street's posts are wide.

That the tokens say the same as the rules is tested over a real database.
"""

from __future__ import annotations

from services.dispatch.store.audience import audience_of, scope_of
from services.governance.acts import Actor, Post
from services.governance.cycle import Role
from tests.unit.dispatch.conftest import opened


def test_a_person_without_posts_shares_what_he_reported() -> None:
    assert scope_of(Actor("worker", ())).tokens & audience_of(opened())
    assert not scope_of(Actor("nobody", ())).tokens & audience_of(opened())


def test_only_posts_over_a_street_are_wide() -> None:
    assert scope_of(Actor("a", (Post(Role.DISPATCHER),))).wide
    assert not scope_of(Actor("a", (Post(Role.GRID_WORKER, "44180200100101"),))).wide
    assert not scope_of(Actor("a", (Post(Role.VERIFIER),))).wide


def test_the_same_person_has_the_same_scope() -> None:
    posts = (Post(Role.DISPATCHER), Post(Role.HANDLING_UNIT, unit="u"))
    assert scope_of(Actor("a", posts)) == scope_of(Actor("a", posts[::-1]))
    assert scope_of(Actor("a", posts)) != scope_of(Actor("b", posts))
