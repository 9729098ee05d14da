"""Two people act on one case at the same moment: one of them does, the other is told who and what, nothing is lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import reduce

import pytest

from schemas.cases import dump_case, load_case, load_fact
from services.governance.case import Case, evolve
from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import get, post

pytestmark = pytest.mark.anyio
TWO = ("zhiban", "lingdao")
FEW, MANY = 100, 10_000
EACH = 10  # so often one case is fought for: its history is read at every look


@pytest.mark.parametrize("times", [FEW, pytest.param(MANY, marks=[pytest.mark.long, pytest.mark.timeout(7200)])])
async def test_one_wins_and_the_other_is_told(street: Street, sign_in: SignIn, times: int) -> None:
    two, branch = [await sign_in(login) for login in TWO], await sign_in("zhibu01")
    names = [street.cache.current().accounts[await street.account(login)].name for login in TWO]
    until = (await street.now() + timedelta(days=3)).isoformat()
    for _ in range(times // EACH):
        case_no = await street.opened()
        version = (await get(branch, case_no))["version"]
        for _ in range(EACH):
            answers = await asyncio.gather(
                *(post(one, case_no, "supervise", version, note="请立即处理", until=until) for one in two)
            )
            assert sorted(answer.status_code for answer in answers) == [200, 409], [each.text for each in answers]
            won = next(n for n, answer in enumerate(answers) if answer.status_code == 200)
            told = answers[1 - won].json()
            assert (told["code"], told["by_name"], told["action"]) == ("version_conflict", names[won], "督办")
            version = answers[won].json()["version"]
            assert version == told["version"]
            replied = await post(branch, case_no, "reply_supervision", version, note="正在处理")
            version = replied.json()["version"]
        await nothing_is_lost(street, case_no)


async def nothing_is_lost(street: Street, case_no: str) -> None:
    """The case is what its facts make of it, each of them there once."""
    rows = await street.rows(
        "SELECT f.sequence, f.kind, f.body::text AS fact, c.body::text AS stands FROM dispatch.case_facts f"
        " JOIN dispatch.cases c ON c.id = f.case_id WHERE c.case_no = :no ORDER BY f.sequence",
        no=case_no,
    )
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    assert [row.kind for row in rows].count("case.supervised") == EACH
    made: Case | None = reduce(evolve, [load_fact(str(row.fact).encode()) for row in rows], None)
    assert made is not None
    assert dump_case(made) == dump_case(load_case(str(rows[0].stands).encode()))
