"""Cases as a file: whose, how much of them, harmless in a spreadsheet, and recorded."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import httpx
import pytest

from services.dispatch.usecases import export
from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_queues import dispatched

pytestmark = pytest.mark.anyio
PATH = "/api/v1/export/cases.csv"


async def exported(client: httpx.AsyncClient, **params: str) -> list[dict[str, str]]:
    answer = await client.get(PATH, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


async def test_the_street_exports_all_a_unit_its_own_and_others_nothing(street: Street, sign_in: SignIn) -> None:
    case_no = await dispatched(street, sign_in)
    other = await street.opened()
    assert {row["案件编号"] for row in await exported(await sign_in("zhiban"))} == {case_no, other}
    for unit in ("zhifadui", "huanwei"):
        assert [row["案件编号"] for row in await exported(await sign_in(unit))] == [case_no]
    assert await exported(await sign_in("ranqi")) == []
    for stranger in ("wangge01", "shequ01", "shouli", "paiqian", "hecha", "quji", "admin", "audit"):
        refused = await (await sign_in(stranger)).get(PATH)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted"), stranger


async def test_of_a_restricted_case_only_class_and_community_go_out(street: Street, sign_in: SignIn) -> None:
    category = await street.category(restricted=True)
    await street.opened(category=category, masked_text="邻居吵架")
    (row,) = await exported(await sign_in("zhiban"))
    assert (row["类别代码"], row["社区"] != "") == (category.code, True)
    told = ("描述", "地点", "网格", "主责单位", "来源", "办理时限", "性质")
    assert [row[name] for name in told] == [""] * len(told)
    assert "吵架" not in str(row)


async def test_what_looks_like_a_formula_is_text(street: Street, sign_in: SignIn) -> None:
    await street.opened(masked_text='=HYPERLINK("http://example.org","x")')
    (row,) = await exported(await sign_in("zhiban"))
    assert row["描述"].startswith("'=HYPERLINK")


async def test_pages_of_the_file_join_without_gap_or_double(
    street: Street, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE", 2)
    numbers = {await street.opened() for _ in range(5)}
    client = await sign_in("zhiban")
    rows = [row["案件编号"] for row in await exported(client)]
    assert sorted(rows) == sorted(numbers)
    now = await street.now()
    assert await exported(client, since=(now + timedelta(hours=1)).isoformat()) == []
    assert len(await exported(client, until=(now + timedelta(hours=1)).isoformat())) == 5


async def test_that_somebody_exported_is_recorded(street: Street, sign_in: SignIn) -> None:
    chief = await sign_in("zhiban")
    await exported(chief, since="2026-01-01T00:00:00+08:00")
    auditor = await sign_in("audit")
    (row,) = (await auditor.get("/api/v1/audit", params={"action": "cases"})).json()["items"]
    assert (row["action"], row["account"], row["account_name"]) == (
        "cases.exported",
        await street.account("zhiban"),
        "魏示二",
    )
    assert row["details"] == {"since": "2026-01-01T00:00:00+08:00", "until": None}


async def test_the_file_speaks_the_askers_language(street: Street, sign_in: SignIn) -> None:
    await street.opened()
    answer = await (await sign_in("zhiban")).get(PATH, headers={"accept-language": "en-US"})
    (row,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert (row["State"], "Case no." in row) == ("Reported, awaiting assessment", True)
