"""People are told once of what names them, by the ways they chose, when they may be disturbed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from schemas.envelope import Envelope
from schemas.events.case import CaseFactV1, ToldV1
from schemas.events.parts import ActorV1
from schemas.topics import CASE
from services.chassis.clock import LOCAL, monotonic
from services.chassis.directory import DirectoryCache
from services.chassis.streams import Received
from services.chassis.telemetry import Metrics
from services.escalation.notices.mail import Mailer
from services.escalation.notices.posting import Posting
from services.escalation.notices.settings import MailSettings, NoticeSettings
from services.escalation.notices.texting import FileTexter
from services.escalation.usecases.push import LEASE_S, Announcer
from services.escalation.usecases.tell import Teller
from services.escalation.usecases.vitals import NoticeProbe
from services.escalation.webhooks.client import Outcome
from services.governance.cycle import Urgency
from tests.integration.escalation.conftest import House, SignIn, clock, fact
from tests.integration.escalation.mailbox import mailbox

pytestmark = pytest.mark.anyio
TAKEN = Outcome(200, None, 3, '{"errcode":0,"errmsg":"ok"}')
ROBOT = {"kind": "wecom", "name": "值班群", "url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=secret-key-1"}
NOON_H = 12


class Street:
    """The sample street's people, told of facts about its cases."""

    def __init__(self, house: House, cache: DirectoryCache) -> None:
        self.house = house
        self.cache = cache
        house.platform.answer = lambda _: TAKEN

    async def tell(self, *facts: Envelope[CaseFactV1]) -> None:
        """One batch, in one transaction."""

        async def book(_: str) -> Any:
            return self.house.book

        teller = Teller(self.house.ids, self.cache.current, book, 600)
        async with self.house.db.transaction() as tx:
            await teller.apply(tx, [Received(CASE.name, 0, n, one) for n, one in enumerate(facts)])

    async def about(
        self,
        case: str,
        *posts: str,
        late: float = 0,
        kind: str = "case.overdue",
        actor: str | None = None,
        **standing: Any,
    ) -> Envelope[CaseFactV1]:
        """A fact that names these posts, `late` seconds after its clock's point."""
        now = await self.house.now()
        made = fact(case, clock(case, now - timedelta(seconds=late)), kind=kind, **standing)
        assert made.data.clock is not None
        point = made.data.clock.model_copy(update=dict.fromkeys(("due_at", "at"), now - timedelta(seconds=late)))
        tell = tuple(ToldV1(post=post.split("@")[0], code=post.partition("@")[2]) for post in posts)
        by = made.data.actor if actor is None else ActorV1(account=actor, role=None)
        return replace(made, data=made.data.model_copy(update={"tell": tell, "clock": point, "actor": by}))

    async def at_hour(self, hour: int, minute: int = 0) -> None:
        """Move the clock on to the next such moment."""
        now = (await self.house.now()).astimezone(LOCAL)
        then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        await self.house.later(((then if then > now else then + timedelta(days=1)) - now).total_seconds())

    def announcer(self, mailer: Mailer | None = None, texts: Path | None = None, **settings: Any) -> Announcer:
        posting = Posting(
            self.house.platform, mailer, FileTexter(texts) if texts else None, self.house.box, "https://grid.example.cn"
        )
        chosen = NoticeSettings(GRID_NOTICE_SCHEDULE_S=(10, 60), **settings)
        return Announcer(self.house.db, self.cache, posting, self.house.ids, chosen, Metrics("test"))

    async def told(self) -> list[tuple[str, str]]:
        """(login, case) of every notice that stands for itself."""
        rows = await self.house.rows(
            "SELECT a.login, coalesce(n.case_id, n.kind) FROM escalation.notices n JOIN identity.accounts a"
            " ON a.account_id = n.account_id WHERE n.merged_into IS NULL ORDER BY 1, 2"
        )
        return [(row[0], row[1]) for row in rows]

    @property
    def said(self) -> list[str]:
        """The Markdown of everything that was posted."""
        return [json.loads(body)["markdown"]["content"] for _, body in self.house.platform.posted]

    async def messages(self) -> list[tuple[Any, ...]]:
        return await self.house.rows(
            "SELECT state, attempts, size FROM escalation.notice_messages ORDER BY created_at, id"
        )


