"""One matter through two doors is one case: in any order, in one batch, at the same moment, after it has ended."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.events.case import CASE_KINDS
from schemas.events.parts import ExternalV1
from schemas.events.report import ReportSubmittedV1
from services.dispatch.usecases.opening import open_case
from tests.integration.dispatch.conftest import Street

pytestmark = pytest.mark.anyio
PLATFORM, HOTLINE = ExternalV1(system="platform", number="P1"), ExternalV1(system="hotline", number="GD1")


async def pushed(street: Street, *numbers: ExternalV1, **more: Any) -> ReportSubmittedV1:
    values: dict[str, Any] = {
        "reporter_account": None,
        "reporter_role": None,
        "staff": False,
        "source": "hotline_12345",
        "partner": True,
        "external": numbers,
        "category": await street.category(),
        **more,
    }
    return await street.report(**values)


async def case_of(street: Street, report: ReportSubmittedV1) -> str:
    return str(
        await street.scalar("SELECT case_id FROM dispatch.case_reports WHERE report_id = :id", id=report.report_id)
    )


async def due_of(street: Street, case_id: str) -> datetime:
    text = await street.scalar(
        "SELECT c->>'due_at' FROM dispatch.cases, json_array_elements(body->'clocks') c"
        " WHERE id = :id AND c->>'kind' = 'whole'",
        id=case_id,
    )
    return datetime.fromisoformat(str(text))


async def take(street: Street, *reports: ReportSubmittedV1, together: bool = True) -> None:
    """In one batch, or each in its own."""
    messages = [("report.submitted", report) for report in reports]
    for batch in [messages] if together else [[message] for message in messages]:
        await street.take(*batch)


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "one after the other"])
@pytest.mark.parametrize("swapped", [False, True], ids=["platform first", "hotline first"])
async def test_either_door_first_is_one_case_with_the_stricter_limit(
    street: Street, together: bool, swapped: bool
) -> None:
    soon = (await street.now() + timedelta(hours=2)).replace(microsecond=0)
    platform = await pushed(street, PLATFORM, HOTLINE, source="platform_push")
    hotline = await pushed(street, HOTLINE, due_by=soon)
    pair = (hotline, platform) if swapped else (platform, hotline)
    await take(street, *pair, together=together)
    case_id = await case_of(street, platform)
    assert case_id == await case_of(street, hotline)
    assert await street.scalar("SELECT count(*) FROM dispatch.cases") == 1
    assert await due_of(street, case_id) <= soon
    sources = await street.rows("SELECT source FROM dispatch.case_reports WHERE case_id = :id", id=case_id)
    assert {row.source for row in sources} == {"hotline_12345", "platform_push"}


async def test_both_at_the_same_moment(street: Street) -> None:
    """Two workers, each in its own transaction."""
    for round_ in range(6):
        numbers = [
            ExternalV1(system="hotline", number=f"GD-{round_}"),
            ExternalV1(system="platform", number=f"{round_}"),
        ]
        one = await pushed(street, *numbers)
        other = await pushed(street, *reversed(numbers), source="platform_push")
        await asyncio.gather(take(street, one), take(street, other))
        assert await case_of(street, one) == await case_of(street, other)
    assert await street.scalar("SELECT count(*) FROM dispatch.cases") == 6


async def test_a_third_number_that_links_two_names_the_older(street: Street) -> None:
    first, second = await pushed(street, PLATFORM), await pushed(street, HOTLINE)
    await take(street, first, second, together=False)
    assert await case_of(street, first) != await case_of(street, second)
    third = await pushed(street, ExternalV1(system="city", number="C1"), HOTLINE, PLATFORM)
    await take(street, third)
    assert await case_of(street, third) == await case_of(street, first)


async def test_the_same_message_twice(street: Street) -> None:
    report = await pushed(street, PLATFORM)
    await take(street, report, report)
    await take(street, report)
    assert await street.scalar("SELECT count(*) FROM dispatch.cases") == 1
    assert await street.scalar("SELECT count(*) FROM dispatch.case_reports") == 1


async def test_what_has_ended_is_left_alone(street: Street) -> None:
    """The number leads on to the new case, which names the old one; both doors at once open only one."""
    old = await pushed(street, HOTLINE)
    await take(street, old)
    ended = await case_of(street, old)
    number = await street.scalar("SELECT case_no FROM dispatch.cases WHERE id = :id", id=ended)
    await _end(street, ended)
    again = [await pushed(street, HOTLINE), await pushed(street, PLATFORM, HOTLINE, source="platform_push")]
    await asyncio.gather(*(take(street, one) for one in again))
    new = await case_of(street, again[0])
    assert new == await case_of(street, again[1])
    assert new != ended
    earlier = await street.scalar("SELECT body->'earlier'->>'case_no' FROM dispatch.cases WHERE id = :id", id=new)
    assert earlier == number


async def test_danger_never_hides_in_a_calm_matter(street: Street) -> None:
    calm, danger = await pushed(street, HOTLINE), await pushed(street, PLATFORM, HOTLINE, danger=True)
    await take(street, calm, danger)
    assert await case_of(street, calm) != await case_of(street, danger)
    later = await pushed(street, HOTLINE)
    await take(street, later)
    assert await case_of(street, later) == await case_of(street, danger), "the number leads to the newest"


async def test_the_numbers_go_out_with_the_facts(street: Street) -> None:
    first, second = await pushed(street, HOTLINE), await pushed(street, PLATFORM, HOTLINE, source="platform_push")
    await take(street, first, second, together=False)
    rows = await street.rows("SELECT headers->>'ce_type' AS kind, payload FROM dispatch.outbox ORDER BY id")
    told = {row.kind: CASE_KINDS[str(row.kind)][-1].model_validate_json(bytes(row.payload)) for row in rows}
    assert told["case.reported"].external == (HOTLINE,)  # type: ignore[attr-defined]
    assert told["case.report_attached"].external == (PLATFORM, HOTLINE)  # type: ignore[attr-defined]
    assert told["case.report_attached"].standing.absorbed == ()  # type: ignore[attr-defined]


async def test_what_a_report_says_reaches_the_rules(street: Street) -> None:
    soon = await street.now()
    report = await pushed(street, HOTLINE, due_by=soon)
    command = open_case(report, "c", "n")
    assert (command.partner, command.due, command.external) == (True, soon, (("hotline", "GD1"),))


async def _end(street: Street, case_id: str) -> None:
    """As if it had been closed; only the columns and the part of the body that taking reads."""
    async with street.db.transaction() as tx:
        import sqlalchemy as sa

        await tx.execute(
            sa.text(
                "UPDATE dispatch.cases SET state = 'closed', live = false,"
                ' body = (body::jsonb || \'{"state": "closed"}\')::json WHERE id = :id'
            ),
            {"id": case_id},
        )
