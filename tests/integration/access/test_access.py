"""Who may do what: every route of every service, asked by everybody, at home and away, against the table.

A new route fails here until the table says who may use it; so does a row whose route is gone. The table is the file
`access_table.toml`; a row that fails prints itself as it would have to stand there. Look twice before it does.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.chassis.migrate import migrate
from services.governance.cycle import Action
from services.governance.moves import MOVES
from tests.integration.access.asking import Answer
from tests.integration.access.calls import call_of
from tests.integration.access.routes import routes_of
from tests.integration.access.table import ROLES, Row, printed, read_table
from tests.integration.access.world import World, world_at
from tests.support.postgres import TestServer

pytestmark = pytest.mark.anyio
TABLE = read_table()
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
ACT = "dispatch POST /api/v1/cases/{case_no}/actions/{action}"
NO_SESSION = {
    "escalation POST /api/v1/platform/events",
    "escalation POST /api/v1/platform/{endpoint_id}/events",
    "intake POST /api/v1/push/{source}",
    "intake POST /open311/v2/requests.{format}",
}
"""Answer to a signature, or to a key, whoever is signed in."""


@pytest.fixture(scope="module")
def url(postgres: TestServer) -> Iterator[str]:
    template = postgres.template("grid_test_template", lambda at: (migrate(at, test_database=True), None)[1])
    name = postgres.copy_of(template)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(scope="module")
async def world(url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    home: Path = tmp_path_factory.mktemp("access")
    async with world_at(url, home) as made:
        yield made


async def test_the_table_knows_every_route_and_no_other(world: World) -> None:
    there = {f"{service} {route}" for service, app in world.apps.items() for route in routes_of(app)}
    told = {row.route for row in TABLE}
    assert sorted(there - told) == [], "routes that the table says nothing of"
    assert sorted(told - there) == [], "rows whose route is gone"
    assert len({row.name for row in TABLE}) == len(TABLE)


def test_the_table_knows_every_action() -> None:
    there = {move.action for move in MOVES if move.who} | {Action.REPORT}
    told = {row.action for row in TABLE if row.route == ACT and row.at == "called"}
    assert {str(action) for action in there} <= told | {"report"}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
async def test_everybody_gets_the_answer_of_the_table(row: Row, world: World) -> None:
    service, route = row.route.split(" ", 1)
    answers: dict[str, Answer] = {}
    for place, people in (("own", world.own), ("foreign", world.away)):
        for who, headers in people.items():
            call = call_of(world, route, row.at, row.action, headers)
            answers[f"{place} {who}"] = await world.ask(service, call)
    got = Row(
        row.route,
        row.at,
        row.action,
        {who: answers[f"own {who}"].status for who in world.own},
        {who: answers[f"foreign {who}"].status for who in world.away},
    )
    surprises = [
        f"{who}: {answer.status} {answer.code}"
        for who, answer in answers.items()
        if answer.status != (row.own if who.startswith("own") else row.foreign)[who.split()[1]]
    ]
    assert not surprises, f"{surprises}\n{printed(got)}"
    assert all(answer.status < 500 for answer in answers.values())


@pytest.mark.parametrize("row", [row for row in TABLE if row.own["anonymous"] == 401], ids=lambda row: row.name)
def test_who_is_not_signed_in_learns_nothing_and_foreign_things_do_not_exist(row: Row) -> None:
    """What the table may not say: a foreign thing that is merely forbidden would tell that it is there."""
    if "{case_no}" in row.route or "{report_id}" in row.route:
        reached = {who for who in ROLES if row.foreign[who] not in (404, 401)}
        assert reached == set(), f"{row.name}: {reached} are told something of a foreign place"


@pytest.mark.parametrize(
    "route", sorted({row.route for row in TABLE if row.route.split()[1] in UNSAFE} - NO_SESSION), ids=str
)
async def test_no_other_sites_page_acts_with_a_session(route: str, world: World) -> None:
    service, rest = route.split(" ", 1)
    situation = "called" if "{case_no}" in rest else None
    headers = {**world.own["DC"], "origin": "https://evil.example.org"}
    answer = await world.ask(service, call_of(world, rest, situation, "urge", headers))
    assert (answer.status, answer.code) == (403, "foreign_origin")


def test_a_printed_row_reads_back_as_itself(tmp_path: Path) -> None:
    file = tmp_path / "table.toml"
    file.write_text(io.StringIO("\n".join(printed(row) for row in TABLE)).getvalue(), "utf-8")
    assert read_table(file) == TABLE