@pytest.fixture
async def street(sample_street: None, house: House) -> Street:
    cache = DirectoryCache(house.db)
    await cache.refresh()
    made = Street(house, cache)
    await made.at_hour(NOON_H)
    return made


Choose = Callable[..., Awaitable[None]]


@pytest.fixture
def chooses(street: Street) -> Choose:
    async def choose(login: str, off: Sequence[str] = (), **addresses: str) -> None:
        sealed = street.house.box.seal(json.dumps(addresses).encode())
        async with street.house.db.transaction() as tx:
            await tx.execute(
                sa.text(
                    "INSERT INTO escalation.notice_choices (account_id, addresses, off)"
                    " SELECT account_id, :sealed, :off FROM identity.accounts WHERE login = :login"
                ),
                {"sealed": sealed, "off": list(off), "login": login},
            )

    return choose


# --- who is told ----------------------------------------------------------------------------------------------------
async def test_each_is_told_once_however_often_a_fact_comes(street: Street) -> None:
    one = await street.about("a", "HU@zhifadui", "unit_head", "dispatcher")
    await street.tell(one)
    await street.tell(one, one)
    assert await street.told() == [("paiqian", "a"), ("shouli", "a"), ("zhifadui", "a")]


async def test_history_and_facts_that_name_nobody_tell_nobody(street: Street) -> None:
    await street.tell(await street.about("a"), await street.about("b", "dispatcher", history=True))
    assert await street.told() == []


async def test_nobody_is_told_of_his_own_act_and_a_supervision_is_answered_to_its_issuer(street: Street) -> None:
    ((leader,),) = await street.house.rows("SELECT account_id FROM identity.accounts WHERE login = 'lingdao03'")
    await street.tell(await street.about("a", "HU@zhifadui", "SL", kind="case.supervised", actor=leader))
    assert ("lingdao03", "a") not in await street.told()
    await street.tell(await street.about("a", "issuer", kind="case.supervision_answered"))
    assert ("lingdao03", "a") in await street.told()


async def test_what_was_taken_back_is_followed_by_a_correction(street: Street) -> None:
    called = await street.about("a", "CS@441802001001", kind="case.called")
    by_rule = called.data.rule
    assert by_rule is not None
    back = await street.about("a", "duty_chief", kind="case.recalled")
    await street.tell(called)
    await street.tell(replace(back, data=back.data.model_copy(update={"reason": by_rule.rule})))
    assert await street.told() == [("shequ01", "a"), ("shequ01", "a"), ("zhiban", "a")]


async def test_of_a_restricted_case_class_and_community_alone(street: Street) -> None:
    await street.tell(await street.about("a", "duty_chief", restricted=True), await street.about("b", "duty_chief"))
    details = dict(await street.house.rows("SELECT case_id, detail ->> 'place' FROM escalation.notices"))
    assert details["b"].startswith(f"{details['a']} ")
    assert " " not in details["a"]


# --- after downtime -------------------------------------------------------------------------------------------------
async def test_many_that_come_late_are_one_notice_with_all_their_times(street: Street, sign_in: SignIn) -> None:
    late = [await street.about(f"c{n}", "duty_chief", late=3600 + n) for n in range(5)]
    await street.tell(*late[:3])
    await street.tell(*late)  # two of them anew
    assert await street.told() == [("zhiban", "notice.merged")]
    person = await sign_in("zhiban")
    (merged,) = (await person.get("/api/v1/notices")).json()["items"]
    assert (merged["merged"], merged["count"], merged["title"]) == (True, 5, "系统中断期间有 5 件事项需要您查看")
    inside = (await person.get("/api/v1/notices", params={"merged": merged["id"]})).json()["items"]
    assert {one["case_no"] for one in inside} == {f"FC-c{n}" for n in range(5)}
    assert all(one["notes"] and one["planned_at"] < one["at"] for one in inside)


