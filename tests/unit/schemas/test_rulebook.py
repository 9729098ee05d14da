"""The street's file becomes rules, and every mistake in it is named with its place and remedy."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schemas.rulebook import RulebookFileError, content_hash, load_calendar, load_rulebook, read_rulebook
from schemas.rulebook_file import Tile
from services.governance.acts import Spot
from services.governance.cycle import ClockKind, MachineRule, Nature
from services.governance.routing import Matter, match
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
    assert 45 <= len(book.categories) <= 80


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


FAULTS = [
    ('limit = "4h"', 'limit = "4 hourz"', "P0101.2.*limit.*cannot read '4 hourz'.*write"),
    ('limit = "4h"', "limit = 4", "P0101.2.*limit is text"),
    ('tile = "litter"', 'tile = "liter"', "P0301.*tile.*'liter' is not one of"),
    ('lead = "huanwei"', 'lead = "huanwie"', "L01:huanwie: unit unknown; add the unit"),
    ("archive_90d = true\n", "", "neither on nor off: archive_90d; add it"),
    ('id = "L02"', 'id = "L01"', "L01: line twice"),
    ('code = "P0102"', 'code = "P0101"', "category told twice: P0101"),
    ('id = "P0102.1"', 'id = "P0101.1"', "condition told twice: P0101.1"),
    ('name = "凤城街道"', "name = ", "not TOML.*line"),
    ("restricted = true", "restrictd = true", "restrictd: unknown; remove it or correct its name"),
    ('limit_set = "litter"', 'limit_set = "liter"', "unknown limit_set: liter"),
    ('whole = [\n  { act = "overdue", percent = 100, tell = ["duty_chief"] },\n]\n', "", "whole: clock without ladder"),
    ('reply = { wall = "3d", other = "3d" }\n', "", "reply: clock without limit"),
    ('limit = "2uh"\nclose = "危险已排除"', 'limit = "2h"\nclose = "危险已排除"', "danger not wall"),
    ('calendar = "cn"', 'calendar = "fr"', "no file of this calendar; there are: cn"),
    ("visit_percent = 100", "visit_percent = 101", "visit_percent.*100"),
]


@pytest.mark.parametrize(("good", "bad", "said"), FAULTS, ids=[said for _, _, said in FAULTS])
def test_faults_are_named(good: str, bad: str, said: str) -> None:
    assert good in TEXT
    with pytest.raises(RulebookFileError, match=said):
        load_rulebook(TEXT.replace(good, bad, 1), CALENDARS)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(RulebookFileError) as caught:
        read_rulebook(TEXT.replace('tile = "litter"', 'tile = "x"').replace('limit = "4h"', 'limit = "soon"'))
    assert len(caught.value.problems) > 5


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("on = 2026-01-04", "on = 2026-01-05", "make-up day that is no weekend"),
        ("on = 2026-01-04", "on = 2027-01-02", "day of another year"),
        ("until = 2026-01-03", "until = 2026-01-04", "day told twice: 2026-01-04"),
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
