"""A small street for tests of the rules: calendar 2025 to 2027, rulebook, people, and a case that walks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

from services.governance.acts import (
    Act,
    Actor,
    ActorRef,
    Around,
    CategoryRef,
    Clock,
    Command,
    Fact,
    Inputs,
    OpenCase,
    Post,
    RecordedOutcome,
    Spot,
    TimerFired,
)
from services.governance.case import Case, decide, evolve, live_clock
from services.governance.cycle import Action, ClockKind, Nature, Role, Urgency
from services.governance.routing import CatalogueLine
from services.governance.rulebook import (
    NEED_LIMIT,
    Category,
    Condition,
    Rulebook,
    Settings,
    Source,
    StageLimit,
    Street,
    Unit,
)
from services.governance.tiers import Ladder, LadderStep, RungAct
from services.governance.worktime import (
    OFFICE_HOURS,
    Budget,
    Calendar,
    CalendarDay,
    CalendarYear,
    DayKind,
    LimitUnit,
    Schedule,
    parse_limit,
)

STREET = "441802001"
COMMUNITY = STREET + "001"
GRID = COMMUNITY + "01"
CELL = COMMUNITY + "001"
HOME = Spot(STREET, COMMUNITY, GRID, CELL, 113.06, 23.69)
SCHEME, EDITION = "GB/T 30428.2", "2013"


def at(text: str) -> datetime:
    """'2026-03-06 11:30' on the street's wall clock, as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) - timedelta(hours=8)


# --- calendar --------------------------------------------------------------------------------------------------------
def _days(year: int, holidays: str, workdays: str, name: str = "假日") -> tuple[CalendarDay, ...]:
    days: list[CalendarDay] = []
    for part in holidays.split():
        first, _, last = part.partition("..")
        begin, end = _day(year, first), _day(year, last or first)
        days += [CalendarDay(begin + timedelta(days=n), DayKind.HOLIDAY, name) for n in range((end - begin).days + 1)]
    days += [CalendarDay(_day(year, part), DayKind.WORKDAY) for part in workdays.split()]
    return tuple(days)


def _day(year: int, text: str) -> date:
    month, day = text.split("-")
    return date(year, int(month), int(day))


YEARS = (
    CalendarYear(
        2025,
        True,
        "notice 2025",
        _days(
            2025,
            "1-1 1-28..2-4 4-4..4-6 5-1..5-5 5-31..6-2 10-1..10-8",
            "1-26 2-8 4-27 9-28 10-11",
        ),
    ),
    CalendarYear(
        2026,
        True,
        "notice 2026",
        _days(
            2026,
            "1-1..1-3 2-15..2-23 4-4..4-6 5-1..5-5 6-19..6-21 9-25..9-27 10-1..10-7",
            "1-4 2-14 2-28 5-9 9-20 10-10",
        ),
    ),
    CalendarYear(2027, False, "by rule", _days(2027, "1-1 2-5..2-10 4-5 5-1..5-4 6-9 9-15 10-1..10-5", "")),
)


def calendar(years: tuple[CalendarYear, ...] = YEARS) -> Calendar:
    return Calendar("cn", "r1", (Schedule(date(2020, 1, 1), OFFICE_HOURS),), years)