async def test_one_merged_notice_is_one_push_once_nothing_more_comes(street: Street, chooses: Choose) -> None:
    await _robot(street)
    announcer = street.announcer()
    await street.tell(*[await street.about(f"c{n}", "duty_chief", late=3600) for n in range(4)])
    await street.tell(
        await street.about("c0", "dispatcher", late=3600), await street.about("c1", "dispatcher", late=3600)
    )
    await announcer.once()
    assert street.said == []
    await street.house.later(31)
    await announcer.once()
    assert len(street.said) == 1
    assert "系统中断期间有 4 件事项需要您查看" in street.said[0]
    await street.tell(await street.about("d", "duty_chief", late=3600))
    assert [who for who, _ in await street.told()] == ["paiqian", "shouli", "zhiban", "zhiban"]


async def test_a_single_late_one_stands_for_itself(street: Street) -> None:
    await street.tell(await street.about("a", "duty_chief", late=3600))
    await street.house.later(31)
    await street.announcer().once()
    assert await street.told() == [("zhiban", "a")]


# --- in the app -----------------------------------------------------------------------------------------------------
async def test_a_person_reads_his_own_and_nobody_elses(street: Street, sign_in: SignIn) -> None:
    await street.tell(*[await street.about(f"c{n}", "duty_chief") for n in range(3)])
    mine, other = await sign_in("zhiban"), await sign_in("paiqian")
    page = (await mine.get("/api/v1/notices", params={"limit": 2})).json()
    assert [one["case_no"] for one in page["items"]] == ["FC-c2", "FC-c1"]
    assert page["unread"] == 3
    rest = (await mine.get("/api/v1/notices", params={"limit": 2, "after": page["next"]})).json()
    assert [one["case_no"] for one in rest["items"]] == ["FC-c0"]
    first, last = page["items"][0]["id"], rest["items"][0]["id"]
    assert (await other.get("/api/v1/notices")).json()["items"] == []
    assert (await other.post("/api/v1/notices/read", json={"id": first})).status_code == 404
    assert (await mine.post("/api/v1/notices/read", json={"id": last})).json() == {"read": 1}
    assert (await mine.get("/api/v1/notices/unread")).json() == {"unread": 2, "newest": first}
    assert (await mine.post("/api/v1/notices/read", json={"upto": first})).json() == {"read": 2}
    assert (await mine.get("/api/v1/notices", params={"unread": True})).json()["items"] == []
    assert (await mine.post("/api/v1/notices/read", json={})).status_code == 422


async def test_addresses_are_kept_sealed_and_checked(street: Street, sign_in: SignIn) -> None:
    person = await sign_in("zhiban")
    given = {"email": "duty@example.cn", "phone": "13800000000", "wecom": "zhang.san", "off": ["sms"]}
    changed = (await person.patch("/api/v1/notices/choices", json=given)).json()
    assert changed.items() >= given.items()
    assert (await person.get("/api/v1/notices/choices")).json() == changed
    assert (await person.patch("/api/v1/notices/choices", json={"email": ""})).json()["email"] is None
    stored = str(await street.house.rows("SELECT addresses FROM escalation.notice_choices"))
    assert "13800000000" not in stored
    for wrong in (
        {"email": "no-at"},
        {"phone": "one two"},
        {"wecom": "<@all>"},
        {"off": ["pigeon"]},
        {"email": "a@b\n.cn"},
    ):
        assert (await person.patch("/api/v1/notices/choices", json=wrong)).status_code == 422, wrong


