"""Who must look: posts as people, and whom it passes to where nobody holds one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.events.case import CaseFactV1, OwnerV1, StandingV1, ToldV1
from schemas.labels import Labels
from schemas.registry import decode
from services.chassis.directory import (
    Account,
    Appointment,
    Community,
    Directory,
    Grid,
    RosterLine,
    Street,
    Unit,
)
from services.escalation.notices.people import Called, Scene, who
from services.governance.acts import Post
from services.governance.cycle import Role, Tier

STREET, COMMUNITY, GRID = "441802001", "441802001001", "44180200100101"
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)  # 12:00 in Shanghai
NIGHT = NOON + timedelta(hours=12)
LONG_AGO = NOON - timedelta(days=100)
EXAMPLE = Path(__file__).resolve().parents[4] / "schemas" / "examples" / "case.overdue" / "v1" / "plain.json"
POSTS = (
    ("worker", Role.GRID_WORKER, GRID, None),
    ("secretary", Role.GRID_SECRETARY, GRID, None),
    ("community", Role.COMMUNITY_SECRETARY, COMMUNITY, None),
    ("clerk", Role.INTAKE_CLERK, "", None),
    ("dispatcher", Role.DISPATCHER, "", None),
    ("day", Role.DUTY_CHIEF, "", None),
    ("night", Role.DUTY_CHIEF, "", None),
    ("leader", Role.STREET_LEADER, "", None),
    ("leader2", Role.STREET_LEADER, "", None),
    ("unit", Role.HANDLING_UNIT, "", "chengguan"),
    ("visitor", Role.VERIFIER, "", None),
    ("district", Role.DISTRICT, "", None),
    ("admin", Role.ADMINISTRATOR, "", None),
)
ROSTER = (
    (STREET, "duty_chief_day", "day"),
    (STREET, "duty_chief_night", "night"),
    (STREET, "duty_leader", "leader2"),
    (STREET, "leader_in_charge", "leader"),
    (COMMUNITY, "liaison_leader", "leader2"),
    (GRID, "deputy", "worker"),
)


def standing(**changes: object) -> StandingV1:
    stored = json.loads(EXAMPLE.read_text("utf-8"))
    headers = {key: value.encode() for key, value in stored["headers"].items()}
    body = decode(headers, json.dumps(stored["data"]).encode()).data
    assert isinstance(body, CaseFactV1)
    spot = body.standing.spot.model_copy(update={"street": STREET, "community": COMMUNITY, "grid": GRID})
    return body.standing.model_copy(
        update={
            "spot": spot,
            "lead_unit": "chengguan",
            "owner": OwnerV1(tier=Tier.STREET, code="chengguan", role=Role.HANDLING_UNIT),
            "tier": Tier.STREET,
            **changes,
        }
    )


def street(without: Sequence[str] = (), roster: Sequence[tuple[str, str, str]] = ROSTER, **lent: str) -> Directory:
    """Everybody but those named; `lent` gives a duty chief's post to somebody for a while."""
    held = [
        Appointment(login, Post(role, area, unit), LONG_AGO, None)
        for login, role, area, unit in POSTS
        if login not in without
    ]
    held += [
        Appointment(login, Post(Role.DUTY_CHIEF, "", None), LONG_AGO, NIGHT + timedelta(days=1), None, grant, "day")
        for login, grant in lent.items()
    ]
    return Directory(
        rev=1,
        streets={STREET: Street(STREET, "街道", True)},
        communities={COMMUNITY: Community(COMMUNITY, "社区", STREET)},
        grids={GRID: Grid(GRID, "网格", COMMUNITY)},
        units={"chengguan": Unit("chengguan", "城管", "station", STREET)},
        accounts={login: Account(login, login, login, "zh-CN", True) for login, *_ in POSTS},
        appointments=held,
        roster=[RosterLine(area, duty, login, LONG_AGO, None) for area, duty, login in roster],
    )


def told(*posts: str, directory: Directory | None = None, now: datetime = NOON, **scene: object) -> list[Called]:
    named = [ToldV1(post=post.split("@")[0], code=post.partition("@")[2]) for post in posts]
    return list(who(named, Scene(standing(), directory or street(), now, **scene)))  # type: ignore[arg-type] # fields of Scene


