"""Who is asked to check, in the order that the rulebook tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.dispatch.usecases.around import verifier_of
from services.governance.acts import ActorRef, Around, Post, Task, TaskState
from services.governance.case import Case
from services.governance.cycle import Role, State, Urgency
from services.governance.rulebook import Checker, Rulebook
from tests.support.governance import BOOK, COMMUNITY, GRID, Walk, to_fed_back

NOW = datetime(2026, 3, 6, 9, tzinfo=UTC)
FINDER, WORKER, BESIDE, SECRETARY, CHECKER = "finder", "worker", "beside", "secretary", "checker"
PEOPLE = {
    FINDER: Post(Role.GRID_SECRETARY, GRID),
    WORKER: Post(Role.GRID_WORKER, GRID),
    BESIDE: Post(Role.GRID_WORKER, COMMUNITY + "02"),
    SECRETARY: Post(Role.COMMUNITY_SECRETARY, COMMUNITY),
    CHECKER: Post(Role.VERIFIER),
}


class _Grid:
    def __init__(self, code: str) -> None:
        self.code, self.community = code, COMMUNITY


class _Person:
    def __init__(self, account_id: str) -> None:
        self.account_id = account_id


class Town:
    """As much of the directory as is asked."""

    def __init__(self) -> None:
        self.grids = {code: _Grid(code) for code in (GRID, COMMUNITY + "02")}

    def posts_of(self, account: str, _now: datetime) -> tuple[Post, ...]:
        return (PEOPLE[account],) if account in PEOPLE else ()

    def people_with(self, role: Role, _now: datetime, *, area: str = "") -> list[_Person]:
        return [_Person(who) for who, post in PEOPLE.items() if post.role is role and area.startswith(post.area)]


def asked(case: Case, book: Rulebook = BOOK) -> str | None:
    town: Any = Town()
    found = verifier_of(town, case, NOW, book)
    return found.account if found else None


def case_by(reporter: str | None, **changes: Any) -> Case:
    return replace(Walk().case, reporter=reporter, **changes)


def test_the_finder_the_grid_its_neighbour_the_community_the_verifier() -> None:
    handled: frozenset[str] = frozenset()
    for expected in (FINDER, WORKER, BESIDE, SECRETARY, CHECKER):
        assert asked(case_by(FINDER, handlers=handled)) == expected
        handled |= {expected}
    assert asked(case_by(FINDER, handlers=handled)) is None


def test_a_street_may_ask_in_another_order() -> None:
    book = replace(BOOK, verifiers=(Checker.COMMUNITY, Checker.FINDER))
    assert asked(case_by(FINDER), book) == SECRETARY
    assert asked(case_by(FINDER, handlers=frozenset({SECRETARY, FINDER})), book) is None


@pytest.mark.parametrize("changes", [{"urgency": Urgency.URGENT}, {"restricted": True}])
def test_danger_and_restricted_matters_have_an_order_of_their_own(changes: dict[str, Any]) -> None:
    assert asked(case_by(FINDER, **changes)) == CHECKER
    assert asked(case_by(FINDER, **changes), replace(BOOK, urgent_verifiers=(Checker.GRID_WORKER,))) == WORKER


def test_who_mediates_does_not_check() -> None:
    task = Task("t1", "mediate", None, CHECKER, TaskState.DOING, NOW - timedelta(hours=1))
    assert asked(case_by(FINDER, restricted=True, tasks=(task,))) is None


def test_who_filed_it_does_not_check() -> None:
    assert asked(case_by(FINDER, clerks=frozenset({FINDER}))) == WORKER


def test_who_had_this_check_is_not_asked_again_but_who_had_the_one_before() -> None:
    walk = to_fed_back(Walk(around=Around(verifier=ActorRef(WORKER, Role.GRID_WORKER))))
    case = replace(walk.case, reporter=FINDER)
    assert asked(case) == FINDER
    assert asked(replace(case, reporter=None)) == BESIDE
    assert asked(replace(case, reporter=None, state=State.CONFIRMING)) == WORKER
