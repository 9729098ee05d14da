"""核实 that nobody does, through the stream: the directory says who is next, and the task is his."""

from __future__ import annotations

import pytest

from schemas.events.sla import SlaFiredV1
from services.governance.case import Case
from services.governance.cycle import ClockKind, State
from services.governance.tiers import RungAct
from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import PNG, do, get
from tests.integration.dispatch.test_merging import case_of

pytestmark = pytest.mark.anyio


async def limit_passes(street: Street, case: Case) -> None:
    """The timer of the point at which the check is passed on."""
    clock = next(c for c in case.clocks if c.kind is ClockKind.CONFIRM)
    point = next(r for r in clock.rungs if r.act == RungAct.NEXT_CHECKER)
    fired = SlaFiredV1(
        case_id=case.case_id,
        clock_id=clock.clock_id,
        kind=clock.kind,
        rev=clock.rev,
        rung=point.rung,
        due_at=point.at,
        fired_at=point.at,
    )
    await street.take(("sla.fired", fired))


async def test_a_look_on_site_that_nobody_takes_goes_to_the_next_of_the_chain(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(category=await street.category(), reporter_account=None, staff=False)
    await do(await sign_in("zhibu01"), case_no, "call_up", reason="no_means")
    await do(await sign_in("shequ01"), case_no, "call_up", reason="no_enforcement", note="谈过")
    clerk = await sign_in("shouli")
    await do(clerk, case_no, "confirm_request", note="看看是否还在")
    first = next(t for t in (await case_of(street, case_no)).tasks if t.kind == "confirm")
    await limit_passes(street, await case_of(street, case_no))

    case = await case_of(street, case_no)
    was, now = [t for t in case.tasks if t.kind == "confirm"]
    assert case.state is State.CONFIRMING
    assert (was.task_id, was.state.value, now.state.value) == (first.task_id, "dropped", "doing")
    assert now.person not in (None, first.person)
    told = (await get(clerk, case_no))["timeline"][-2:]
    assert [one["kind"] for one in told] == ["case.overdue", "case.check_passed_on"]
    assert (told[1]["label"], told[1]["rule"]) == ("核查（核实）任务转交下一人", "check_task")

    accounts = street.cache.current().accounts
    worker = await sign_in(accounts[now.person or ""].login)
    picture = f"/api/v1/cases/{case_no}/evidence/seen-1"
    assert (await worker.put(picture, content=PNG, headers={"content-type": "image/png"})).status_code < 300
    await do(worker, case_no, "confirm_done", note="还在", evidence=["seen-1"])
    assert (await case_of(street, case_no)).state is State.AT_STREET
