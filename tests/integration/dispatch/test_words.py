"""What was written for the reporter goes to the service that shows it, and to nobody else; his answer comes back."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from schemas.events.command import CommandV1
from schemas.events.parts import ActorV1
from services.chassis.auth import Authenticator
from services.dispatch.app import PostsOf
from services.governance.cycle import Role
from tests.integration.dispatch.conftest import ORIGIN, SignIn, Street
from tests.integration.dispatch.test_acting import do, get

pytestmark = pytest.mark.anyio
TOKEN = "the-services-own-token"


async def words(app: FastAPI, street: Street, case_id: str, token: str = TOKEN) -> httpx.Response:
    """As intake asks."""
    before = app.state.auth
    app.state.auth = Authenticator(street.db, PostsOf(street.cache), street.ids, service_token=SecretStr(TOKEN))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        answer = await client.get(f"/api/v1/words/{case_id}", headers={"authorization": f"Bearer {token}"})
    app.state.auth.close()
    app.state.auth = before
    return answer


async def test_questions_and_advice_reach_the_reporter_and_his_answer_the_case(
    app: FastAPI, street: Street, sign_in: SignIn
) -> None:
    case_no = await street.opened(category=await street.category(), staff=False, reporter_account=None)
    branch = await sign_in("zhibu01")
    await do(branch, case_no, "note", note="只给同事看")
    page = await do(branch, case_no, "ask_reporter", note="在路的哪一侧？")
    assert "asked_reporter" in page["flags"]
    case_id, report_id = page["id"], page["reports"][0]["id"]
    told = await words(app, street, case_id)
    assert told.status_code == 200, told.text
    assert [(w["kind"], w["text"]) for w in told.json()["words"]] == [("case.reporter_asked", "在路的哪一侧？")]
    assert (await branch.get(f"/api/v1/words/{case_id}")).status_code == 403, "people read the case itself"
    assert (await words(app, street, case_id, "another")).status_code == 401
    kept = await street.rows("SELECT convert_from(payload, 'UTF8') FROM dispatch.outbox")
    assert kept
    assert all("哪一侧" not in str(row[0]) for row in kept), "words never travel with the event"
    answer = CommandV1(
        command_id=str(street.ids.uuid7()),
        case_id=case_id,
        report_id=report_id,
        actor=ActorV1(account=None, role=Role.REPORTER),
        by_reporter=True,
        asked_at=datetime.now(UTC),
        masked_note="北侧，138****5678",
    )
    await street.take(("command.answer", answer))
    page = await get(branch, case_no)
    assert "asked_reporter" not in page["flags"]
    assert [t["note"] for t in page["timeline"] if t["kind"] == "case.reporter_answered"] == ["北侧，138****5678"]
    assert UUID(case_id)


async def test_what_was_asked_for_before_filing_comes_from_the_phone_too(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(category=await street.category(), staff=False, reporter_account=None)
    branch = await sign_in("zhibu01")
    page = await do(branch, case_no, "ask_more", note="请补充门牌")
    assert "awaiting_more" in page["flags"]
    more = CommandV1(
        command_id=str(street.ids.uuid7()),
        case_id=page["id"],
        report_id=page["reports"][0]["id"],
        actor=ActorV1(account=None, role=Role.REPORTER),
        by_reporter=True,
        asked_at=datetime.now(UTC),
        masked_note="12号门前",
    )
    await street.take(("command.add_info", more))
    page = await get(branch, case_no)
    assert "awaiting_more" not in page["flags"]
    assert [t["note"] for t in page["timeline"] if t["kind"] == "case.more_given"] == ["12号门前"]
