"""调解: who names whom, who writes what is said, who reads it, and what is left of it at the end."""

from __future__ import annotations

import pytest

from services.governance.acts import ActorRef, Around, Post, Task, TaskState
from services.governance.case import offers
from services.governance.case.mediation import may_read, mediates, mediators
from services.governance.cycle import Action, Role, State
from services.governance.errors import InvalidInput, MissingInput, NotPermitted, SeparationOfDuties
from tests.support.governance import (
    CHIEF,
    CITY_OFFICE,
    COMMUNITY_SECRETARY,
    LEAD,
    PHOTO,
    QUARREL,
    RESIDENT,
    SECRETARY,
    STREET,
    VERIFIER,
    WORKER,
    Walk,
    person,
    report,
    to_community,
    to_handling,
)

AUNT = person("dajie", Post(Role.GRID_WORKER, STREET + "009"))  # of another community
UNCLE = person("dashu", Post(Role.GRID_WORKER, STREET + "009"))


def quarrel(around: Around | None = None) -> Walk:
    """A restricted matter, reported by a grid worker."""
    return Walk(report(QUARREL), around=around)


def mediated(walk: Walk) -> Walk:
    walk.act(SECRETARY, Action.NAME_MEDIATOR, person=AUNT.account)
    return walk


# --- naming ----------------------------------------------------------------------------------------------------------
def test_the_branch_names_who_mediates_and_he_is_told() -> None:
    walk = quarrel()
    before = walk.case
    (fact,) = walk.act(SECRETARY, Action.NAME_MEDIATOR, person=AUNT.account)
    assert (fact.kind, fact.actor.account) == ("case.mediator_named", "zhibu01")
    assert [(t.post, t.code, t.account) for t in fact.tell] == [("mediator", "", "dajie")]
    assert walk.case.tasks == (Task("c1:t1", "mediate", None, "dajie", TaskState.DOING, walk.now),)
    assert (walk.case.state, walk.case.clocks) == (before.state, before.clocks), "the work goes on beside it"
    assert mediators(walk.case) == ("dajie",)
    assert (mediates(walk.case, AUNT), mediates(walk.case, SECRETARY)) == (True, False)


def test_another_takes_the_place_of_the_one_before() -> None:
    walk = mediated(quarrel())
    walk.later(minutes=5).act(SECRETARY, Action.NAME_MEDIATOR, person=UNCLE.account)
    assert [(t.task_id, t.person, t.state) for t in walk.case.tasks] == [
        ("c1:t1", "dajie", TaskState.DROPPED),
        ("c1:t2", "dashu", TaskState.DOING),
    ]
    assert mediators(walk.case) == ("dashu",)
    assert (mediates(walk.case, AUNT), mediates(walk.case, UNCLE)) == (False, True)
    assert (may_read(walk.case, AUNT), may_read(walk.case, UNCLE)) == (False, True)


@pytest.mark.parametrize("account", [WORKER.account, AUNT.account], ids=["who reported", "who does already"])
def test_some_are_not_named(account: str) -> None:
    walk = mediated(quarrel())
    with pytest.raises(InvalidInput) as refused:
        walk.act(SECRETARY, Action.NAME_MEDIATOR, person=account)
    assert (refused.value.params["field"], refused.value.params["value"]) == ("person", account)
    with pytest.raises(MissingInput):
        walk.act(SECRETARY, Action.NAME_MEDIATOR)
    assert mediators(walk.case) == ("dajie",)


def test_only_a_restricted_matter_has_a_mediator() -> None:
    walk = Walk()
    with pytest.raises(NotPermitted) as refused:
        walk.act(SECRETARY, Action.NAME_MEDIATOR, person=AUNT.account)
    assert (refused.value.params["action"], refused.value.params["why"]) == (Action.NAME_MEDIATOR, "not_restricted")
    assert Action.NAME_MEDIATOR not in [o.action for o in offers(walk.case, SECRETARY, walk.book, walk.now)]


def test_who_sees_the_class_alone_names_nobody() -> None:
    walk = quarrel()
    with pytest.raises(NotPermitted) as refused:
        walk.act(COMMUNITY_SECRETARY, Action.NAME_MEDIATOR, person=AUNT.account)
    assert (refused.value.params["action"], refused.value.params["why"]) == (Action.NAME_MEDIATOR, "restricted")
    to_community(walk).act(COMMUNITY_SECRETARY, Action.NAME_MEDIATOR, person=AUNT.account)
    assert mediators(walk.case) == ("dajie",)


# --- reading ---------------------------------------------------------------------------------------------------------
def test_the_mediator_and_the_owner_chain_read_what_is_said() -> None:
    walk = mediated(quarrel())
    assert may_read(walk.case, AUNT)
    assert may_read(walk.case, SECRETARY)
    assert not may_read(walk.case, COMMUNITY_SECRETARY), "it has not come to the community"
    assert not may_read(walk.case, WORKER), "who reported sees the case, and nothing of this"
    assert not may_read(walk.case, RESIDENT)
    assert may_read(to_community(walk).case, COMMUNITY_SECRETARY)


def test_the_unit_that_leads_reads_a_helper_and_a_verifier_do_not() -> None:
    walk = to_handling(mediated(quarrel()), ("chengguan",), condition="quarrel")
    assert [may_read(walk.case, who) for who in (LEAD, CHIEF, CITY_OFFICE)] == [True, True, False]
    walk.act(CITY_OFFICE, Action.CO_DONE, note="said what we know")
    walk.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    assert not may_read(walk.case, VERIFIER)


def test_of_an_open_matter_there_is_nothing_to_read() -> None:
    assert not may_read(Walk().case, SECRETARY)


# --- the end ---------------------------------------------------------------------------------------------------------
def test_who_mediated_does_not_check_and_has_mediated_to_the_end() -> None:
    both = person("both", Post(Role.VERIFIER))
    walk = quarrel(Around(verifier=ActorRef("hecha", Role.VERIFIER)))
    walk.act(SECRETARY, Action.NAME_MEDIATOR, person="both")
    to_handling(walk, condition="quarrel").act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True)
    assert [t.kind for t in walk.case.tasks] == ["mediate", "lead", "verify"]
    assert mediators(walk.case) == ("both",), "who has another task mediates nothing"
    assert not mediates(walk.case, VERIFIER)
    with pytest.raises(SeparationOfDuties) as refused:
        walk.act(both, Action.VERIFY_PASS, means="on_site")
    assert (refused.value.params["action"], refused.value.params["why"]) == (Action.VERIFY_PASS, "handler")
    walk.later(minutes=10).act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    assert walk.case.state is State.CLOSED
    done = walk.case.tasks[0]
    assert (done.state, done.done_at) == (TaskState.DONE, walk.now)
    assert (mediators(walk.case), mediates(walk.case, both), may_read(walk.case, both)) == (("both",), False, True)
