"""Other systems find their own number in what they are sent: of every door that the matter came through."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from schemas.envelope import Envelope
from schemas.events.case import AbsorbedV1, CaseFactV1
from schemas.events.parts import ExternalV1
from tests.integration.escalation.conftest import House, fact

pytestmark = pytest.mark.anyio
HOTLINE, PLATFORM = ExternalV1(system="hotline", number="GD1"), ExternalV1(system="platform", number="P1")


def bringing(case_id: str, *numbers: ExternalV1, kind: str = "case.reported") -> Envelope[CaseFactV1]:
    made = fact(case_id, kind=kind)
    return replace(made, data=made.data.model_copy(update={"external": numbers}))


async def sent(house: House) -> list[dict[str, Any]]:
    rows = await house.rows("SELECT body FROM escalation.webhook_deliveries ORDER BY created_at, seq, id")
    return [json.loads(bytes(row[0]))["data"] for row in rows]


async def test_numbers_of_every_door(house: House) -> None:
    await house.endpoint("case.closed")
    await house.hear(bringing("c1", HOTLINE), fact("c1", kind="case.closed"))
    await house.hear(bringing("c1", PLATFORM, HOTLINE, kind="case.report_attached"))
    await house.hear(fact("c1", kind="case.closed"))
    await house.hear(bringing("c2", ExternalV1(system="hotline", number="GD2")))
    part = AbsorbedV1(case_id="c2", case_no="FC-c2")
    await house.hear(fact("c1", kind="case.closed", absorbed=(part,)), fact("c3", kind="case.closed"))
    alone, both, merged, none = await sent(house)
    assert alone["ext_ids"] == {"hotline": "GD1"}
    assert both["ext_ids"] == {"hotline": "GD1", "platform": "P1"}
    assert both["also_known_as"] == [
        {"source": "hotline", "external_id": "GD1"},
        {"source": "platform", "external_id": "P1"},
    ]
    assert merged["ext_ids"] == both["ext_ids"], "the case's own comes first"
    assert {"source": "hotline", "external_id": "GD2"} in merged["also_known_as"]
    assert (none["ext_ids"], none["also_known_as"]) == ({}, [])


async def test_a_fact_twice_brings_its_number_once(house: House) -> None:
    told = bringing("c1", HOTLINE)
    await house.hear(told, told)
    await house.hear(told)
    assert await house.rows("SELECT count(*) FROM escalation.case_numbers") == [(1,)]