@pytest.mark.parametrize(
    ("post", "people"),
    [
        (f"GW@{GRID}", {"worker"}),
        (f"GS@{GRID}", {"secretary"}),
        (f"CS@{COMMUNITY}", {"community"}),
        (f"IC@{STREET}", {"clerk"}),
        ("HU@chengguan", {"unit"}),
        (f"VF@{STREET}", {"visitor"}),
        ("DI@district", {"district"}),
        ("owner", {"unit"}),
        ("unit_head", {"unit"}),
        ("lead_unit@chengguan", {"unit"}),
        ("branch_secretary", {"secretary"}),
        ("community_secretary", {"community"}),
        ("dispatcher", {"dispatcher"}),
        ("duty_chief", {"day"}),
        ("duty_leader", {"leader2"}),
        ("leader_in_charge", {"leader"}),
        ("liaison_leader", {"leader2"}),
        ("street_leader", {"leader", "leader2"}),
        ("district_duty", {"district"}),
        ("another_visitor", {"visitor"}),
        (f"another_worker@{GRID}", {"worker"}),
        (f"owner_before@{GRID}", {"secretary"}),
        (f"owner_before@{COMMUNITY}", {"community"}),
        ("owner_before@chengguan", {"unit"}),
        ("caller", {"community"}),
    ],
)
def test_every_post_has_its_people(post: str, people: set[str]) -> None:
    found = told(post)
    assert {one.account_id for one in found} == people
    assert all(one.instead_of is None and one.post == post.split("@")[0] for one in found)


def test_every_word_of_a_ladder_can_be_found_or_passed_on() -> None:
    for key in Labels("zh-CN").under("tell."):
        assert told(key.removeprefix("tell.")), key


def test_a_word_nobody_knows_goes_to_the_duty_chief() -> None:
    assert told("somebody_new") == [Called("day", "duty_chief", "somebody_new")]


def test_the_duty_chief_of_the_night_is_another_and_a_lent_post_counts() -> None:
    assert [one.account_id for one in told("duty_chief", now=NIGHT)] == ["night"]
    assert {one.account_id for one in told("DC", now=NIGHT, directory=street(dispatcher="g1"))} == {
        "night",
        "dispatcher",
    }
    unrostered = street(roster=())
    assert {one.account_id for one in told("duty_chief", directory=unrostered)} == {"day", "night"}


@pytest.mark.parametrize(
    ("post", "away", "to"),
    [
        (f"GW@{GRID}", ("worker",), Called("secretary", "branch_secretary", "GW")),
        (f"GS@{GRID}", ("secretary",), Called("worker", "deputy", "GS")),
        (f"CS@{COMMUNITY}", ("community",), Called("day", "duty_chief", "CS")),
        ("HU@chengguan", ("unit",), Called("dispatcher", "dispatcher", "HU")),
        ("owner", ("unit",), Called("dispatcher", "dispatcher", "owner")),
        ("duty_chief", ("day", "night"), Called("leader2", "duty_leader", "duty_chief")),
        ("DP", ("dispatcher",), Called("day", "duty_chief", "DP")),
        ("issuer", (), Called("day", "duty_chief", "issuer")),
    ],
)
def test_where_nobody_holds_the_post_the_next_is_told_and_learns_it(
    post: str, away: tuple[str, ...], to: Called
) -> None:
    roster = [line for line in ROSTER if line[2] not in away]
    assert told(post, directory=street(away, roster)) == [to]


def test_up_to_who_keeps_the_system() -> None:
    nobody = ("day", "night", "leader", "leader2")
    assert told("duty_chief", directory=street(nobody, ())) == [Called("admin", "AD", "duty_chief")]
    assert told("duty_chief", directory=street((*nobody, "admin"), ())) == []


def test_each_is_told_once_and_nobody_of_his_own_act() -> None:
    assert told("owner", "HU@chengguan", "unit_head") == [Called("unit", "owner")]
    assert told(f"GW@{GRID}", "duty_chief", actor="worker") == [Called("day", "duty_chief")]
    assert told("dispatcher", actor="dispatcher") == []  # he holds the post: it passes to nobody


def test_who_cannot_sign_in_any_more_holds_no_post() -> None:
    assert told("dispatcher", disabled={"dispatcher"}) == [Called("day", "duty_chief", "dispatcher")]


def test_people_whom_earlier_facts_name() -> None:
    assert told("issuer", named={"issuer": ("leader",)}) == [Called("leader", "issuer")]


def test_a_person_who_was_named_is_told_himself() -> None:
    named = (ToldV1(post="mediator", account="visitor"),)
    scene = Scene(standing(), street(), NOON)
    assert who(named, scene) == (Called("visitor", "mediator"),)
    gone = replace(scene, disabled=("visitor",))
    assert who(named, gone) == (Called("community", "community_secretary", "mediator"),)


def test_a_reporter_is_told_elsewhere() -> None:
    assert told("RP", "") == []
