"""The words of notices, and what they look like in a message."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import parse_qs
from uuid import uuid4

import pytest

from schemas.labels import LANGUAGES, Labels
from services.escalation.notices.letters import MARKDOWN_BYTES, letter, markdown, short
from services.escalation.notices.notice import MERGED, Detail, Notice
from services.escalation.notices.robots import KINDS, encoded, judge
from services.escalation.notices.words import said

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
DETAIL = Detail(
    at="T2", urgency="U2", category="暴露垃圾", place="云溪社区 云溪第一网格", clock="handling", act="overdue"
)


def notice(n: int = 1, *, at: datetime = NOON, **changes: object) -> Notice:
    fields = {"kind": "case.overdue", "case_no": f"FC-{n}", "post": "owner", "instead_of": None, "urgent": False}
    fields |= {"planned_at": NOON, "detail": DETAIL, **changes}
    return Notice(id=n, fact_id=uuid4(), account_id="a", at=at, **fields)  # type: ignore[arg-type] # fields of Notice


def test_the_words_of_a_limit_that_has_passed() -> None:
    words = said(notice(), Labels("zh-CN"))
    assert (words.title, words.about, words.notes) == ("处置时限：超期", "暴露垃圾，云溪社区 云溪第一网格", ())


def test_where_nobody_has_said_what_it_is_the_place_stands_alone() -> None:
    assert said(notice(detail=Detail(DETAIL, category="")), Labels("zh-CN")).about == "云溪社区 云溪第一网格"


def test_danger_another_post_and_lateness_are_said() -> None:
    late = notice(at=NOON.replace(hour=6), urgent=True, instead_of="duty_chief", detail=Detail(DETAIL, urgency="U0"))
    words = said(late, Labels("zh-CN"))
    assert words.title == "【特急】处置时限：超期"
    assert words.notes == ("值班长无人在岗，转由您处理", "应于3月2日 12:00提醒，系统中断后于3月2日 14:00补发")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_fact_can_be_told_in_every_language(lang: str) -> None:
    labels = Labels(lang)
    for key in labels.under("fact."):
        kind, _, at = key.removeprefix("fact.").partition("@")
        words = said(notice(kind=kind, detail=Detail(DETAIL, at=at or None)), labels)
        assert labels.text(key) in words.title


def test_a_merged_notice_tells_how_many_and_since_when() -> None:
    detail = Detail(count=12, first="2026-03-02T04:00:00+00:00", last="2026-03-02T05:30:00+00:00")
    merged = notice(kind=MERGED, case_no=None, detail=detail, urgent=True)
    words = said(merged, Labels("zh-CN"))
    assert words.title == "【含紧急】系统中断期间有 12 件事项需要您查看"
    assert words.about == "原定提醒时间：3月2日 12:00 至 3月2日 13:30"


def test_a_digest_lists_some_and_counts_the_rest() -> None:
    many = letter([notice(n) for n in range(25)], Labels("zh-CN"), "https://grid.example.cn/console/")
    assert many.subject == "25 件事项待查看"
    assert (len(many.items), many.more) == (20, "还有 5 件，请到系统中查看")
    assert "https://grid.example.cn/console/cases/FC-3" in many.lines


def test_markdown_stays_within_its_limit_in_whole_entries() -> None:
    wide = Detail(DETAIL, place="很长的地名" * 40)
    many = letter([notice(n, detail=wide) for n in range(20)], Labels("zh-CN"), None)
    text = markdown(many, ["<@one>", "<@two>"])
    assert len(text.encode()) <= MARKDOWN_BYTES
    assert text.endswith("<@one> <@two>")
    assert "FC-0" in text


def test_names_make_no_links_and_call_upon_nobody() -> None:
    hostile = Detail(DETAIL, place="[点此](https://evil.example) <@all> @所有人\n# 大标题")
    text = markdown(letter([notice(detail=hostile)], Labels("zh-CN"), None))
    assert not set("[]<@#").intersection(text)


def test_a_short_message_is_one_line() -> None:
    words = short(letter([notice()], Labels("zh-CN"), "https://grid.example.cn/desk/"))
    assert words == "处置时限：超期，FC-1，暴露垃圾，云溪社区 云溪第一网格"


def test_what_the_makers_get() -> None:
    words = letter([notice()], Labels("zh-CN"), "https://g.cn/desk/")
    wecom = json.loads(encoded(KINDS["wecom"], words, ["zhang"]))
    assert wecom["msgtype"] == "markdown"
    assert wecom["markdown"]["content"].endswith("<@zhang>")
    assert "[FC-1](https://g.cn/desk/cases/FC-1)" in wecom["markdown"]["content"]
    ding = json.loads(encoded(KINDS["dingtalk"], words, ["zhang"]))
    assert ding["at"] == {"atUserIds": ["zhang"], "isAtAll": False}
    assert ding["markdown"]["title"] == "处置时限：超期"
    assert "@zhang" in ding["markdown"]["text"]


def test_dingtalk_is_signed_as_it_asks_and_wecom_not_at_all() -> None:
    secret = b"SECxyz"
    signed = parse_qs(KINDS["dingtalk"].sign(secret, NOON).removeprefix("&"))
    stamp = str(int(NOON.timestamp() * 1000))
    digest = hmac.new(secret, f"{stamp}\n{secret.decode()}".encode(), hashlib.sha256).digest()
    assert signed == {"timestamp": [stamp], "sign": [base64.b64encode(digest).decode()]}
    assert KINDS["dingtalk"].sign(None, NOON) == KINDS["wecom"].sign(secret, NOON) == ""


@pytest.mark.parametrize(
    ("status", "reply", "error", "busy"),
    [
        (200, '{"errcode":0,"errmsg":"ok"}', None, False),
        (200, '{"errcode":93000,"errmsg":"invalid webhook url"}', "errcode_93000", False),
        (200, '{"errcode":45009,"errmsg":"freq out of limit"}', "errcode_45009", True),
        (200, '{"errcode":130101,"errmsg":"send too fast"}', "errcode_130101", True),
        (200, "<html>", "unreadable_answer", False),
        (200, "[]", "unreadable_answer", False),
        (200, "[" * 60_000, "unreadable_answer", False),
        (429, "", "status_429", True),
        (502, "", "status_502", False),
        (None, "", None, False),
    ],
)
def test_what_counts_as_taken(status: int | None, reply: str, error: str | None, busy: bool) -> None:
    judged = judge(status, reply)
    assert (judged.ok, judged.error, judged.busy) == (status == 200 and error is None, error, busy)
