"""A shift of the sample street: who sits where, and the roads that matters take from desk to desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.e2e.browser.conftest import PATIENCE_MS, Screen, Sit
from tests.e2e.browser.pictures import keep
from tests.e2e.browser.reporting import Matter, report
from tests.e2e.town import Town, until

SCHOOL = "凤城街道示范学校（兼职委员单位）"
CLEANERS = "凤洁环卫公司"
OFFICE = "城市管理办公室"
ENFORCERS = "综合行政执法队"
FINDER, BRANCH, COMMUNITY, CLERK, CHIEF = "wangge01", "zhibu01", "shequ01", "shouli", "zhiban"
UNIT, CO_UNIT, OTHER_UNIT, MEMBER = "zhifadui", "huanwei", "chengguanban", "chengyuan-xuexiao"
LEADER, DISTRICT = "lingdao", "quji"
ADMINISTRATOR, AUDITOR = "admin", "audit"
CENTRE = frozenset({CLERK, CHIEF, ADMINISTRATOR, AUDITOR})
PICTURES = {
    (COMMUNITY, "community_calls"): "desk-community",
    (UNIT, "to_sign"): "desk-unit",
    (MEMBER, "to_claim"): "desk-member",
    (LEADER, "to_approve"): "desk-sign",
    (FINDER, "to_verify"): "desk-check",
    (DISTRICT, "whistles"): "desk-district",
    (CHIEF, "disputes"): "console-ruling",
}


@dataclass
class Crew:
    """Everybody at a screen of his own; somebody sits down when first asked for, and stays."""

    sit: Sit
    town: Town
    here: dict[str, Any]
    photo: Path
    seats: dict[str, Screen] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    keeps: bool = False  # whether pictures are taken already

    def at(self, login: str, where: str = "") -> Screen:
        where = where or ("console" if login in CENTRE else "desk")
        seat = f"{login} {where}"
        if seat not in self.seats:
            self.seats[seat] = self.sit(login, where, **(self.here if where == "m" else {}))
        return self.seats[seat]

    def report(self, matter: Matter) -> str:
        """Answers the number of the case that comes of it."""
        sent = report(self.at(FINDER, "m"), matter)
        finder = self.town.person(FINDER)
        return until("the report becomes a case", lambda: finder.receipt(sent)["case_no"])

    def does(self, login: str, queue: str, no: str, action: str, **inputs: Any) -> Screen:
        """He finds the case in a list of his, opens it there and acts."""
        screen = self.at(login)
        self.looks_at(screen, queue)
        screen.open(no)
        self.picture(login, queue)
        screen.do(action, **inputs)
        return screen

    def looks_at(self, screen: Screen, queue: str) -> None:
        """Back to the lists, and to this one."""
        listed = screen.find(f"queue-{queue}")
        if screen.login not in CENTRE and screen.find("close-case").is_visible():
            screen.find("close-case").click()
        listed.click()
        expect(screen.find("case-list").or_(screen.find("today")).first).to_be_visible()

    def picture(self, login: str, queue: str) -> None:
        """Of a case as it was opened from this list, the first time."""
        name = PICTURES.get((login, queue))
        if name:
            self.keep(login, name)

    def keep(self, login: str, name: str) -> None:
        """What he sees now, the first time it is asked for."""
        if self.keeps and name not in self.taken:
            self.taken.add(name)
            keep(self.at(login), name)

    def shows(self, login: str, queue: str, no: str, name: str, action: str = "", part: str = "") -> None:
        """A picture of a case opened from a list: of an action's form, which nobody sends, or of a part of the page."""
        if not self.keeps or name in self.taken:
            return
        screen = self.at(login)
        self.looks_at(screen, queue)
        screen.open(no)
        if action:
            screen.offer(action).click()
            expect(screen.find("action-form")).to_have_attribute("data-action", action)
        if part:
            screen.find(part).evaluate("part => part.scrollIntoView({ block: 'start' })")
        self.keep(login, name)
        if action:
            screen.find("action-form").get_by_role("button", name="取消").click()
            expect(screen.find("action-form")).to_have_count(0)


Road = Callable[[Crew, str], None]


def grid(crew: Crew, no: str) -> None:
    """网格自办."""
    crew.does(BRANCH, "branch_triage", no, "self_resolve_start").see("grid_handling")
    crew.does(BRANCH, "grid_handling", no, "self_resolve_done", 方式=("扫",), 说明="已清理").see("closed")


def _called(crew: Crew, no: str) -> None:
    crew.does(BRANCH, "branch_triage", no, "call_up", 原因=("缺执法权",), 说明="已劝导").see("at_community")


