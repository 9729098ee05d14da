"""Closed cases are put away when their time is over, and only then."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from schemas.events.report import OnTheSpotV1
from services.chassis.clock import SystemClock
from services.chassis.db import move_clock
from services.chassis.housekeeping import Turn
from services.chassis.housekeeping.metrics import HouseMetrics
from services.chassis.telemetry import Metrics
from services.dispatch.usecases.archive import Archiving
from services.dispatch.usecases.ground import Ground
from tests.integration.dispatch.conftest import Street

pytestmark = pytest.mark.anyio


async def keep_house(street: Street, days: int) -> None:
    """The chore, so many days from now."""
    metrics = Metrics("dispatch")
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(days=days))
    async with street.db.session() as connection:
        turn = Turn(connection, "dispatch", 100, HouseMetrics(metrics, "dispatch"), SystemClock(), asyncio.Event())
        await Archiving(Ground(street.db, street.cache, street.ids, metrics)).do(turn)


async def state_of(street: Street, case_no: str) -> object:
    return await street.scalar("SELECT state FROM dispatch.cases WHERE case_no = :no", no=case_no)


async def test_what_was_closed_long_ago_is_archived_and_told_once(street: Street) -> None:
    done = await street.opened(on_the_spot=OnTheSpotV1(act="sao"))
    live = await street.opened()
    try:
        await keep_house(street, 89)
        assert await state_of(street, done) == "closed"
        await keep_house(street, 91)
        await keep_house(street, 92)
    finally:
        async with street.db.transaction() as tx:
            await move_clock(tx, timedelta(0))
    assert await state_of(street, done) == "archived"
    assert await state_of(street, live) == "reported"
    told = await street.rows(
        "SELECT o.headers->>'ce_type' AS kind FROM dispatch.outbox o"
        " JOIN dispatch.cases c ON o.key = convert_to(c.id::text, 'UTF8')"
        " WHERE c.case_no = :no ORDER BY o.seq",
        no=done,
    )
    assert [row.kind for row in told][-2:] == ["case.self_resolved", "case.archived"]
