"""Who sees a case: the tokens say the same as the rules."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from services.dispatch.store.audience import audience_of, scope_of
from services.governance.acts import Actor, Post, Task, TaskState
from services.governance.case import Case, Sight, may_see
from services.governance.cycle import Flag, Role, State, Tier
from tests.unit.dispatch.conftest import NOW, SPOT, opened

AREAS = ("", "441802001", "441802002", "441802001001", "441802001002", "44180200100101", "44180200100102")
POSTS = [
    *(Post(role, area) for role, area in product(Role, AREAS)),
    *(Post(role, unit=unit) for role, unit in product(Role, ("lead", "co", "dropped", "stranger"))),
]


def _task(kind: str, state: TaskState, unit: str | None = None, person: str | None = None) -> Task:
    return Task(f"{kind}:{unit or person}:{state}", kind, unit, person, state, NOW)


def _cases() -> list[Case]:
    plain = opened()
    joint = replace(
        plain,
        state=State.HANDLING,
        tier=Tier.STREET,
        lead="lead",
        tasks=(_task("co", TaskState.DOING, "co"), _task("co", TaskState.DROPPED, "dropped")),
    )
    checked = replace(joint, state=State.FED_BACK, tasks=(_task("verify", TaskState.DOING, person="checker"),))
    done = replace(checked, state=State.CLOSED, tasks=(_task("verify", TaskState.DONE, person="checker"),))
    district = replace(joint, state=State.AT_DISTRICT, tier=Tier.DISTRICT)
    nowhere = replace(plain, spot=replace(SPOT, community=None, grid=None, cell=None))
    flagged = replace(joint, flags=frozenset({Flag.IN_CONFERENCE, Flag.PLATFORM_NOTICED}))
    confirming = replace(plain, state=State.CONFIRMING, tier=Tier.STREET)
    kinds = [plain, joint, checked, done, district, nowhere, flagged, confirming]
    return [replace(case, restricted=restricted) for case, restricted in product(kinds, (False, True))]


@pytest.mark.parametrize("case", _cases(), ids=lambda case: f"{case.state}-{case.tier}-{case.restricted}")
def test_tokens_and_rules_agree(case: Case) -> None:
    for account, post in product(("worker", "checker", "nobody"), [None, *POSTS]):
        actor = Actor(account, (post,) if post else ())
        sees = scope_of(actor).sees(audience_of(case))
        assert sees is (may_see(case, actor) is not Sight.NONE), (account, post)


def test_a_person_without_posts_sees_what_he_reported() -> None:
    assert scope_of(Actor("worker", ())).sees(audience_of(opened()))
    assert not scope_of(Actor("nobody", ())).sees(audience_of(opened()))


def test_only_posts_over_a_street_are_wide() -> None:
    assert scope_of(Actor("a", (Post(Role.DISPATCHER),))).wide
    assert not scope_of(Actor("a", (Post(Role.GRID_WORKER, "44180200100101"),))).wide
    assert not scope_of(Actor("a", (Post(Role.VERIFIER),))).wide


def test_the_same_person_has_the_same_scope() -> None:
    posts = (Post(Role.DISPATCHER), Post(Role.HANDLING_UNIT, unit="u"))
    assert scope_of(Actor("a", posts)) == scope_of(Actor("a", posts[::-1]))
    assert scope_of(Actor("a", posts)) != scope_of(Actor("b", posts))
