"""What the rules were asked is kept whole, but for people's words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas.asked import TYPED, Asked, NewDays, dump_asked, load_asked
from services.governance.acts import (
    Act,
    ActorRef,
    Archive,
    Around,
    AttachPhoto,
    Command,
    Inputs,
    Neighbour,
    Recompute,
    TimerFired,
)
from services.governance.cycle import Action, Role, State, Urgency
from services.governance.worktime import CalendarChange
from tests.support.governance import HOME, LEAD, LITTER, at, calendar, recorded, report

NOW = at("2026-03-06 09:00")
AROUND = Around(
    near=(Neighbour("n1", State.FILED, LITTER),),
    grid_has_branch=False,
    verifier=ActorRef("hecha", Role.VERIFIER),
    place=HOME,
    duty={"DC": "zhiban"},
)
COMMANDS: tuple[Command, ...] = (
    Act(Action.RESPOND, LEAD, Inputs(means="on_site", until=NOW, urgency=Urgency.URGENT, co_units=("a", "b")), "op1"),
    TimerFired("c1:whole:1", 2, 0, NOW),
    AttachPhoto("r1", "p1"),
    Archive(),
    report(recorded=recorded(), danger=True),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("around", [Around(), AROUND], ids=["alone", "among"])
def test_it_comes_back_as_it_was(command: Command, around: Around) -> None:
    asked = Asked(NOW, command, around, "days")
    assert load_asked(dump_asked(asked, opens=False)) == asked


def test_words_do_not_stay_only_that_there_were_some() -> None:
    act = Act(Action.NOTE, LEAD, Inputs(note="张三 13800138000"), "op1")
    raw = dump_asked(Asked(NOW, act, Around()), opens=False)
    assert "张三" not in raw.decode()
    assert load_asked(raw).command == replace(act, inputs=Inputs(note=TYPED))


def test_an_opening_is_not_kept_twice() -> None:
    asked = Asked(NOW, report(), AROUND)
    assert load_asked(dump_asked(asked, opens=True)) == replace(asked, command=None)


def test_another_report_of_a_known_case_is_kept() -> None:
    assert load_asked(dump_asked(Asked(NOW, report(), Around()), opens=False)).command == report()


def test_a_change_of_the_calendar_is_kept_by_its_revisions() -> None:
    change = CalendarChange.between(replace(calendar(), revision="r0"), calendar())
    asked = Asked(NOW, Recompute(change), Around(), "r1")
    assert load_asked(dump_asked(asked, opens=False)) == Asked(NOW, NewDays("r0"), Around(), "r1")
