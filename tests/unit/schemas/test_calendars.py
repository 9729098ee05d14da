"""Calendar files: complete or refused at their line, and what one set of them means after another."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from schemas.calendars import changes_between, first_moved, read_calendar, stored_name, was_confirmed
from schemas.rulebook import UnknownCalendar, load_calendar
from schemas.rulebook_faults import RulebookFileError
from tests.support.governance import at

FOLDER = Path(__file__).parents[3] / "deploy" / "rulebooks" / "calendars"
STORED = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.toml")}
GUESS = STORED["cn-2027.toml"]
NOTICE = GUESS.replace("confirmed = false", 'confirmed = true\nnotice = "文号"\npublished = 2026-11-10')
HALF = '\n[[days]]\non = 2027-02-04\nkind = "workday"\nname = "半天"\nwindows = ["08:00-12:00"]\n'


def refused(text: str) -> tuple[str, ...]:
    with pytest.raises(RulebookFileError) as error:
        read_calendar(text, "notice.toml")
    return error.value.told("en-US")


@pytest.mark.parametrize("name", sorted(STORED))
def test_the_years_that_come_with_it_are_complete(name: str) -> None:
    file = read_calendar(STORED[name], name)
    assert file.confirmed is (file.year < 2027)
    assert all(row.english for row in file.days)


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        (GUESS.replace("confirmed = false", "confirmed = true"), "notice.toml:4 confirmed:", "add notice"),
        (NOTICE.replace("confirmed = true", "confirmed = false"), "notice.toml:4 confirmed:", "confirmed = true"),
        (GUESS + HALF.replace('"workday"', '"holiday"'), "notice.toml:", "remove windows"),
        (GUESS + HALF.replace("08:00-12:00", "12:00-08:00"), "notice.toml:", "windows"),
        (GUESS + '\n[[days]]\non = 2027-01-09\nname = "x"\n', "notice.toml:", "kind"),
    ],
)
def test_a_fault_is_named_with_its_line_and_its_remedy(text: str, key: str, remedy: str) -> None:
    (told,) = refused(text)
    assert told.startswith(key)
    assert remedy in told


def test_a_day_with_hours_of_its_own_may_be_a_weekday() -> None:
    read_calendar(GUESS + HALF, "notice.toml")
    cal = load_calendar("cn", {**STORED, "cn-2027.toml": GUESS + HALF})
    assert cal.elapsed(at("2027-02-04 00:00"), at("2027-02-05 00:00")) == 4 * 3600


def test_a_file_replaces_its_year_whatever_it_is_called() -> None:
    file = read_calendar(NOTICE, "downloaded.toml")
    assert stored_name(file, STORED) == "cn-2027.toml"
    assert stored_name(file, {}) == "cn-2027.toml"
    assert stored_name(file, {"next.toml": GUESS}) == "next.toml"
    assert was_confirmed("cn-2026.toml", STORED)
    assert not was_confirmed("cn-2027.toml", STORED)
    assert not was_confirmed("cn-2028.toml", STORED)


def test_what_a_new_set_means() -> None:
    later = NOTICE + '\n[[days]]\non = 2027-01-04\nkind = "holiday"\nname = "元旦"\n'
    changes = changes_between(STORED, {**STORED, "cn-2027.toml": later})
    assert changes["cn"].days == (date(2027, 1, 4),)
    assert changes["cn"].confirmed == {2027}
    assert first_moved(changes, at("2026-11-20 10:00")) == at("2027-01-01 00:00"), "the mark falls from there on"
    assert changes_between(STORED, STORED) == {}
    assert first_moved({}, at("2026-11-20 10:00")) is None


def test_days_that_are_past_move_nothing() -> None:
    later = GUESS + '\n[[days]]\non = 2027-01-04\nkind = "holiday"\nname = "元旦"\n'
    changes = changes_between(STORED, {**STORED, "cn-2027.toml": later})
    assert first_moved(changes, at("2027-01-05 10:00")) is None


def test_a_calendar_that_is_gone_is_told() -> None:
    with pytest.raises(UnknownCalendar):
        changes_between(STORED, {"x.toml": GUESS.replace('calendar = "cn"', 'calendar = "other"')})
