"""A slip of the hand in a rulebook file: refused with a message that names the place, or nothing dangerous changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.rulebook import load_rulebook
from schemas.rulebook_faults import RulebookFileError
from services.governance.acts import Spot
from services.governance.cycle import ClockKind, MachineRule, Nature
from services.governance.routing import Matter, match
from services.governance.rulebook import Rulebook
from services.governance.tiers import is_urgent

RULEBOOKS = Path(__file__).parents[2] / "deploy" / "rulebooks"
TEXT = (RULEBOOKS / "fengcheng.toml").read_text("utf-8")
CALENDARS = {path.name: path.read_text("utf-8") for path in (RULEBOOKS / "calendars").glob("*.toml")}
LINES = TEXT.split("\n")
WRITTEN = [n for n, line in enumerate(LINES) if line.strip() and not line.startswith("#")]
TOLD = re.compile(r"^x\.toml:(\d+) \S.*: \S")
BOOK = load_rulebook(TEXT, CALENDARS)
SOME = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Each reads the whole file again, a good tenth of a second; `make long` leaves out every line there is."""


def dangers(book: Rulebook) -> list[str]:
    """What a changed file must never bring without a word."""
    wrong = [
        f"not restricted: {c}"
        for c, was in BOOK.categories.items()
        if was.restricted and c in book.categories and not book.categories[c].restricted
    ]
    wrong += [
        f"not restricted: {s}"
        for s, was in BOOK.sources.items()
        if was.restricted and s in book.sources and not book.sources[s].restricted and s == "media"
    ]
    wrong += [f"restricted and automatic: {c}" for c, x in book.categories.items() if x.restricted and x.auto_dispatch]
    wrong += [
        f"no longer urgent: {c}"
        for c, was in BOOK.conditions.items()
        if is_urgent(was.urgency) and c in book.conditions and not is_urgent(book.conditions[c].urgency)
    ]
    wrong += [f"no ladder: {kind}" for kind in ClockKind if not book.ladders[kind].steps]
    wrong += ["danger waits for the morning"] * (not book.conditions[book.danger_condition].wall)
    wrong += [f"more by itself: {rule}" for rule in MachineRule if book.does(rule) and not BOOK.does(rule)]
    wrong += [
        f"automatic: {c}"
        for c, x in book.categories.items()
        if x.auto_dispatch and c in BOOK.categories and not BOOK.categories[c].auto_dispatch
    ]
    return wrong + unrouted(book)


def unrouted(book: Rulebook) -> list[str]:
    """Matters that go nowhere although the file told once where they go."""
    street = BOOK.street.code
    places = [Spot(street, street + community) for community in ("001", "002", "003", "004")]
    lost = []
    for code, category in book.categories.items():
        matters = [Matter(code, category.conditions[0], spot, Nature.COMPLAINT, "app", danger=False) for spot in places]
        if not any(match(matter, book.catalogue).lines for matter in matters):
            lost.append(f"no route: {code}")
    return lost


def outcome(text: str) -> str | None:
    """None where the file is refused as it must be; else what is dangerous about what it became, '' for nothing."""
    try:
        book = load_rulebook(text, CALENDARS, "x.toml")
    except RulebookFileError as refused:
        told = refused.told("zh-CN")
        assert told
        lines = text.count("\n") + 1
        for line in (*told, *refused.told("en-US")):
            found = TOLD.match(line)
            assert found, line
            assert 1 <= int(found[1]) <= lines, line
        return None
    return "; ".join(dangers(book))


def without(number: int) -> str:
    """The file less one line."""
    return "\n".join([*LINES[:number], *LINES[number + 1 :]])


def test_the_file_itself_is_taken() -> None:
    assert outcome(TEXT) == ""


@SOME
@given(st.sampled_from(WRITTEN))
def test_a_line_left_out(number: int) -> None:
    assert not outcome(without(number)), LINES[number]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_any_line_left_out() -> None:
    wrong = {number + 1: told for number in WRITTEN if (told := outcome(without(number)))}
    assert wrong == {}


@SOME
@given(st.sampled_from(WRITTEN), st.data())
def test_a_key_misspelt(number: int, data: st.DataObject) -> None:
    """A letter of a key or a table's name is another one, or missing."""
    line = LINES[number]
    key = re.match(r"\s*(?:\[\[?)?[\w.\"@-]+", line)
    if key is None or len(key[0].strip("[ ")) < 2:
        return
    at = data.draw(st.integers(len(key[0]) - len(key[0].lstrip("[ ")), key.end() - 1))
    changed = line[:at] + data.draw(st.sampled_from(["", "x", "q7"])) + line[at + 1 :]
    text = "\n".join([*LINES[:number], changed, *LINES[number + 1 :]])
    assert not outcome(text), changed


@SOME
@given(st.sampled_from([n for n in WRITTEN if '= "' in LINES[n]]), st.data())
def test_a_code_misspelt(number: int, data: st.DataObject) -> None:
    """A letter within the first quoted value."""
    line = LINES[number]
    begin = line.index('"') + 1
    end = line.index('"', begin)
    at = data.draw(st.integers(begin, max(begin, end - 1)))
    changed = line[:at] + "x" + line[at + 1 :] if end > begin else line
    text = "\n".join([*LINES[:number], changed, *LINES[number + 1 :]])
    assert not outcome(text), changed
