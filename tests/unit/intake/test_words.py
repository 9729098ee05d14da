"""What the street wrote for a reporter: asked for only where there is some, masked, and missed without harm."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr

from services.chassis.http_client import ServiceClient
from services.intake.tables.rows import StepRow
from services.intake.usecases.words import WordsFromDispatch

pytestmark = pytest.mark.anyio
CASE = "01990000-0000-7000-8000-000000000001"
AT = datetime(2026, 3, 6, 1, 0, tzinfo=UTC)


def step(sequence: int, kind: str, case_id: str = CASE) -> StepRow:
    return StepRow(case_id, sequence, kind, "at_street", "coordination", AT)


class Dispatch:
    """Answers as dispatch does, and keeps what it was asked."""

    def __init__(self, status: int = 200) -> None:
        self.asked: list[httpx.Request] = []
        self._status = status

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self._status != 200:
            return httpx.Response(self._status, json={"code": "not_ready", "title": "x"})
        words = [{"sequence": 4, "kind": "case.reporter_asked", "at": AT.isoformat(), "text": "请致电13812345678"}]
        return httpx.Response(200, json={"words": words})

    def words(self) -> WordsFromDispatch:
        client = ServiceClient("dispatch", "http://dispatch", SecretStr("t"), transport=httpx.MockTransport(self))
        return WordsFromDispatch(client)


async def test_nothing_is_asked_where_nothing_was_written() -> None:
    dispatch = Dispatch()
    found = await dispatch.words().of(CASE, [step(1, "case.reported"), step(2, "case.called")])
    assert (found.texts, found.missing, dispatch.asked) == ({}, False, [])


async def test_words_come_masked_under_their_step_and_no_other() -> None:
    dispatch = Dispatch()
    found = await dispatch.words().of(CASE, [step(4, "case.reporter_asked")])
    assert found.under(step(4, "case.reporter_asked")) == "请致电138****5678"
    assert found.under(step(5, "case.called")) == ""
    assert found.under(step(4, "case.reporter_asked", "01990000-0000-7000-8000-000000000002")) == ""
    (asked,) = dispatch.asked
    assert asked.url.path == f"/api/v1/words/{CASE}"
    assert "x-grid-caller" not in asked.headers, "the service asks for itself"


async def test_without_dispatch_it_says_so() -> None:
    found = await Dispatch(503).words().of(CASE, [step(4, "case.declined")])
    assert (found.texts, found.missing) == ({}, True)
