"""The street's file becomes rules, and every mistake in it is named with its place and remedy."""

from __future__ import annotations

import ast
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schemas import rulebook
from schemas.labels import Labels
from schemas.rulebook import (
    content_hash,
    load_calendar,
    load_rulebook,
    read_rulebook,
    reload_rulebook,
)
from schemas.rulebook_faults import RulebookFileError
from schemas.rulebook_file import Tile
from services.governance.acts import CategoryRef, Spot
from services.governance.cycle import ClockKind, MachineRule, Nature, Urgency
from services.governance.routing import Matter, RouteKind, match
from services.governance.rulebook import Rulebook
from services.governance.worktime import Budget, LimitUnit

RULEBOOKS = Path(__file__).parents[3] / "deploy" / "rulebooks"
TEXT = (RULEBOOKS / "fengcheng.toml").read_text("utf-8")
CALENDARS = {path.name: path.read_text("utf-8") for path in (RULEBOOKS / "calendars").glob("*.toml")}
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return load_rulebook(TEXT, CALENDARS)


def test_the_street(book: Rulebook) -> None:
    assert book.street.name == "凤城街道"
    assert book.version == content_hash(TEXT)
    assert book.machine == frozenset(MachineRule)
    assert 100 <= len(book.categories) <= 140


def test_line_ends_and_marks_do_not_make_a_version() -> None:
    assert content_hash("\ufeff" + TEXT.replace("\n", "\r\n")) == content_hash(TEXT)
    assert content_hash(TEXT + " ") != content_hash(TEXT)


def test_every_tile_has_a_class(book: Rulebook) -> None:
    assert {category.group_tile for category in book.categories.values()} == set(Tile.__args__)


def test_disputes_and_hardship_are_restricted_and_never_dispatched_by_machine(book: Rulebook) -> None:
    for code, category in book.categories.items():
        sensitive = category.scheme == "STREET-EXT" and code[:2] in ("21", "23")
        assert category.restricted is sensitive
        assert not (category.restricted and category.auto_dispatch)
    assert book.sources["media"].restricted


def test_limits_stand_in_the_condition(book: Rulebook) -> None:
    loose, broken, *_ = (book.conditions[c] for c in book.categories["P0101"].conditions)
    assert loose.limit == Budget(2, LimitUnit.URGENT_HOUR)
    assert broken.limit == Budget(4, LimitUnit.WORK_HOUR)
    assert book.limit_of(loose, ClockKind.RESPONSE) == Budget(15, LimitUnit.URGENT_MINUTE)
    assert book.limit_of(book.conditions["0110.1"], ClockKind.GRID_RESPONSE) == Budget(30, LimitUnit.WORK_MINUTE)
    assert book.limit_of(book.conditions["0110.1"], ClockKind.FILE) == Budget(1, LimitUnit.WORK_HOUR)


def test_auto_dispatch_only_where_exactly_one_line_matches(book: Rulebook) -> None:
    for code, category in book.categories.items():
        if not category.auto_dispatch:
            continue
        spot = Spot("441802001", "441802001001")
        matter = Matter(code, category.conditions[0], spot, Nature.COMPLAINT, "grid_worker", danger=False)
        assert len(match(matter, book.catalogue).lines) == 1, code


@pytest.mark.parametrize("community", ["441802001001", "441802001002", "441802001003", "441802001004"])
def test_every_class_finds_a_unit_in_every_community(book: Rulebook, community: str) -> None:
    for code, category in book.categories.items():
        matter = Matter(
            code, category.conditions[0], Spot("441802001", community), Nature.COMPLAINT, "app", danger=False
        )
        assert match(matter, book.catalogue).lines, code


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-09-30 17:00", 4, "2026-10-08 11:00"),
        ("2026-01-03 20:00", 2, "2026-01-04 10:00"),
        ("2026-06-18 17:00", 2, "2026-06-22 09:00"),
        ("2026-03-06 11:30", 2, "2026-03-06 15:30"),
        ("2026-05-09 10:00", 4, "2026-05-09 16:00"),
        ("2026-02-14 16:00", 8, "2026-02-24 16:00"),
        ("2026-02-13 09:00", 40, "2026-02-27 09:00"),
        ("2026-02-13 17:30", 2, "2026-02-14 09:30"),
        ("2026-09-20 08:00", 8, "2026-09-20 18:00"),
        ("2026-10-11 10:00", 8, "2026-10-12 18:00"),
        ("2025-09-28 16:00", 4, "2025-09-29 10:00"),
    ],
)
def test_calendar_vectors(book: Rulebook, start: str, hours: int, due: str) -> None:
    begin = datetime.fromisoformat(start).replace(tzinfo=SHANGHAI)
    assert book.calendar.add(begin, hours * 3600) == datetime.fromisoformat(due).replace(tzinfo=SHANGHAI)


def test_2027_is_provisional(book: Rulebook) -> None:
    begin = datetime(2026, 12, 30, 9, tzinfo=SHANGHAI)
    assert book.calendar.is_provisional(begin, datetime(2027, 1, 5, tzinfo=SHANGHAI))
    assert not book.calendar.is_provisional(begin, datetime(2026, 12, 31, tzinfo=SHANGHAI))