# --- rulebook --------------------------------------------------------------------------------------------------------
_REMIND = LadderStep(RungAct.REMIND, 75, tell=("owner",))
_OVERDUE = LadderStep(RungAct.OVERDUE, 100, tell=("unit_head",))
_LATER = LadderStep(RungAct.FORCE_CHOICE, 200, tell=("duty_chief",))
_DAY = Budget(1, LimitUnit.WORK_DAY)
_HANDLING = (
    LadderStep(RungAct.MARK, 50),
    _REMIND,
    _OVERDUE,
    LadderStep(RungAct.FORCE_CHOICE, 150, plus=_DAY, tell=("duty_chief",)),
    LadderStep(RungAct.ESCALATE, 200, plus=Budget(3, LimitUnit.WORK_DAY), tell=("street_leader",)),
)
_OWN_LADDERS = {
    ClockKind.HANDLING: _HANDLING,
    ClockKind.WHOLE: (_REMIND, _OVERDUE),
    ClockKind.GRID_RESPONSE: (LadderStep(RungAct.CALL_UP),),
    ClockKind.COMMUNITY_RESPONSE: (LadderStep(RungAct.CALL_UP),),
    ClockKind.RETURN_WINDOW: (LadderStep(RungAct.SIGN),),
    ClockKind.MORE: (LadderStep(RungAct.RUN_ON),),
    ClockKind.REVIEW: (LadderStep(RungAct.RESUME),),
    ClockKind.RESPONSE: (
        _OVERDUE,
        LadderStep(RungAct.ALERT_NEXT, after=parse_limit("10um"), urgent_only=True),
        _LATER,
    ),
}
_LIMITS = {
    ClockKind.GRID_RESPONSE: ("15um", "1h"),
    ClockKind.GRID_DISPOSAL: ("2uh", "4h"),
    ClockKind.COMMUNITY_RESPONSE: ("1uh", "2h"),
    ClockKind.COMMUNITY_DISPOSAL: ("1ud", "1d"),
    ClockKind.STREET_ANSWER: ("15um", "1h"),
    ClockKind.FILE: ("15um", "1h"),
    ClockKind.DISPATCH: ("15um", "1h"),
    ClockKind.RESPONSE: ("30um", "4h"),
    ClockKind.RULING: ("4uh", "4h"),
    ClockKind.DISTRICT_RESPONSE: ("30um", "1d"),
    ClockKind.DISTRICT_HANDLING: ("1ud", "5d"),
    ClockKind.CONFIRM: ("1uh", "4h"),
    ClockKind.VERIFY: ("1uh", "4h"),
    ClockKind.CLOSE: ("4h", "4h"),
    ClockKind.VISIT: ("1d", "1d"),
    ClockKind.REPLY: ("3d", "3d"),
    ClockKind.MORE: ("1d", "1d"),
}


def _condition(key: str, limit: str, urgency: Urgency = Urgency.ORDINARY, *, evidence: bool = False) -> Condition:
    return Condition(key, key, parse_limit(limit), "done", evidence_required=evidence, urgency=urgency)


def _category(code: str, conditions: str, tile: str = "litter", *, restricted: bool = False) -> Category:
    return Category(code, SCHEME, EDITION, code, tile, tuple(conditions.split()), restricted=restricted)


CONDITIONS = (
    _condition("danger", "2uh", Urgency.URGENT),
    _condition("unsure", "4h"),
    _condition("litter", "4h", evidence=True),
    _condition("litter.heap", "5d"),
    _condition("stall", "2uh"),
    _condition("cover.gone", "2uh", Urgency.URGENT),
    _condition("cover.cracked", "4h"),
    _condition("quarrel", "15nd"),
)
LITTER, HEAP, STALL, COVER, QUARREL, PLAIN = "0109", "0110", "0405", "0201", "2101", "0111"


def categories() -> tuple[Category, ...]:
    return (
        _category(LITTER, "litter litter.heap"),
        replace(_category(HEAP, "litter.heap"), notice_platform=True),
        _category(STALL, "stall"),
        _category(COVER, "cover.cracked cover.gone"),
        _category(QUARREL, "quarrel", restricted=True),
        replace(_category(PLAIN, "litter"), auto_dispatch=True),
        _category("0999", "unsure"),
    )


UNITS = (
    Unit("zhifa", "综合行政执法队"),
    Unit("huanwei", "环卫公司", "company"),
    Unit("chengguan", "城管办"),
    Unit("sifa", "司法所"),
    Unit("wuye", "物业", "member", voluntary=True),
)
CATALOGUE = (
    CatalogueLine("L1", "huanwei", ("wuye",), categories=(LITTER, HEAP)),
    CatalogueLine("L1.plain", "huanwei", (), categories=(PLAIN,)),
    CatalogueLine("L2", "zhifa", ("chengguan",), categories=("04*",), next_units=("chengguan",)),
    CatalogueLine("L3", "chengguan", (), categories=("02*",), next_units=("zhifa",)),
    CatalogueLine("L4", "sifa", (), categories=(QUARREL,)),
)
SOURCES = (
    Source("grid_worker", "网格员"),
    Source("hotline_12345", "12345", visit_percent=100),
    Source("media", "媒体", restricted=True),
)


