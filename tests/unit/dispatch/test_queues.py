"""The table of queues is complete: words, orders and groups for each."""

from __future__ import annotations

import pytest
from sqlalchemy.dialects import postgresql

from schemas.labels import LANGUAGES, Labels
from services.dispatch.store.audience import scope_of
from services.dispatch.store.queues import BY_ID, QUEUES, Queue, queues_of_case
from services.governance.acts import Actor, Post
from services.governance.cycle import Role, Stage

DESKS = {
    "branch": {"branch_triage", "grid_handling", "grid_open", "to_verify"},
    "community": {"community_calls", "community_handling", "called_street", "to_close"},
    "unit": {"to_sign", "to_respond", "in_handling", "co_tasks", "my_requests"},
    "member": {"to_claim", "pledged"},
    "leader": {"to_approve", "supervised"},
    "district": {"whistles"},
}


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.id)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_queue_has_a_word(queue: Queue, lang: str) -> None:
    assert Labels(lang).word("queue", queue.id)


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.id)
def test_every_queue_can_be_asked_for_everybody(queue: Queue) -> None:
    for post in (Post(Role.DISPATCHER), Post(Role.HANDLING_UNIT, unit="u"), Post(Role.AUDITOR)):
        sql = queue.holds(scope_of(Actor("a", (post,)))).compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
        assert any(word in str(sql) for word in ("queues @>", "cases.live", "false"))
    assert queue.sort.name


def test_ids_are_unique_and_stages_belong_to_the_rail() -> None:
    assert len(BY_ID) == len(QUEUES)
    for queue in QUEUES:
        assert (queue.stage is not None) == (queue.group == "stage"), queue.id
    assert {queue.stage for queue in QUEUES if queue.stage} == set(Stage)


def test_every_desk_has_its_lists() -> None:
    for desk, lists in DESKS.items():
        assert lists <= set(BY_ID), desk


def test_a_case_is_told_the_lists_it_stands_in() -> None:
    scope = scope_of(Actor("a", (Post(Role.DISPATCHER),)))
    sql = str(queues_of_case(scope).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert sql.count("CASE WHEN") == len(QUEUES)