def test_a_calendar_change_is_a_revision_and_no_version(book: Rulebook) -> None:
    changed = {**CALENDARS, "cn-2027.toml": CALENDARS["cn-2027.toml"].replace("confirmed = false", "confirmed = true")}
    other = load_rulebook(TEXT, changed)
    assert other.version == book.version
    assert other.calendar.revision != book.calendar.revision


FAULTS = [  # what a hand does to the file, and what it must be told: place, then sentence
    ('limit = "4h"', 'limit = "4 hourz"', r"categories.P0101.conditions.2.limit: .4 hourz. cannot be read as a time"),
    ('limit = "4h"', "limit = 4", r"P0101.conditions.2.limit: .4. cannot be read"),
    ('tile = "litter"', 'tile = "liter"', r"categories.P0301.tile: .liter. is not one of .*closest: litter"),
    ('lead = "huanwei"', 'lead = "huanwie"', r"catalogue.L01.lead: there is no unit .huanwie.; add \[units.huanwie\]"),
    ('lead = "gongdiansuo"', 'lead = "qu-jiaotong"', r"L17.lead: .qu-jiaotong. belongs to the district"),
    ("archive_90d = true\n", "", r"machine: it is not said whether the machine may archive_90d"),
    ('id = "L02"', 'id = "L01"', r"catalogue.L01.id: .L01. is told twice"),
    ('code = "P0102"', 'code = "P0101"', r"categories.P0101.code: .P0101. is told twice"),
    ('id = "P0102.1"', 'id = "P0101.1"', r"P0101.1. is told twice"),
    ('name = "凤城街道"', "name = ", r"rulebook.toml:7 TOML: not TOML"),
    ("restricted = true", "restrictd = true", r"restrictd: there is no field restrictd \(closest: restricted\)"),
    ('limit_set = "litter"', 'limit_set = "liter"', r"limit_set: there is no limit set .liter."),
    ('whole = [\n  { act = "overdue", percent = 100, tell = ["duty_chief"] },\n]\n', "", r"clock whole has no ladder"),
    ('reply = { wall = "3d", other = "3d" }\n', "", r"limits: the stage reply has no limit; add reply = { wall"),
    ('limit = "2uh"\nclose = "危险已排除"', 'limit = "2h"\nclose = "危险已排除"', r"X0.1.limit: the danger condition"),
    ('calendar = "cn"', 'calendar = "fr"', r"rulebook.toml:9 street.calendar: there is no file .*; there are: cn"),
    ("visit_percent = 100", "visit_percent = 101", r"sources.*visit_percent: 101 is too large; give at most 100"),
    ('danger = true\nkind = "fallback"\n', "", r"no route|overlap|never reached"),
    (
        'categories = ["0410", "2205", "2206"]',
        'categories = ["0410"]',
        r"2205.conditions.1: no route takes the condition .2205.1.",
    ),
    ('categories = ["2601"]', 'categories = ["2601", "0410"]', r"catalogue.L25: the lines .L25. and .L08. overlap"),
    (
        'id = "L22"\ncategories = ["2202", "2204"]\nareas = ["441802001002"]',
        'id = "L22"\ncategories = ["2202", "2204"]\nareas = ["441802001001"]',
        r"catalogue.L22: the line .L22. is never reached: .L21.",
    ),
    ('tell = ["branch_secretary"]', "tell = []", r"ladders.t0_response.1: this step \(auto_call_up\) has no post"),
    ('tell = ["branch_secretary"]', 'tell = ["branch_secretery"]', r"there is no post .branch_secretery."),
    (
        '{ act = "auto_sign", percent = 100',
        '{ act = "auto_resume", percent = 100',
        r"auto_resume belongs to review alone",
    ),
    (
        '{ act = "overdue", percent = 100, tell = ["duty_chief"] },\n]\nt0_response',
        '{ act = "remind", percent = 75, tell = ["duty_chief"] },\n]\nt0_response',
        r"nobody hears when the clock whole runs out",
    ),
    (
        'restricted = true\n\n[[categories.conditions]]\nid = "2101.1"',
        '\n[[categories.conditions]]\nid = "2101.1"',
        r"categories.2101: .2101. is about disputes",
    ),
    ("visit_percent = 100\nrestricted = true", "visit_percent = 100", r"sources.media: .media. is about"),
    ('urgency = "U1"\nevidence = true\nbasis', "evidence = true\nbasis", r"P0101.conditions.1: its danger is not said"),
    ('areas = ["441802001001"]', 'areas = ["441803001001"]', r"L21.areas: the area 441803001001 lies outside"),
    ('[reasons."call_up@street"]', '[reasons."call_up@sreet"]', r"reasons.call_up@sreet: no act"),
    ('text = "井盖弹跳、有声响"', 'text = "井盖周边路面沉陷"', r"P0101.conditions.4.text: two filing conditions"),
]