def rulebook(**changes: object) -> Rulebook:
    """The test street's rulebook, with fields exchanged by name."""
    fields: dict[str, object] = {
        "version": "rb1",
        "street": Street(STREET, "凤城街道"),
        "units": {u.code: u for u in UNITS},
        "categories": {c.code: c for c in categories()},
        "conditions": {c.id: c for c in CONDITIONS},
        "limits": {kind: StageLimit(parse_limit(wall), parse_limit(other)) for kind, (wall, other) in _LIMITS.items()},
        "catalogue": CATALOGUE,
        "ladders": {kind: Ladder(kind, _OWN_LADDERS.get(kind, (_OVERDUE, _LATER))) for kind in ClockKind},
        "calendar": calendar(),
        "sources": {s.id: s for s in SOURCES},
        "danger_condition": "danger",
        "unsure_condition": "unsure",
        "settings": Settings(),
    }
    fields.update(changes)
    assert set(_LIMITS) == set(NEED_LIMIT)
    return Rulebook(**fields)  # type: ignore[arg-type]


BOOK = rulebook()


# --- people ----------------------------------------------------------------------------------------------------------
def person(account: str, *posts: Post) -> Actor:
    return Actor(account, posts)


WORKER = person("wangge01", Post(Role.GRID_WORKER, GRID))
WORKER2 = person("wangge02", Post(Role.GRID_WORKER, COMMUNITY + "02"))
SECRETARY = person("zhibu01", Post(Role.GRID_SECRETARY, GRID))
COMMUNITY_SECRETARY = person("shequ01", Post(Role.COMMUNITY_SECRETARY, COMMUNITY))
CLERK = person("shouli", Post(Role.INTAKE_CLERK), Post(Role.DISPATCHER))
ONLY_CLERK = person("jieting", Post(Role.INTAKE_CLERK))
CHIEF = person("zhiban", Post(Role.DUTY_CHIEF))
CHIEF2 = person("zhiban2", Post(Role.DUTY_CHIEF))
LEAD = person("huanwei", Post(Role.HANDLING_UNIT, unit="huanwei"))
ENFORCERS = person("zhifadui", Post(Role.HANDLING_UNIT, unit="zhifa"))
CITY_OFFICE = person("chengguan", Post(Role.HANDLING_UNIT, unit="chengguan"))
PROPERTY = person("wuye", Post(Role.MEMBER_UNIT, unit="wuye"))
VERIFIER = person("hecha", Post(Role.VERIFIER))
LEADER = person("lingdao", Post(Role.STREET_LEADER))
COMMITTEE = person("gongwei", Post(Role.STREET_COMMITTEE))
DISTRICT = person("quji", Post(Role.DISTRICT))
RESIDENT = person("anon", Post(Role.REPORTER, unit="r1"))
AUDITOR = person("audit", Post(Role.AUDITOR))
EVERYBODY = (
    WORKER,
    WORKER2,
    SECRETARY,
    COMMUNITY_SECRETARY,
    CLERK,
    ONLY_CLERK,
    CHIEF,
    CHIEF2,
    LEAD,
    ENFORCERS,
    CITY_OFFICE,
    PROPERTY,
    VERIFIER,
    LEADER,
    COMMITTEE,
    DISTRICT,
    RESIDENT,
    AUDITOR,
)