# --- robots ---------------------------------------------------------------------------------------------------------
async def _robot(street: Street, **changes: Any) -> UUID:
    values = {
        "url": ROBOT["url"],
        "kind": "wecom",
        "area": "",
        "unit": None,
        "per_minute": 20,
        "secret": None,
        **changes,
    }
    robot_id = uuid4()
    sealed = {
        key: None if values[key] is None else street.house.box.seal(str(values[key]).encode())
        for key in ("url", "secret")
    }
    async with street.house.db.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO escalation.notice_outlets (id, kind, name, area, unit, url, url_hint, secret, per_minute,"
                " created_by) VALUES (:id, :kind, '群', :area, :unit, :url, '', :secret, :per_minute, 'admin')"
            ),
            {**values, **sealed, "id": robot_id},
        )
    return robot_id


async def test_a_group_hears_of_its_own_people_once_each(street: Street, chooses: Choose) -> None:
    await _robot(street)
    await _robot(
        street,
        unit="zhifadui",
        kind="dingtalk",
        url="https://oapi.dingtalk.com/robot/send?access_token=t",
        secret="SEC1",
    )
    await chooses("zhiban", wecom="lao.zhang")
    await street.tell(
        await street.about("a", "duty_chief", "dispatcher", "HU@zhifadui"), await street.about("b", "GS@44180200100101")
    )
    announcer = street.announcer()
    for _ in range(3):
        await announcer.once()
    assert len(street.house.platform.posted) == 2
    bodies = [json.loads(body) for _, body in street.house.platform.posted]
    wecom = next(one for one in bodies if "content" in one["markdown"])
    assert wecom["markdown"]["content"].endswith("<@lao.zhang>")
    assert wecom["markdown"]["content"].count("[FC-a](https://grid.example.cn/console/cases/FC-a)") == 1
    assert wecom["markdown"]["content"].startswith("**处置时限：超期**")
    assert next(one for one in bodies if "at" in one)["markdown"]["title"]
    assert {state for state, *_ in await street.messages()} == {"sent"}


async def test_a_robot_says_no_more_a_minute_than_it_may(street: Street) -> None:
    await _robot(street, per_minute=3)
    await street.tell(*[await street.about(f"c{n}", "duty_chief", urgency=Urgency.CRITICAL) for n in range(10)])
    announcer = street.announcer()
    await announcer.once()
    assert len(street.said) == 3
    assert sum("8 件事项待查看" in text for text in street.said) == 1
    await street.tell(await street.about("late", "duty_chief", urgency=Urgency.CRITICAL))
    await announcer.once()
    assert len(street.said) == 3
    await street.house.later(61)
    await announcer.once()
    assert len(street.said) == 4


async def test_a_200_with_a_failing_code_is_tried_again_and_given_up_at_last(street: Street, sign_in: SignIn) -> None:
    street.house.platform.answer = lambda _: Outcome(200, None, 3, '{"errcode":93000,"errmsg":"invalid webhook url"}')
    await _robot(street)
    await street.tell(await street.about("a", "duty_chief"))
    announcer = street.announcer()
    for pause in (0, 11, 61, 61):
        await street.house.later(pause)
        await announcer.once()
    assert await street.messages() == [("dead", 3, 1)]
    async with street.house.db.reading() as tx:
        await NoticeProbe(metrics := Metrics("probe")).read(tx)
    assert metrics.registry.get_sample_value("grid_notice_dead") == 1
    assert metrics.registry.get_sample_value("grid_notice_waiting") == 0
    admin, auditor = await sign_in("admin"), await sign_in("audit")
    (shown,) = (await auditor.get("/api/v1/notices/sent", params={"state": "dead"})).json()["items"]
    assert (shown["way"], shown["to"], shown["last_error"], len(shown["history"])) == (
        "wecom",
        "群",
        "errcode_93000",
        3,
    )
    assert shown["told"][0]["case_no"] == "FC-a"
    street.house.platform.answer = lambda _: TAKEN
    assert (await auditor.post(f"/api/v1/notices/sent/{shown['id']}/again")).status_code == 403
    assert (await admin.post(f"/api/v1/notices/sent/{shown['id']}/again")).status_code == 202
    await street.house.later(61)
    await announcer.once()
    assert await street.messages() == [("sent", 4, 1)]