def _checked(crew: Crew, no: str) -> None:
    crew.does(FINDER, "to_verify", no, "verify_pass", 方式=("到场",)).see("closed")


def _settled(crew: Crew, no: str, *co_units: str) -> None:
    _called(crew, no)
    asked = {"协办单位": co_units} if co_units else {}
    crew.does(COMMUNITY, "community_calls", no, "accept", **asked).see("community_handling")


def community(crew: Crew, no: str) -> None:
    """社区处置, by the community alone."""
    _settled(crew, no)
    _community_done(crew, no)


def _community_done(crew: Crew, no: str) -> None:
    done = {"说明": "已清理复原", "已达到结案条件": True, "现场凭证": crew.photo}
    crew.does(COMMUNITY, "community_handling", no, "feedback", **done).see("fed_back")
    _checked(crew, no)


def claimed(crew: Crew, no: str) -> None:
    """A member unit claims its share, and the community waits for it."""
    _settled(crew, no, SCHOOL)
    member = crew.does(MEMBER, "to_claim", no, "claim", 说明="周五课后派两位老师")
    expect(member.find("action-decline_offer")).to_have_count(0)
    crew.looks_at(crew.at(COMMUNITY), "community_handling")
    crew.at(COMMUNITY).open(no)
    expect(crew.at(COMMUNITY).find("action-feedback")).to_have_count(0)  # what was promised is waited for
    crew.does(MEMBER, "pledged", no, "co_done", 说明="已完成")
    _community_done(crew, no)


def declined(crew: Crew, no: str) -> None:
    """A member unit says no, and nothing is owed."""
    _settled(crew, no, SCHOOL)
    crew.does(MEMBER, "to_claim", no, "decline_offer")
    _community_done(crew, no)


def _to_street(crew: Crew, no: str) -> None:
    _called(crew, no)
    said = {"原因": ("缺执法权",), "说明": "上门两次，当事人不听"}
    crew.does(COMMUNITY, "community_calls", no, "call_up", **said).see("at_street")


def _dispatched(crew: Crew, no: str, *co_units: str) -> None:
    _to_street(crew, no)
    crew.shows(CLERK, "intake", no, "console-dispatch", action="file_dispatch")
    asked = {"协办单位": co_units} if co_units else {}
    crew.does(CLERK, "intake", no, "file_dispatch", **asked).see("dispatched")


def _taken_up(crew: Crew, no: str, unit: str = UNIT) -> None:
    crew.does(unit, "to_sign", no, "sign").see("dispatched")
    crew.does(unit, "to_respond", no, "respond", 方式=("到场",)).see("handling")


def _unit_done(crew: Crew, no: str, unit: str = UNIT) -> None:
    done = {"说明": "已处置，现场恢复", "已达到结案条件": True, "现场凭证": crew.photo}
    crew.does(unit, "in_handling", no, "feedback", **done).see("fed_back")


def street(crew: Crew, no: str) -> None:
    """派遣, 签收, 响应, 处置, 核查."""
    _dispatched(crew, no)
    _taken_up(crew, no)
    _unit_done(crew, no)
    _checked(crew, no)


def check_fails_once(crew: Crew, no: str) -> None:
    """核查不通过: back to the unit, done again, passed."""
    _dispatched(crew, no)
    _taken_up(crew, no)
    _unit_done(crew, no)
    found = {"原因": ("现场未见处置",), "说明": "占道物仍在", "现场凭证": crew.photo}
    crew.does(FINDER, "to_verify", no, "verify_fail", **found).see("handling")
    _unit_done(crew, no)
    _checked(crew, no)


def extended(crew: Crew, no: str) -> None:
    """申请延期, granted by the dispatcher."""
    _dispatched(crew, no)
    _taken_up(crew, no)
    crew.does(UNIT, "in_handling", no, "extend_request", 原因=("材料设备未到位",), 说明="围挡明天到货")
    crew.looks_at(crew.at(UNIT), "my_requests")
    expect(crew.at(UNIT).row(no)).to_be_visible(timeout=PATIENCE_MS)
    crew.does(CLERK, "approvals", no, "approve")
    _unit_done(crew, no)
    _checked(crew, no)


def returned(crew: Crew, no: str) -> None:
    """退单: the second unit does it."""
    _dispatched(crew, no)
    _returned(crew, no).see("filed")
    _dispatched_again(crew, no, OFFICE)
    _taken_up(crew, no, OTHER_UNIT)
    _unit_done(crew, no, OTHER_UNIT)
    _checked(crew, no)


def _returned(crew: Crew, no: str) -> Screen:
    said = {"原因": ("不属本单位职责",), "说明": "属城市管理办公室", "建议单位": (OFFICE,)}
    return crew.does(UNIT, "to_sign", no, "return", **said)