def report(category: str | None = LITTER, when: datetime | None = None, **changes: object) -> OpenCase:
    """A grid worker's report, with fields exchanged by name."""
    fields: dict[str, object] = {
        "case_id": "c1",
        "case_no": "441802001-20260306-0001",
        "report_id": "r1",
        "reporter": ActorRef("wangge01", Role.GRID_WORKER),
        "reported_at": when or at("2026-03-06 09:00"),
        "source": "grid_worker",
        "nature": Nature.COMPLAINT,
        "category": CategoryRef(SCHEME, EDITION, category) if category else None,
        "danger": False,
        "life": False,
        "spot": HOME,
        "staff": True,
    }
    fields.update(changes)
    return OpenCase(**fields)  # type: ignore[arg-type]


def recorded(unit: str | None = "huanwei", *, closed: bool = True, overdue: bool = False) -> RecordedOutcome:
    return RecordedOutcome(unit, closed, overdue, at("2026-01-05 10:00") if closed else None)


class Walk:
    """One case on its way: every fact is kept, and the time stands until it is moved."""

    def __init__(self, command: OpenCase | None = None, book: Rulebook = BOOK, around: Around | None = None) -> None:
        opened = command or report()
        self.book, self.around = book, around or Around()
        self.now = opened.reported_at
        self.facts: list[Fact] = []
        self._case: Case | None = None
        self._numbers = count(1)
        self.do(opened)

    @property
    def case(self) -> Case:
        assert self._case is not None
        return self._case

    def do(self, command: Command) -> tuple[Fact, ...]:
        facts = decide(self._case, command, self.book, self.now, self.around)
        for fact in facts:
            self._case = evolve(self._case, fact)
        self.facts += facts
        return facts

    def act(self, actor: Actor, action: Action, op_id: str | None = None, **inputs: object) -> tuple[Fact, ...]:
        op_id = op_id or f"op{next(self._numbers)}"
        return self.do(Act(action, actor, Inputs(**inputs), op_id))  # type: ignore[arg-type]

    def later(self, **amount: int) -> Walk:
        self.now += timedelta(**amount)
        return self

    def until(self, text: str) -> Walk:
        self.now = at(text)
        return self

    def fire(self, kind: ClockKind, rung: int = 0) -> tuple[Fact, ...]:
        """The timer of a clock's rung goes off at its moment."""
        clock = self.clock(kind)
        point = next(r for r in clock.rungs if r.rung == rung)
        self.now = max(self.now, point.at)
        return self.do(TimerFired(clock.clock_id, clock.rev, rung, point.at))

    def clock(self, kind: ClockKind) -> Clock:
        clock = live_clock(self.case, kind)
        assert clock is not None, f"no {kind} clock is live"
        return clock

    def kinds(self) -> list[str]:
        return [str(f.kind) for f in self.facts]


# --- stretches of the main road --------------------------------------------------------------------------------------
PHOTO = ("photo1",)


def to_community(walk: Walk) -> Walk:
    walk.act(SECRETARY, Action.CALL_UP, reason="no_means")
    return walk


def to_street(walk: Walk) -> Walk:
    to_community(walk).act(COMMUNITY_SECRETARY, Action.CALL_UP, reason="no_enforcement", note="tried to talk")
    return walk


def to_filed(walk: Walk, condition: str = "litter") -> Walk:
    to_street(walk).act(CLERK, Action.ANSWER)
    walk.act(CHIEF, Action.FILE, condition=condition)
    return walk


def to_dispatched(walk: Walk, lead: str = "huanwei", co_units: tuple[str, ...] = (), condition: str = "litter") -> Walk:
    to_filed(walk, condition).act(CLERK, Action.DISPATCH, lead_unit=lead, co_units=co_units, reason="on_duty")
    return walk


def to_handling(walk: Walk, co_units: tuple[str, ...] = (), condition: str = "litter") -> Walk:
    to_dispatched(walk, co_units=co_units, condition=condition).act(LEAD, Action.RESPOND, means="on_site")
    return walk


def to_fed_back(walk: Walk) -> Walk:
    to_handling(walk).act(LEAD, Action.FEEDBACK, note="cleaned", close_condition_met=True, evidence=PHOTO)
    return walk