@pytest.mark.parametrize(("good", "bad", "said"), FAULTS, ids=[said for _, _, said in FAULTS])
def test_faults_are_named(good: str, bad: str, said: str) -> None:
    assert good in TEXT
    with pytest.raises(RulebookFileError, match=said):
        load_rulebook(TEXT.replace(good, bad, 1), CALENDARS, "rulebook.toml")


def test_a_fault_names_file_line_key_and_remedy_in_both_languages() -> None:
    text = TEXT.replace('limit = "4h"', 'limit = "4 小时半"', 1)
    line = text[: text.index("4 小时半")].count("\n") + 1
    with pytest.raises(RulebookFileError) as caught:
        load_rulebook(text, CALENDARS, "deploy/rulebooks/x.toml")
    place = f"deploy/rulebooks/x.toml:{line} categories.P0101.conditions.2.limit: "
    assert caught.value.told("en-US") == (
        f'{place}"4 小时半" cannot be read as a time; write e.g. "4小时", "2天", "30紧急分钟", or 4h, 2d, 30um',
    )
    assert caught.value.told("zh-CN") == (
        f"{place}“4 小时半”读不出时长；请写成例如“4小时”“2天”“30紧急分钟”，或 4h、2d、30um",
    )


def test_what_a_row_says_of_others_is_looked_at_although_a_field_is_wrong() -> None:
    """All faults at once: the misread limit does not hide the unknown unit, the calendar or the missing ladder."""
    text = TEXT.replace('limit = "4h"', 'limit = "soon"', 1).replace('lead = "huanwei"', 'lead = "huanwie"', 1)
    text = text.replace('calendar = "cn"', 'calendar = "fr"').replace("archive_90d = true\n", "")
    with pytest.raises(RulebookFileError) as caught:
        load_rulebook(text, CALENDARS)
    assert {fault.code for fault in caught.value.faults} == {"limit", "unit_unknown", "calendar_unknown", "rule_unsaid"}


def test_every_fault_has_words() -> None:
    """Codes are written where faults are found; each has its sentence, and no sentence is left over."""
    calls = {"Fault": 1, "_once": 0, "_twice": 1, "_unknown": 3}
    folder = Path(str(rulebook.__file__)).parent
    sources = [path.read_text("utf-8") for path in sorted(folder.glob("*.py"))]
    found = set()
    for node in (node for source in sources for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in calls:
            code = node.args[calls[node.func.id] :][:1]
            found |= {each.value for each in code if isinstance(each, ast.Constant)}
    words = {key.rpartition(".")[2] for key in Labels("zh-CN").under("rulebook.fault.")}
    assert len(found) > 30
    assert found <= words
    assert [word for word in words if not any(f'"{word}"' in source for source in sources)] == []


def test_a_version_that_was_taken_stays_readable() -> None:
    """What is asked of new files since (say how dangerous a condition is) does not shut out a case's own version."""
    older = TEXT.replace('urgency = "U2"\n', "").replace('kind = "fallback"', "fallback = true")
    with pytest.raises(RulebookFileError):
        load_rulebook(older, CALENDARS)
    kept = reload_rulebook(older, CALENDARS)
    assert kept.conditions["0110.1"].urgency is Urgency.ORDINARY
    assert kept.catalogue[-1].kind is RouteKind.FALLBACK


def test_a_code_of_the_other_table_leads_to_the_class(book: Rulebook) -> None:
    for code, meant in (("0102", "0110"), ("0504", "0405"), ("P0114", "P0123")):
        found = book.category_of(CategoryRef("CJ/T 214", "2007", code))
        assert found is not None
        assert found.code == meant


def test_the_first_route_that_decides_is_the_duty_list(book: Rulebook) -> None:
    kinds = [line.kind for line in book.catalogue]
    assert kinds == sorted(kinds, key=list(RouteKind).index)
    assert set(kinds) == set(RouteKind)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(RulebookFileError) as caught:
        read_rulebook(TEXT.replace('tile = "litter"', 'tile = "x"').replace('limit = "4h"', 'limit = "soon"'))
    assert len(caught.value.faults) > 5


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("on = 2026-01-04", "on = 2026-01-05", r"cn-2026.toml:\d\d+ days.2026-01-05: make-up days that are no weekend"),
        ("on = 2026-01-04", "on = 2027-01-02", "days.2027-01-02: days of another year: 2027-01-02"),
        ("until = 2026-01-03", "until = 2026-01-04", "days told twice: 2026-01-04"),
        ("until = 2026-01-03", "until = 2025-12-31", "end before they begin"),
        ('"08:00-12:00", "14:00-18:00"', '"08:00-12:00", "11:00-18:00"', "without overlap"),
        ("year = 2026", "year = 2025", "another year"),
    ],
)
def test_calendar_faults(good: str, bad: str, said: str) -> None:
    text = CALENDARS["cn-2026.toml"]
    assert good in text
    with pytest.raises(RulebookFileError, match=said):
        load_calendar("cn", {**CALENDARS, "cn-2026.toml": text.replace(good, bad, 1)})
