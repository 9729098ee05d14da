"""What each safeguard is against, done to a stand on purpose and at the worst moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.governance.acts import Actor, Inputs, Post
from services.governance.cycle import Action, Role
from tests.chaos.mutations.kept import PATIENCE_S, until
from tests.chaos.mutations.small import GRID, SmallStand

COMMIT_S: Final = 3.0
"""Longer than a worker keeps what it has acknowledged to itself."""
SEVERAL: Final = 5


async def killed_before_commit(stand: SmallStand) -> None:
    """kill -9 while the batch waits for its COMMIT, with time for Kafka to learn of an acknowledgement."""
    worker = stand.processes["dispatch worker"]
    async with stand.locked("dispatch.case_reports"):
        for _ in range(SEVERAL):
            await stand.report()
        await stand.stuck("dispatch-worker")
        await asyncio.sleep(COMMIT_S)
        worker.kill()


async def brought_twice(stand: SmallStand) -> None:
    """An old standing of a case comes again behind a newer one."""
    case_no = await stand.case_of(await stand.report())
    await stand.act(case_no, branch(stand), Action.ASK_MORE, Inputs(note="请补充门牌号"))
    await stand.drained()
    await stand.again(case_no, 1)


async def committed_late(stand: SmallStand) -> None:
    """Of two writers the one who took the smaller number commits last, after the other's row is in Kafka."""
    stand.slow_db.hold()
    late = asyncio.create_task(stand.report(slow=True))
    await asyncio.wait_for(stand.slow_db.held.wait(), PATIENCE_S)
    await _sent(stand, await stand.report())
    stand.slow_db.let_go()
    stand.slow_db.held.clear()
    await late
    await _sent(stand, await stand.report())


async def clock_changed_meanwhile(stand: SmallStand) -> None:
    """A timer that is armed fires after its clock was stopped, because escalation has not heard of that yet."""
    case_no = await stand.case_of(await stand.report())
    await stand.drained()
    listener = stand.processes["escalation worker"]
    await listener.stop()
    await stand.act(case_no, branch(stand), Action.ASK_MORE, Inputs(note="请补充门牌号"))
    of_case = f"(SELECT id::text FROM dispatch.cases WHERE case_no = '{case_no}')"
    due = f"SELECT min(due_at) - directory.grid_now() FROM escalation.sla_timers WHERE case_id = {of_case}"
    await stand.move_on((await stand.ask(due))[0][0] + timedelta(seconds=1))
    fired = (
        f"SELECT 1 FROM escalation.firings f JOIN dispatch.inbox i ON i.event_id = f.event_id"
        f" WHERE f.case_id = {of_case}"
    )
    await until("the firing has come to dispatch", lambda: stand.ask(fired))
    listener.start()


async def armed_behind_the_newest(stand: SmallStand) -> None:
    """A timer is armed in the past, behind one that has fired: escalation heard late of a case."""
    first = await stand.case_of(await stand.report())
    await stand.drained()
    listener = stand.processes["escalation worker"]
    await listener.stop()
    await stand.case_of(await stand.report())
    await stand.move_on(await _until_due(stand, first) + timedelta(minutes=30))
    fired = f"SELECT 1 FROM escalation.firings WHERE case_id = {_of_case(first)}"
    await until("the first has fired", lambda: stand.ask(fired))
    listener.start()


async def down_for_days(stand: SmallStand) -> None:
    """Several points of several clocks of one case have passed when the timers run again."""
    case_no = await stand.case_of(await stand.report())
    await stand.act(case_no, branch(stand), Action.SELF_RESOLVE_START, Inputs())
    await stand.drained()
    await stand.move_on(await _until_due(stand, case_no) + timedelta(days=12))
    fired = f"SELECT 1 FROM escalation.firings WHERE case_id = {_of_case(case_no)}"
    await until("the missed ones have fired", lambda: stand.ask(fired))


def _of_case(case_no: str) -> str:
    return f"(SELECT id::text FROM dispatch.cases WHERE case_no = '{case_no}')"


async def _until_due(stand: SmallStand, case_no: str) -> timedelta:
    due = "SELECT min(due_at) - directory.grid_now() FROM escalation.sla_timers WHERE state = 'armed' AND case_id ="
    left: timedelta = (await stand.ask(f"{due} {_of_case(case_no)}"))[0][0]
    return left


async def fault_of_ours(stand: SmallStand) -> None:
    """The handler fails in a way nobody has thought of; reports keep coming."""
    stand.fault.touch()
    await stand.report()

    async def failed() -> bool:
        return not stand.fault.exists()

    await until("the handler has failed", failed)
    for _ in range(SEVERAL):
        await stand.report()


def branch(stand: SmallStand) -> Actor:
    account = next(each for each in stand.cache.current().accounts.values() if each.login == "zhibu01")
    return Actor(account.account_id, (Post(Role.GRID_SECRETARY, GRID),))


async def _sent(stand: SmallStand, report_id: str) -> None:
    query = (
        "SELECT 1 FROM intake.outbox WHERE published_at IS NOT NULL AND topic = 'grid.report.v1'"
        f" AND key = convert_to('{report_id}', 'UTF8')"
    )
    await until("the report is in Kafka", lambda: stand.ask(query))


@dataclass(frozen=True, slots=True)
class Scene:
    """A safeguard, the process that has it, what is done, and which rules are then seen broken without it.

    `arrives`: even without the safeguard everything that is still on its way arrives; else waiting is no use.
    """

    mutation: str
    part: str
    play: Callable[[SmallStand], Awaitable[None]]
    broken: frozenset[str]
    arrives: bool = True


SCENES: Final = (
    Scene("ack_before_commit", "dispatch worker", killed_before_commit, frozenset({"no case", "event never seen"})),
    Scene("plain_stream", "dispatch worker", killed_before_commit, frozenset({"no case", "event never seen"})),
    Scene("no_inbox", "escalation worker", brought_twice, frozenset({"timers"})),
    Scene("cursor", "intake relay", committed_late, frozenset({"event never sent"}), arrives=False),
    Scene("exception_out", "dispatch worker", fault_of_ours, frozenset({"never quiet"}), arrives=False),
    Scene("timers_by_cursor", "escalation timers", armed_behind_the_newest, frozenset({"timers"}), arrives=False),
    Scene("stale_obeyed", "dispatch worker", clock_changed_meanwhile, frozenset({"acted early"})),
    Scene(
        "timers_overtake", "escalation timers", down_for_days, frozenset({"order of the timers"})
    ),  # last: every session has ended
)
