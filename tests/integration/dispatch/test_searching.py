"""Looking for cases: by number, receipt, words, place, unit and people; newest first; by nothing a page would hide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from schemas.events.parts import SpotV1
from services.dispatch.store.search_rows import asked_keys, held_keys, normal, terms_of
from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import do, proposed
from tests.integration.dispatch.test_queues import dispatched

pytestmark = pytest.mark.anyio


async def page(client: httpx.AsyncClient, words: str, **more: Any) -> dict[str, Any]:
    answer = await client.get("/api/v1/cases", params={"q": words, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def numbers(client: httpx.AsyncClient, words: str, **more: Any) -> list[str]:
    return [row["case_no"] for row in (await page(client, words, **more))["rows"]]


async def test_each_way_of_naming_a_case_finds_it(street: Street, sign_in: SignIn) -> None:
    case_no = await dispatched(street, sign_in)
    other = await street.opened(masked_text="路灯不亮", masked_place="ＡＢＣ广场")
    receipt = str(await street.scalar("SELECT receipt_no FROM dispatch.case_reports ORDER BY at LIMIT 1"))
    clerk = await sign_in("shouli")
    for number in (case_no, receipt):
        assert await numbers(clerk, number) == [case_no]  # before any search row is made
    assert await numbers(clerk, "垃圾堆") == []
    await street.indexed()
    unit = street.cache.current().units["zhifadui"].name
    person = street.cache.current().accounts[await street.account("shequ01")].name
    spoken = ("垃圾堆", "圾堆在路", "路口东侧", "云溪 垃圾", f"{person} 垃圾")
    for words in (case_no[-5:], unit[:3], unit, person, *spoken):
        assert await numbers(clerk, words) == [case_no], words
    assert await numbers(clerk, "abc广场") == [other]
    for words in ("垃圾桶", "垃圾 路灯", "圾垃", "%圾", "_圾"):
        assert await numbers(clerk, words) == [], words


async def test_whoever_reported_is_no_way_to_a_case(street: Street, sign_in: SignIn) -> None:
    await street.opened()
    await street.indexed()
    reporter = street.cache.current().accounts[await street.account("wangge01")].name
    assert await numbers(await sign_in("shouli"), reporter) == []


async def test_the_newest_come_first_and_the_pages_join(street: Street, sign_in: SignIn) -> None:
    now, ages = await street.now(), (0, 3, 6, 8, 30, 200)
    opened = [await street.opened(submitted_at=now - timedelta(days=days)) for days in ages]
    await street.indexed()
    clerk = await sign_in("shouli")
    for words in ("垃圾", ""):
        first = await page(clerk, words, limit=2)
        assert (first["total"], first["more"]) == (len(ages), False)
        seen, after = [row["case_no"] for row in first["rows"]], first["next"]
        while after is not None:
            further = await page(clerk, words, limit=2, after=after)
            assert further["total"] is None
            seen, after = [*seen, *(row["case_no"] for row in further["rows"])], further["next"]
        assert seen == opened


async def test_what_comes_later_is_found_too(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(category=await street.category(), staff=False)
    await street.indexed()
    clerk, unit = await sign_in("shouli"), street.cache.current().units["zhifadui"].name
    assert await numbers(clerk, unit) == []
    assert await numbers(await sign_in("zhifadui"), "垃圾") == []
    await do(await sign_in("zhibu01"), case_no, "call_up", reason="no_means")
    await do(await sign_in("shequ01"), case_no, "call_up", reason="no_enforcement", note="已劝导")
    chief = await sign_in("zhiban")
    await do(chief, case_no, "file", condition=await proposed(chief, case_no))
    await do(clerk, case_no, "dispatch", lead_unit="zhifadui", co_units=[], reason="line_unfit")
    await street.indexed()
    assert await street.scalar("SELECT count(*) FROM dispatch.search_todo") == 0
    assert await numbers(clerk, unit) == [case_no]
    assert await numbers(await sign_in("zhifadui"), "垃圾") == [case_no]
    assert await numbers(await sign_in("huanwei"), "垃圾") == []


async def test_a_restricted_case_is_found_by_its_number_alone(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(category=await street.category(restricted=True), staff=False)
    await street.indexed()
    chief, branch = await sign_in("zhiban"), await sign_in("zhibu01")
    community = street.cache.current().communities["441802001001"].name
    assert await numbers(chief, case_no) == await numbers(chief, case_no[-6:]) == [case_no]
    for words in ("垃圾", "路口", community, f"{case_no[-6:]} 垃圾"):
        assert await numbers(chief, words) == [], words
        assert await numbers(branch, words) == [case_no], words


async def test_a_single_character_and_a_foreign_cursor_are_refused(street: Street, sign_in: SignIn) -> None:
    clerk = await sign_in("shouli")
    short = await clerk.get("/api/v1/cases", params={"q": "垃"}, headers={"accept-language": "zh-CN"})
    assert (short.status_code, short.json()["detail"]) == (422, "请至少输入两个字再查找")
    assert short.json()["errors"][0]["field"] == "q"
    for after in ("bm8", "WyJhIiwiYiJd"):
        foreign = await clerk.get("/api/v1/cases", params={"q": "垃圾", "after": after})
        assert (foreign.status_code, foreign.json()["code"]) == (422, "invalid_input")


async def test_a_place_that_changes_moves_the_words(street: Street, sign_in: SignIn) -> None:
    spot = SpotV1(street="441802001", community="441802001001", grid=None, cell=None)
    case_no = await street.opened(spot=spot)
    await street.indexed()
    name = street.cache.current().communities["441802001001"].name
    assert await numbers(await sign_in("shouli"), name) == [case_no]


def test_words_are_compared_in_one_width_and_one_case() -> None:
    assert terms_of(" ＡＢｃ　井盖\n井盖 ") == ("abc", "井盖")
    assert normal("３号楼") == "3号楼"
    assert held_keys(["井盖 路"]) == held_keys(["井盖"])
    assert held_keys(["路"]) == set()


def test_whatever_holds_a_word_has_all_keys_it_is_asked_by() -> None:
    text = normal("FC-20261123-00042 云溪路12号ab楼3-2-501室，A1b2井盖")
    for start in range(len(text)):
        for end in range(start + 2, len(text) + 1):
            assert asked_keys(terms_of(text[start:end])) <= held_keys([text]), text[start:end]
    assert len(asked_keys(["20261123"])) == 6