async def test_a_robot_that_had_too_many_is_left_alone_for_a_while(street: Street) -> None:
    street.house.platform.answer = lambda _: Outcome(200, None, 3, '{"errcode":45009}')
    await _robot(street)
    await street.tell(await street.about("a", "duty_chief"))
    announcer = street.announcer()
    await announcer.once()
    await street.house.later(30)
    await announcer.once()
    assert len(street.said) == 1
    await street.house.later(31)
    await announcer.once()
    assert len(street.said) == 2


async def test_a_sender_that_dies_after_sending_sends_the_same_message_again(street: Street) -> None:
    await _robot(street)
    await street.tell(await street.about("a", "duty_chief"))
    announcer = street.announcer()

    async def dies(_job: object, _directory: object) -> None:
        raise ConnectionResetError

    dying = street.announcer()
    dying._posting.post = dies  # type: ignore[method-assign, assignment] # stands for kill -9 between sending and noting
    with pytest.raises(ConnectionResetError):
        await dying.once()
    await announcer.once()
    assert street.said == []  # its lease still holds
    await street.house.later(LEASE_S + 1)
    for _ in range(3):
        await announcer.once()
    assert (len(street.said), await street.messages()) == (1, [("sent", 2, 1)])


async def test_who_keeps_robots(street: Street, sign_in: SignIn) -> None:
    admin, auditor, worker = await sign_in("admin"), await sign_in("audit"), await sign_in("wangge01")
    robots = "/api/v1/notices/robots"
    assert (await auditor.post(robots, json=ROBOT)).status_code == 403
    assert (await worker.get(robots)).status_code == 403
    made = (await admin.post(robots, json={**ROBOT, "secret": "SECabc", "area": "441802001001"})).json()
    assert (made["area_name"], made["signed"], made["url_hint"]) == ("云溪社区", True, "qyapi.weixin.qq.com …ey-1")
    listed = await auditor.get(robots)
    assert "secret-key-1" not in listed.text + str(await street.house.rows("SELECT * FROM escalation.notice_outlets"))
    for wrong in (
        {"url": "https://10.0.0.1/x"},
        {"area": "999"},
        {"unit": "nobody"},
        {"kind": "fax"},
        {"per_minute": 0},
    ):
        assert (await admin.post(robots, json={**ROBOT, **wrong})).status_code == 422, wrong
    test = await admin.post(f"{robots}/{made['id']}/test")
    assert test.status_code == 202
    await street.announcer().once()
    assert "测试消息" in street.said[0]
    assert (await admin.patch(f"{robots}/{made['id']}", json={"active": False})).json()["active"] is False
    assert (await admin.delete(f"{robots}/{made['id']}")).status_code == 204
    assert (await admin.get(robots)).json()["items"] == []
    kinds = await street.house.rows("SELECT action FROM identity.audit_log WHERE action LIKE 'robot.%' ORDER BY 1")
    assert [kind for (kind,) in kinds] == ["robot.added", "robot.changed", "robot.removed", "robot.tested"]


# --- mail and short messages ----------------------------------------------------------------------------------------
async def test_mail_by_day_singly_six_times_and_then_together(street: Street, chooses: Choose) -> None:
    await chooses("zhiban", email="duty@example.cn")
    async with mailbox() as box:
        mailer = Mailer(
            MailSettings(GRID_MAIL_HOST="127.0.0.1", GRID_MAIL_PORT=box.port, GRID_MAIL_TLS="none"), monotonic
        )
        announcer = street.announcer(mailer)
        for n in range(8):
            await street.tell(await street.about(f"c{n}", "duty_chief"))
            await announcer.once()
        assert len(box.mails) == 6
        assert box.recipients[0] == "duty@example.cn"
        assert box.mails[0]["Subject"] == "处置时限：超期"
        assert "https://grid.example.cn/console/cases/FC-c0" in box.mails[0].get_content()
        await street.tell(await street.about("fire", "duty_chief", urgency=Urgency.CRITICAL))
        await announcer.once()
        assert box.mails[6]["Subject"] == "【特急】处置时限：超期"
        await street.at_hour(17, 31)
        await announcer.once()
        assert box.mails[7]["Subject"] == "2 件事项待查看"
        assert len({mail["Message-ID"] for mail in box.mails}) == 8