def _dispatched_again(crew: Crew, no: str, unit: str) -> None:
    asked = {"主办单位": (unit,), "原因": ("按值班安排",)}
    crew.does(CLERK, "to_dispatch", no, "dispatch", **asked).see("dispatched")


def ruled(crew: Crew, no: str) -> None:
    """Returned twice: the duty chief rules, and whom he names does it."""
    _dispatched(crew, no)
    _returned(crew, no).see("filed")
    crew.does(CLERK, "to_dispatch", no, "dispatch", 主办单位=("综合行政执法队",), 原因=("按值班安排",)).see(
        "dispatched"
    )
    _returned(crew, no).see("disputed")
    crew.does(CHIEF, "disputes", no, "rule", 主办单位=(OFFICE,), 说明="由城市管理办公室主办").see("dispatched")
    _taken_up(crew, no, OTHER_UNIT)
    _unit_done(crew, no, OTHER_UNIT)
    _checked(crew, no)


def joint(crew: Crew, no: str) -> None:
    """One lead, a company that must and a school that may."""
    _dispatched(crew, no, CLEANERS, SCHOOL)
    _taken_up(crew, no)
    crew.does(CO_UNIT, "co_tasks", no, "co_done", 说明="建筑垃圾已清运")
    crew.does(MEMBER, "to_claim", no, "claim")
    crew.does(MEMBER, "pledged", no, "co_done", 说明="门前已复原")
    crew.does(OTHER_UNIT, "co_tasks", no, "co_done", 说明="已巡查")  # whom the catalogue names beside the lead
    crew.shows(CHIEF, "in_handling", no, "console-joint", part="tasks")
    _unit_done(crew, no)
    _checked(crew, no)


def whistled(crew: Crew, no: str) -> None:
    """吹哨: the leader signs, the district answers and settles it."""
    _dispatched(crew, no)
    _taken_up(crew, no)
    crew.does(CHIEF, "in_handling", no, "whistle", 类型=("街道无法解决",), 说明="需区级牵头")
    crew.does(LEADER, "to_approve", no, "approve")
    crew.does(DISTRICT, "whistles", no, "answer_whistle").see("district_handling")
    crew.does(DISTRICT, "in_handling", no, "feedback", 已达到结案条件=True).see("fed_back")
    _checked(crew, no)


def begins_late(crew: Crew, no: str) -> None:
    """Taken up, then left lying until its limit is past."""
    _dispatched(crew, no)
    _taken_up(crew, no)


def ends_late(crew: Crew, no: str, until: str) -> None:
    """The leader sees it among the late ones and supervises; the unit answers and finishes."""
    leader = crew.at(LEADER)
    crew.looks_at(leader, "today")
    expect(leader.find("today-late")).not_to_contain_text("0", timeout=4 * PATIENCE_MS)
    keep(leader, "desk-leader")
    leader.find("today-late").click()
    leader.open(no)
    leader.do("supervise", 说明="今天下班前回复", 截止时间=until)
    crew.looks_at(leader, "supervised")
    expect(leader.row(no)).to_be_visible(timeout=PATIENCE_MS)
    crew.does(UNIT, "in_handling", no, "reply_supervision", 说明="挖掘机刚到位，下午完成")
    _unit_done(crew, no)
    _checked(crew, no)


def looks_around(crew: Crew) -> None:
    """The pages of the console beside its lists, each by whom it is for, with what the shift has left there."""
    pages = {CLERK: ("deliveries",), ADMINISTRATOR: ("accounts", "webhooks"), AUDITOR: ("audit",)}
    for login, those in pages.items():
        for page in those:
            screen = crew.at(login)
            screen.find(f"nav-{page}").click()
            expect(screen.find(page).locator("tbody tr").first).to_be_visible(timeout=PATIENCE_MS)
            crew.keep(login, f"console-{page}")


def takes_a_call(crew: Crew) -> None:
    """登记 with a place and words; and what Ctrl+K finds."""
    clerk = crew.at(CLERK)
    clerk.find("nav-register").click()
    clerk.page.get_by_label("地点：输入两个字或拼音首字母").fill("拾翠巷")
    clerk.page.get_by_role("option", name="拾翠巷").first.click()
    clerk.page.locator("textarea[name=text]").fill("夜里又有人在路边挖沟，没有围挡")
    crew.keep(CLERK, "console-register")
    clerk.page.keyboard.press("Control+k")
    expect(clerk.find("palette")).to_be_visible()
    clerk.page.keyboard.type("待")
    crew.keep(CLERK, "console-palette")
    clerk.page.keyboard.press("Escape")
