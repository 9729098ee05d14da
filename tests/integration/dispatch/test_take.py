"""Messages become cases: once, densely numbered, with everything that goes with them."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from schemas.events.command import CommandV1
from schemas.events.parts import ActorV1
from schemas.events.report import PhotoV1, RecordedV1, ReportPhotoAddedV1
from schemas.events.sla import SlaFiredV1
from services.chassis.streams import Poison
from services.governance.cycle import ClockKind
from tests.integration.dispatch.conftest import Street

pytestmark = pytest.mark.anyio


async def test_a_report_becomes_one_case_with_dense_facts_and_events(street: Street) -> None:
    case_no = await street.opened(category=await street.category())
    case = (await street.rows("SELECT * FROM dispatch.cases WHERE case_no = :no", no=case_no))[0]
    facts = await street.rows(
        "SELECT sequence, fact_id FROM dispatch.case_facts WHERE case_id = :id ORDER BY 1", id=case.id
    )
    events = await street.rows(
        "SELECT seq, event_id, convert_from(key, 'UTF8') AS subject FROM dispatch.outbox ORDER BY id"
    )
    assert case_no.startswith("FC-")
    assert [f.sequence for f in facts] == list(range(1, case.sequence + 1))
    assert [(e.seq, e.event_id) for e in events] == [tuple(f) for f in facts]
    assert {e.subject for e in events} == {str(case.id)}
    assert case.summary == "垃圾堆在路口"
    assert case.address == "云溪路口东侧"


async def test_the_same_report_again_makes_no_second_case(street: Street) -> None:
    report = await street.report()
    await street.take(("report.submitted", report), ("report.submitted", report))
    await street.take(("report.submitted", report))
    assert await street.scalar("SELECT count(*) FROM dispatch.cases") == 1
    assert await street.scalar("SELECT count(*) FROM dispatch.case_reports") == 1


async def test_a_report_that_joins_an_open_case_becomes_part_of_it(street: Street) -> None:
    case_no = await street.opened()
    joining = await street.report(joins=case_no)
    await street.take(("report.submitted", joining))
    assert await street.scalar("SELECT count(*) FROM dispatch.cases") == 1
    assert await street.scalar("SELECT reports FROM dispatch.cases") == 2
    assert (
        await street.scalar("SELECT kind FROM dispatch.case_facts ORDER BY sequence DESC LIMIT 1")
        == "case.report_attached"
    )


async def test_a_report_that_names_a_restricted_case_opens_its_own(street: Street) -> None:
    """Nobody is shown one, and whoever guesses its number learns nothing and changes nothing."""
    case_no = await street.opened(category=await street.category(restricted=True))
    joining = await street.report(joins=case_no)
    await street.take(("report.submitted", joining))
    assert await street.scalar("SELECT count(*) FROM dispatch.cases") == 2
    assert await street.scalar("SELECT reports FROM dispatch.cases WHERE case_no = :no", no=case_no) == 1


async def test_a_photo_in_the_same_batch_finds_its_case(street: Street) -> None:
    photo = PhotoV1(id="p1", sha256="0" * 64, bytes=1, mime="image/jpeg")
    report = await street.report(photos=[photo])
    added = ReportPhotoAddedV1(report_id=report.report_id, photo_id="p1", sha256="0" * 64, mime="image/jpeg", path="x")
    await street.take(("report.submitted", report), ("report.photo_added", added))
    assert await street.scalar("SELECT arrived FROM dispatch.report_photos") is True
    assert await street.scalar("SELECT count(*) FROM dispatch.case_facts WHERE kind = 'case.report_attached'") == 1


async def test_a_stale_timer_changes_nothing(street: Street) -> None:
    await street.opened()
    case_id = str(await street.scalar("SELECT id FROM dispatch.cases"))
    before = await street.scalar("SELECT sequence FROM dispatch.cases")
    now = await street.now()
    fired = SlaFiredV1(
        case_id=case_id, clock_id="gone", kind=ClockKind.HANDLING, rev=9, rung=0, due_at=now, fired_at=now
    )
    await street.take(("sla.fired", fired))
    assert await street.scalar("SELECT sequence FROM dispatch.cases") == before


async def test_a_refused_command_is_answered_and_kept(street: Street) -> None:
    await street.opened()
    case_id = str(await street.scalar("SELECT id FROM dispatch.cases"))
    command = CommandV1(
        command_id=str(street.ids.uuid7()),
        case_id=case_id,
        report_id="somebody else's",
        by_reporter=True,
        actor=ActorV1(),
        asked_at=await street.now(),
    )
    (event_id,) = await street.take(("command.urge", command))
    told = (await street.rows("SELECT headers, key, seq FROM dispatch.outbox ORDER BY id DESC LIMIT 1"))[0]
    assert told.headers["ce_type"] == "case.command_refused"
    assert told.headers["ce_causationid"] == str(event_id)
    assert (bytes(told.key).decode(), told.seq) == (command.command_id, 1)
    assert await street.scalar("SELECT code FROM dispatch.refusals") == "not_permitted"


async def test_a_command_without_a_case_is_answered_too(street: Street) -> None:
    command = CommandV1(command_id="c1", case_no="FC-20000101-00001", actor=ActorV1(), asked_at=await street.now())
    await street.take(("command.withdraw", command))
    assert await street.scalar("SELECT code FROM dispatch.refusals") == "unknown_case"


async def test_a_report_under_a_rulebook_nobody_has_is_left_for_a_person(street: Street) -> None:
    good, bad = await street.report(), await street.report(rulebook="gone")
    with pytest.raises(Poison) as poison:
        await street.take(("report.submitted", good), ("report.submitted", bad))
    assert poison.value.index == 1
    assert await street.scalar("SELECT count(*) FROM dispatch.case_reports") == 0
    await street.take(("report.submitted", good))
    assert await street.scalar("SELECT count(*) FROM dispatch.cases") == 1


async def test_history_stands_in_no_queue_and_unknown_units_are_listed(street: Street) -> None:
    now = await street.now()
    recorded = RecordedV1(unit="不存在的单位", closed=False, overdue=True)
    await street.opened(recorded=recorded, imported_unit="不存在的单位", staff=False, source="import", submitted_at=now)
    assert await street.scalar("SELECT live FROM dispatch.cases") is False
    assert await street.scalar("SELECT imported_unit FROM dispatch.cases") == "不存在的单位"
    assert await street.scalar("SELECT rows FROM dispatch.import_units WHERE unit = '不存在的单位'") == 1


@pytest.mark.parametrize(
    "statement", ["UPDATE dispatch.case_facts SET reason = 'x'", "DELETE FROM dispatch.case_facts"]
)
async def test_facts_cannot_be_changed(street: Street, statement: str) -> None:
    await street.opened()
    async with street.db.session() as connection:
        with pytest.raises(IntegrityError, match="append-only"):
            await connection.execute(text(statement))
