"""Which parts `grid restart` means, and whom it waits for."""

from __future__ import annotations

from services.chassis.grid.restart import chosen, peers
from services.chassis.supervisor.status import PartStatus

PARTS = {
    name: PartStatus(state=state, pid=1)
    for name, state in {
        "migrate": "done",
        "dispatch": "ready",
        "dispatch-relay": "ready",
        "dispatch-worker-1": "ready",
        "dispatch-worker-2": "ready",
        "intake-worker": "ready",
        "escalation-timers": "pausing",
        "postgres": "ready",
        "kafka": "ready",
    }.items()
}


def test_without_names_every_running_process_of_ours_is_meant() -> None:
    names, unknown = chosen(PARTS, [])
    assert names == ["dispatch", "dispatch-relay", "dispatch-worker-1", "dispatch-worker-2", "intake-worker"]
    assert unknown == []


def test_a_pattern_means_what_it_fits_in_the_tables_order() -> None:
    assert chosen(PARTS, ["intake-worker", "dispatch-worker*"])[0] == [
        "dispatch-worker-1",
        "dispatch-worker-2",
        "intake-worker",
    ]


def test_what_does_not_run_is_named() -> None:
    assert chosen(PARTS, ["dispatch", "kafka", "escalation-timers", "nobody"]) == (
        ["dispatch"],
        ["kafka", "escalation-timers", "nobody"],
    )


def test_workers_of_one_group_are_waited_for_together() -> None:
    assert peers("dispatch-worker-2", PARTS) == ["dispatch-worker-1", "dispatch-worker-2"]
    assert peers("dispatch", PARTS) == ["dispatch"]
    assert peers("intake-worker", PARTS) == ["intake-worker"]