async def test_at_night_only_danger_rings_and_the_morning_leaves_out_what_was_read(
    street: Street, chooses: Choose, sign_in: SignIn
) -> None:
    await chooses("zhiban02", email="night@example.cn")
    await street.at_hour(23)
    async with mailbox() as box:
        mailer = Mailer(
            MailSettings(GRID_MAIL_HOST="127.0.0.1", GRID_MAIL_PORT=box.port, GRID_MAIL_TLS="none"), monotonic
        )
        announcer = street.announcer(mailer)
        for n in range(3):
            await street.tell(await street.about(f"c{n}", "duty_chief"))
        await street.tell(await street.about("fire", "duty_chief", urgency=Urgency.URGENT))
        await announcer.once()
        assert [mail["Subject"] for mail in box.mails] == ["【紧急】处置时限：超期"]
        person = await sign_in("zhiban02")
        newest = (await person.get("/api/v1/notices")).json()["items"]
        await person.post("/api/v1/notices/read", json={"id": newest[-1]["id"]})
        await street.at_hour(8)
        await announcer.once()
        assert box.mails[1]["Subject"] == "2 件事项待查看"


async def test_a_refused_address_is_given_up_and_a_server_away_is_tried_again(street: Street, chooses: Choose) -> None:
    await chooses("zhiban", email="gone@example.cn")
    async with mailbox() as box:
        box.answer = b"550 no such user"
        settings = MailSettings(GRID_MAIL_HOST="127.0.0.1", GRID_MAIL_PORT=box.port, GRID_MAIL_TLS="none")
        await street.tell(await street.about("a", "duty_chief"))
        await street.announcer(Mailer(settings, monotonic)).once()
    assert await street.messages() == [("dead", 1, 1)]
    await street.tell(await street.about("b", "duty_chief"))
    await street.announcer(Mailer(settings, monotonic)).once()
    assert await street.messages() == [("dead", 1, 1), ("waiting", 1, 1)]


async def test_short_messages_are_for_danger_and_lie_in_a_file(street: Street, chooses: Choose, tmp_path: Path) -> None:
    await chooses("zhiban", phone="13800000000")
    texts = tmp_path / "sms" / "out.jsonl"
    await street.tell(
        await street.about("a", "duty_chief"), await street.about("b", "duty_chief", urgency=Urgency.CRITICAL)
    )
    await street.announcer(texts=texts).once()
    (line,) = [json.loads(one) for one in texts.read_text("utf-8").splitlines()]
    assert line["to"] == "13800000000"
    assert line["text"].startswith("【特急】处置时限：超期，FC-b，")
    assert texts.stat().st_mode & 0o077 == 0


async def test_who_wants_none_of_a_way_gets_none(street: Street, chooses: Choose) -> None:
    await _robot(street)
    await chooses("zhiban", off=["wecom", "email"], email="duty@example.cn")
    await street.tell(await street.about("a", "duty_chief"))
    await street.announcer().once()
    assert street.said == []


async def test_the_sender_of_http_is_asked_with_the_secret_of_dingtalk(street: Street) -> None:
    await _robot(street, kind="dingtalk", url="https://oapi.dingtalk.com/robot/send?access_token=t", secret="SEC1")
    asked: list[str] = []
    post = street.house.platform.post

    async def noting(url: str, headers: dict[str, str], body: bytes) -> Outcome:
        asked.append(url)
        return await post(url, headers, body)

    street.house.platform.post = noting  # type: ignore[method-assign] # listens beside it
    await street.tell(await street.about("a", "duty_chief"))
    await street.announcer().once()
    query = httpx.URL(asked[0]).params
    assert set(query) == {"access_token", "timestamp", "sign"}
