"""The picture of a street: where a point lies, who holds which post when, which rulebook is in force."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.directory import (
    Account,
    Appointment,
    Cell,
    Community,
    Directory,
    Grid,
    Place,
    RosterLine,
    RulebookVersion,
    Street,
    Unit,
)
from services.governance.acts import Post
from services.governance.cycle import Role

NOW = datetime(2026, 3, 6, 9, tzinfo=UTC)
STREET, COMMUNITY, GRID = "441802001", "441802001001", "44180200100101"


def square(west: float, south: float, size: float = 1.0) -> str:
    ring = [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


def account(name: str) -> Account:
    return Account(name, name, name.title(), "zh-CN", sample=True)


def appointment(who: str, role: Role, area: str = "", unit: str | None = None, days: int | None = None) -> Appointment:
    until = None if days is None else NOW + timedelta(days=days)
    return Appointment(who, Post(role, area, unit), NOW - timedelta(days=30), until)


@pytest.fixture
def street() -> Directory:
    return Directory(
        rev=1,
        streets={STREET: Street(STREET, "凤城街道", sample=True)},
        communities={COMMUNITY: Community(COMMUNITY, "东门社区", STREET)},
        grids={GRID: Grid(GRID, "第一网格", COMMUNITY, "东门第一网格党支部")},
        cells={
            f"{COMMUNITY}002": Cell(f"{COMMUNITY}002", "二", GRID, COMMUNITY, square(1, 0)),
            f"{COMMUNITY}001": Cell(f"{COMMUNITY}001", "一", GRID, COMMUNITY, square(0, 0)),
        },
        places={
            "p1": Place("p1", "东门小区", "estate", f"{COMMUNITY}001", 0.5, 0.5, "dmxq"),
            "p2": Place("p2", "东门市场", "market", f"{COMMUNITY}002", 1.5, 0.5, "dmsc"),
            "p3": Place("p3", "文化广场", "square", None, None, None, "whgc"),
        },
        units={"U1": Unit("U1", "综合行政执法队", "station", STREET)},
        accounts={name: account(name) for name in ("worker", "chief", "officer", "deputy")},
        appointments=[
            appointment("worker", Role.GRID_WORKER, GRID),
            appointment("chief", Role.DUTY_CHIEF),
            appointment("officer", Role.HANDLING_UNIT, "", "U1"),
            appointment("deputy", Role.GRID_WORKER, GRID, days=1),
            appointment("chief", Role.DISPATCHER, days=-1),
        ],
        roster=[
            RosterLine(GRID, "worker", "worker", NOW - timedelta(days=1), None, branch="东门第一网格党支部"),
            RosterLine(STREET, "DC", "chief", NOW - timedelta(hours=1), NOW + timedelta(hours=7)),
        ],
        rulebooks=[
            RulebookVersion("aaa", STREET, NOW - timedelta(days=9)),
            RulebookVersion("bbb", STREET, NOW + timedelta(days=1)),
        ],
    )


@pytest.mark.parametrize(
    ("lng", "lat", "cell"),
    [
        (0.5, 0.5, f"{COMMUNITY}001"),
        (1.5, 0.5, f"{COMMUNITY}002"),
        (1.0, 0.5, f"{COMMUNITY}001"),  # on the border: the lower code
        (0.0, 0.0, f"{COMMUNITY}001"),
        (2.1, 0.5, None),
        (0.5, -0.001, None),
    ],
)
def test_a_point_lies_in_one_cell_or_in_none(street: Directory, lng: float, lat: float, cell: str | None) -> None:
    found = street.cell_at(lng, lat)
    assert (found.code if found else None) == cell


def test_a_directory_without_cells_has_no_cell_anywhere() -> None:
    assert Directory(rev=0).cell_at(113.06, 23.69) is None


def test_posts_count_only_while_they_are_in_force(street: Directory) -> None:
    assert street.posts_of("chief", NOW) == (Post(Role.DUTY_CHIEF),)
    assert street.posts_of("deputy", NOW) == (Post(Role.GRID_WORKER, GRID),)
    assert street.posts_of("deputy", NOW + timedelta(days=1)) == ()
    assert street.posts_of("nobody", NOW) == ()


def test_people_are_found_by_role_and_area(street: Directory) -> None:
    def logins(role: Role, area: str = "", unit: str | None = None, at: datetime = NOW) -> list[str]:
        return [person.login for person in street.people_with(role, at, area=area, unit=unit)]

    assert logins(Role.GRID_WORKER, GRID) == ["deputy", "worker"]
    assert logins(Role.GRID_WORKER, GRID, at=NOW + timedelta(days=2)) == ["worker"]
    assert logins(Role.GRID_WORKER, COMMUNITY + "02") == []
    assert logins(Role.DUTY_CHIEF, GRID) == ["chief"], "a post over the whole street covers every grid"
    assert logins(Role.HANDLING_UNIT, unit="U1") == ["officer"]
    assert logins(Role.HANDLING_UNIT, unit="U2") == []


def test_the_roster_knows_duties_and_branches(street: Directory) -> None:
    assert [person.login for person in street.on_roster(STREET, "DC", NOW)] == ["chief"]
    assert street.on_roster(STREET, "DC", NOW + timedelta(hours=8)) == []
    assert street.branch_of(GRID) == "东门第一网格党支部"
    assert street.branch_of(COMMUNITY + "02") is None


def test_places_are_found_by_two_characters_or_initials(street: Directory) -> None:
    def names(words: str, cell: str | None = None) -> list[str]:
        return [place.name for place in street.find_places(words, cell=cell)]

    assert names("东门") == ["东门小区", "东门市场"]
    assert names("东门", f"{COMMUNITY}002") == ["东门市场", "东门小区"], "the own cell comes first"
    assert names("DMS") == ["东门市场"]
    assert names("广场") == ["文化广场"]
    assert names("zz") == []
    assert len(names("")) == 3


def test_names_are_found_by_any_code(street: Directory) -> None:
    assert [street.name_of(code) for code in (STREET, COMMUNITY, GRID, "U1", "x")] == [
        "凤城街道",
        "东门社区",
        "第一网格",
        "综合行政执法队",
        None,
    ]


def test_a_rulebook_counts_from_its_effective_time(street: Directory) -> None:
    assert street.rulebook_version(STREET, NOW) == "aaa"
    assert street.rulebook_version(STREET, NOW + timedelta(days=1)) == "bbb"
    assert street.rulebook_version(STREET, NOW - timedelta(days=10)) is None
    assert street.rulebook_version("441802002", NOW) is None
