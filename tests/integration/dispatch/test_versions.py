"""A changed rulebook counts for new cases; an open one keeps the version it was opened under."""

from __future__ import annotations

import pytest

from schemas.events.parts import CategoryV1
from schemas.rulebook import content_hash
from services.chassis.directory.write import raise_revision, store_rulebook
from services.governance.cycle import ClockKind
from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import do, get, proposed
from tests.support.sample import SAMPLE

pytestmark = pytest.mark.anyio
STREET = "441802001"
LITTER = CategoryV1(scheme="GB/T 30428.2", version="2013", code="0110")


async def put_in_force(street: Street) -> str:
    """Another version: litter within eight hours, led by the enforcement team."""
    text = (SAMPLE.parents[1] / "rulebooks" / "fengcheng.toml").read_text("utf-8")
    before = 'text = "公共场所有未入容器的生活垃圾"\nlimit = "4h"'
    assert before in text
    changed = text.replace(before, before.replace('"4h"', '"8h"')).replace('edition = "2026.2"', 'edition = "2026.3"')
    head, _, rest = changed.partition('id = "L01"')
    changed = f'{head}id = "L01"' + rest.replace('lead = "huanwei"', 'lead = "zhifadui"', 1)
    version = content_hash(changed)
    async with street.db.transaction() as tx:
        await store_rulebook(tx, version=version, street=STREET, body=changed)
        await raise_revision(tx)
    await street.cache.refresh()
    return version


async def test_an_open_case_keeps_its_version_and_a_new_one_takes_the_new(street: Street, sign_in: SignIn) -> None:
    reported = {"category": LITTER, "staff": False, "reporter_account": None}
    older = await street.opened(**reported)
    version = await put_in_force(street)
    newer = await street.opened(**reported)
    chief, branch, community = await sign_in("zhiban"), await sign_in("zhibu01"), await sign_in("shequ01")
    told = {}
    for case_no in (older, newer):
        await do(branch, case_no, "call_up", reason="no_means")
        await do(community, case_no, "call_up", reason="no_enforcement", note="试过")
        await do(chief, case_no, "file", condition=await proposed(chief, case_no))
        lead = (await get(chief, case_no))["routing"]["lead"]
        shown = await do(chief, case_no, "dispatch", lead_unit=lead)
        handling = next(clock for clock in shown["clocks"] if clock["kind"] == ClockKind.HANDLING)
        told[case_no] = (shown["rulebook"] == version, lead, handling["budget_s"], shown["routing"]["edition"])
        assert f"规则{shown['routing']['edition']}" in handling["sentence"]
        assert shown["routing"]["rulebook"] == shown["rulebook"]
        assert shown["routing"]["because"] == ["类别 0110 暴露垃圾"]
        assert "类别不符：本件 0110 暴露垃圾" in shown["routing"]["reasons"][0]["why"]
    assert told[older] == (False, "huanwei", 4 * 3600, "2026.2")
    assert told[newer] == (True, "zhifadui", 8 * 3600, "2026.3")


async def test_what_no_route_takes_waits_in_its_list_with_the_reasons(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(category=None, staff=False, reporter_account=None)
    rows = (await (await sign_in("zhiban")).get("/api/v1/queues/no_rule")).json()["rows"]
    assert [(row["case_no"], "no_rule" in row["flags"]) for row in rows] == [(case_no, True)]
    shown = await get(await sign_in("zhiban"), case_no)
    assert (shown["routing"]["basis"], shown["routing"]["lead"]) == ("none", None)
    told = {each["line"]: each["why"] for each in shown["routing"]["reasons"]}
    assert told["L01"].startswith("类别不符：本件 未定")
    assert told["L90"] == "危险情形不符：本件 无，此条要求 有"
