"""值班: who may lend what, over what, for how long; and which field is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.directory import Appointment, Community, Directory, Grid, Street, Unit
from services.dispatch.usecases.lending import (
    LONGEST,
    OVER,
    Fault,
    Term,
    Wish,
    granted,
    lendable,
    may_end,
    places,
    sees,
)
from services.governance.acts import Post
from services.governance.cycle import Role

NOW = datetime(2026, 9, 30, 9, tzinfo=UTC)
HOME, AWAY = "441802001", "441802002"
GRID, AWAY_GRID = f"{HOME}00101", f"{AWAY}00101"
TOWN = Directory(
    rev=1,
    streets={code: Street(code, code, sample=True) for code in (HOME, AWAY)},
    communities={f"{code}001": Community(f"{code}001", "一", code) for code in (HOME, AWAY)},
    grids={f"{code}00101": Grid(f"{code}00101", "一", f"{code}001") for code in (HOME, AWAY)},
    units={
        "station": Unit("station", "执法队", "station", HOME),
        "school": Unit("school", "学校", "member", HOME),
        "bureau": Unit("bureau", "区局", "district", ""),
        "other": Unit("other", "外街道执法队", "station", AWAY),
    },
)


def holding(role: Role, area: str = HOME, until: datetime | None = None) -> tuple[Appointment, ...]:
    return (Appointment("me", Post(role, area), NOW - timedelta(days=100), until),)


CHIEF, ADMIN = holding(Role.DUTY_CHIEF), holding(Role.ADMINISTRATOR)
WISH = Wish("li", Role.GRID_WORKER, GRID, None, None, NOW + timedelta(days=3))


def judged(
    wish: Wish, held: tuple[Appointment, ...] = CHIEF, of_person: tuple[Appointment, ...] = ()
) -> Term | tuple[Fault, ...]:
    return granted(wish, "me", held, of_person, TOWN, NOW)


def test_a_duty_chief_lends_a_grid_of_his_street_from_now_on() -> None:
    assert judged(WISH) == Term("li", Post(Role.GRID_WORKER, GRID), NOW, NOW + timedelta(days=3))


BELOW = {"GW", "GS", "CS", "IC", "DP", "HU", "MU", "VF"}


def test_the_chief_lends_what_is_below_him_the_administrator_all_that_is_lent_and_nobody_else_anything() -> None:
    assert {role.value for role in lendable(CHIEF)} == BELOW
    assert {role.value for role in lendable(ADMIN)} == BELOW | {"DC", "SL", "SC", "EV"}
    others = set(Role) - {Role.DUTY_CHIEF, Role.ADMINISTRATOR}
    assert [role for role in others if lendable(holding(role))] == []
    assert {"AD", "AU", "DI", "RP"} == {role.value for role in set(Role) - set(OVER)}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"account": None}, Fault("account", "lend_person_unknown")),
        ({"account": "me"}, Fault("account", "lend_to_oneself")),
        ({"role": Role.DUTY_CHIEF, "area": HOME}, Fault("role", "lend_role")),
        ({"role": Role.AUDITOR, "area": None}, Fault("role", "lend_role")),
        ({"area": AWAY_GRID}, Fault("area", "lend_place")),
        ({"area": f"{HOME}001"}, Fault("area", "lend_place")),
        ({"area": "nowhere"}, Fault("area", "lend_place")),
        ({"area": None}, Fault("area", "lend_place")),
        ({"unit": "station"}, Fault("unit", "lend_place_unused")),
        ({"role": Role.COMMUNITY_SECRETARY}, Fault("area", "lend_place")),
        ({"role": Role.HANDLING_UNIT}, Fault("area", "lend_place_unused")),
        ({"role": Role.HANDLING_UNIT, "area": None}, Fault("unit", "lend_place")),
        ({"role": Role.HANDLING_UNIT, "area": None, "unit": "school"}, Fault("unit", "lend_place")),
        ({"role": Role.HANDLING_UNIT, "area": None, "unit": "bureau"}, Fault("unit", "lend_place")),
        ({"role": Role.HANDLING_UNIT, "area": None, "unit": "other"}, Fault("unit", "lend_place")),
        ({"role": Role.MEMBER_UNIT, "area": None, "unit": "station"}, Fault("unit", "lend_place")),
        ({"role": Role.DISPATCHER, "area": AWAY}, Fault("area", "lend_place")),
        ({"since": NOW - timedelta(seconds=1)}, Fault("since", "lend_in_the_past")),
        ({"until": NOW}, Fault("until", "lend_ends_first")),
        ({"since": NOW + timedelta(days=3)}, Fault("until", "lend_ends_first")),
        ({"until": NOW + LONGEST + timedelta(seconds=1)}, Fault("until", "lend_too_long")),
    ],
)
def test_what_is_wrong_is_named_by_its_field(changes: dict[str, object], fault: Fault) -> None:
    assert judged(replace(WISH, **changes)) == (fault,)  # type: ignore[arg-type]


def test_all_that_is_wrong_is_said_at_once() -> None:
    wish = Wish(None, Role.STREET_LEADER, None, None, NOW - timedelta(hours=1), NOW - timedelta(hours=2))
    faults = judged(wish)
    assert isinstance(faults, tuple)
    assert [fault.field for fault in faults] == ["role", "account", "since", "until"]


def test_thirty_one_days_are_the_longest_and_it_may_begin_later() -> None:
    begins = NOW + timedelta(days=40)
    term = judged(replace(WISH, since=begins, until=begins + LONGEST))
    assert isinstance(term, Term)
    assert (term.since, term.until - term.since) == (begins, LONGEST)


@pytest.mark.parametrize(
    ("role", "unit", "post"),
    [
        (Role.HANDLING_UNIT, "station", Post(Role.HANDLING_UNIT, unit="station")),
        (Role.MEMBER_UNIT, "school", Post(Role.MEMBER_UNIT, unit="school")),
        (Role.DISPATCHER, None, Post(Role.DISPATCHER, HOME)),
    ],
)
def test_units_are_lent_by_their_code_and_the_street_needs_none(role: Role, unit: str | None, post: Post) -> None:
    term = judged(replace(WISH, role=role, area=None, unit=unit))
    assert isinstance(term, Term)
    assert term.post == post


def test_whose_post_names_no_area_lends_in_every_street() -> None:
    everywhere = holding(Role.ADMINISTRATOR, "")
    assert places(Role.GRID_WORKER, everywhere, TOWN) == (GRID, AWAY_GRID)
    assert places(Role.DISPATCHER, everywhere, TOWN) == ("", HOME, AWAY)
    assert places(Role.DISPATCHER, CHIEF, TOWN) == (HOME,)


def test_what_is_lent_is_not_lent_on_beyond_its_end() -> None:
    until = NOW + timedelta(days=2)
    lent = holding(Role.DUTY_CHIEF, until=until)
    assert judged(WISH, lent) == (Fault("until", "lend_beyond_own"),)
    assert isinstance(judged(replace(WISH, until=until), lent), Term)
    assert isinstance(judged(WISH, (*lent, *ADMIN)), Term)


def test_nobody_gets_twice_what_he_holds_in_that_time() -> None:
    own = Appointment("li", Post(Role.GRID_WORKER, GRID), NOW + timedelta(days=1), NOW + timedelta(days=2))
    assert judged(WISH, of_person=(own,)) == (Fault("role", "lend_held_already"),)
    assert judged(WISH, of_person=(replace(own, until=None),)) == (Fault("role", "lend_held_already"),)
    assert isinstance(judged(replace(WISH, until=own.since), of_person=(own,)), Term)
    assert isinstance(judged(replace(WISH, since=own.until), of_person=(own,)), Term)
    other = replace(own, post=Post(Role.GRID_SECRETARY, GRID))
    assert isinstance(judged(WISH, of_person=(other,)), Term)


def test_a_chief_reads_of_his_streets_leaders_stand_in_and_does_not_end_it() -> None:
    leader = Post(Role.STREET_LEADER, HOME)
    assert sees(CHIEF, leader, TOWN)
    assert not may_end(CHIEF, leader, TOWN)
    assert may_end(ADMIN, leader, TOWN)
    assert not sees(CHIEF, Post(Role.GRID_WORKER, AWAY_GRID), TOWN)
    assert not sees(CHIEF, Post(Role.HANDLING_UNIT, unit="other"), TOWN)
    assert not sees(holding(Role.DISPATCHER), leader, TOWN)
