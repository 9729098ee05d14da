"""Where groups are told, and what was pushed to whom: for who keeps the pushes, and to read for the auditor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from schemas.api.notices import (
    MadeOut,
    MessageOut,
    MessagePageOut,
    RobotIn,
    RobotOut,
    RobotPatchIn,
    RobotsOut,
    ToldOut,
    TryOut,
)
from schemas.labels import LANGUAGES, Labels
from services.chassis.asgi import Answer, FieldProblem, Page, Problem, encode_cursor, not_found, page
from services.chassis.audit import Audited, Entry, record
from services.chassis.auth import RequestKeyOf
from services.chassis.db import Tx
from services.chassis.directory import Directory
from services.escalation.api.desk import Administrator, DeskOf, LogReader, found, once
from services.escalation.notices.notice import Notice
from services.escalation.notices.pushes import Tried
from services.escalation.notices.ways import Robot
from services.escalation.notices.words import post_word, said
from services.escalation.store import outlets, pushes

DirectoryOf = Callable[[], Directory]
States = Literal["waiting", "sending", "sent", "dead"]


def robots_router(directory: DirectoryOf, ways: tuple[str, ...]) -> APIRouter:
    """/api/v1/notices/robots"""
    router = APIRouter(prefix="/api/v1/notices/robots", tags=["notices"])

    @router.get("", summary="Robots of groups", response_model=RobotsOut)
    async def every(desk: DeskOf, _: LogReader) -> RobotsOut:
        async with desk.db.reading() as tx:
            robots = await outlets.robots(tx)
        return RobotsOut(items=tuple(_robot(one, directory()) for one in robots), ways=ways)

    _add_keeping(router, directory)
    _add_test(router)
    return router


def _add_keeping(router: APIRouter, directory: DirectoryOf) -> None:
    @router.post("", summary="Add a robot", status_code=201, response_model=RobotOut)
    async def add(body: RobotIn, desk: DeskOf, person: Administrator, key: RequestKeyOf) -> Response:
        _known_place(body, directory())

        async def work(tx: Tx) -> Answer:
            made = await desk.robots.add(tx, body, person.account_id)
            told = {"kind": made.kind, "area": made.area, "unit": made.unit or ""}
            await record(tx, Entry(Audited.ROBOT_ADDED, person.account_id, str(made.id), details=told))
            return Answer.of(_robot(made, directory()), 201)

        return await once(desk, key, work)

    @router.patch("/{robot_id}", summary="Change a robot", response_model=RobotOut)
    async def change(
        robot_id: UUID, body: RobotPatchIn, desk: DeskOf, person: Administrator, key: RequestKeyOf
    ) -> Response:
        async def work(tx: Tx) -> Answer:
            changed = found(await desk.robots.change(tx, robot_id, body))
            told = {"fields": sorted(body.model_fields_set)}
            await record(tx, Entry(Audited.ROBOT_CHANGED, person.account_id, str(robot_id), details=told))
            return Answer.of(_robot(changed, directory()))

        return await once(desk, key, work)

    @router.delete("/{robot_id}", summary="Remove a robot", status_code=204)
    async def remove(robot_id: UUID, desk: DeskOf, person: Administrator, key: RequestKeyOf) -> Response:
        async def work(tx: Tx) -> Answer:
            if not await outlets.remove(tx, robot_id):
                raise not_found()
            await record(tx, Entry(Audited.ROBOT_REMOVED, person.account_id, str(robot_id)))
            return Answer(204)

        return await once(desk, key, work)


def _add_test(router: APIRouter) -> None:
    @router.post("/{robot_id}/test", summary="Send a test message", status_code=202, response_model=MadeOut)
    async def test(robot_id: UUID, desk: DeskOf, person: Administrator, key: RequestKeyOf) -> Response:
        async def work(tx: Tx) -> Answer:
            found(await outlets.robot(tx, robot_id))
            made = await desk.robots.test(tx, str(robot_id), None)
            await record(tx, Entry(Audited.ROBOT_TESTED, person.account_id, str(robot_id)))
            return Answer.of(MadeOut(id=str(made)), 202)

        return await once(desk, key, work)


def sent_router(directory: DirectoryOf) -> APIRouter:
    """/api/v1/notices/sent"""
    router = APIRouter(prefix="/api/v1/notices/sent", tags=["notices"])

    @router.get("", summary="What was pushed to people, newest first", response_model=MessagePageOut)
    async def newest(
        desk: DeskOf,
        person: LogReader,
        at: Annotated[Page, Depends(page)],
        state: States | None = None,
        robot: UUID | None = None,
    ) -> MessagePageOut:
        async with desk.db.reading() as tx:
            outlet = str(robot) if robot is not None else None
            rows = await pushes.newest(tx, at.limit + 1, _after(at), state=state, outlet=outlet)
            shown = rows[: at.limit]
            ids = [row["id"] for row in shown]
            tries, told = await pushes.tries_of(tx, ids), await pushes.told_by(tx, ids)
            named = await outlets.names(tx, [UUID(row["outlet"]) for row in shown if row["account_id"] is None])
        cursor = (
            encode_cursor(shown[-1]["created_at"].isoformat(), str(shown[-1]["id"])) if len(rows) > at.limit else None
        )
        labels = Labels(person.lang if person.lang in LANGUAGES else LANGUAGES[0])
        page_of = _Page(directory(), labels, named)
        items = tuple(page_of.message(row, told.get(row["id"], []), tries.get(row["id"], [])) for row in shown)
        return MessagePageOut(items=items, next=cursor)

    @router.post("/{message_id}/again", summary="Send a message once more", status_code=202, response_model=MadeOut)
    async def again(message_id: UUID, desk: DeskOf, person: Administrator, key: RequestKeyOf) -> Response:
        async def work(tx: Tx) -> Answer:
            if not found(await pushes.again(tx, message_id)):
                raise Problem(409, "under_way")
            await record(tx, Entry(Audited.NOTICE_SENT_AGAIN, person.account_id, str(message_id)))
            return Answer.of(MadeOut(id=str(message_id)), 202)

        return await once(desk, key, work)

    return router


class _Page:
    """Rows in words for one reader."""

    def __init__(self, directory: Directory, labels: Labels, robots: dict[str, tuple[str, str]]) -> None:
        self._directory = directory
        self._labels = labels
        self._robots = robots

    def message(self, row: dict[str, Any], told: list[Notice], tries: list[Tried]) -> MessageOut:
        way, to = self._robots.get(row["outlet"], (row["outlet"], ""))
        if row["account_id"] is not None:
            to = self._name(row["account_id"])
        same = ("size", "state", "attempts", "created_at", "sent_at", "next_at", "last_status", "last_error")
        return MessageOut(
            id=str(row["id"]),
            way=way,
            to=to,
            told=tuple(self._told(one) for one in told),
            history=tuple(
                TryOut(n=x.n, at=x.at, status=x.status, latency_ms=x.latency_ms, error=x.error, reply=x.reply)
                for x in tries
            ),
            **{name: row[name] for name in same},
        )

    def _told(self, one: Notice) -> ToldOut:
        return ToldOut(
            name=self._name(one.account_id),
            post=post_word(one.post, self._labels),
            title=said(one, self._labels).title,
            case_no=one.case_no,
            planned_at=one.planned_at,
            at=one.at,
            read_at=one.read_at,
        )

    def _name(self, account_id: str) -> str:
        known = self._directory.accounts.get(account_id)
        return account_id if known is None else known.name


def _known_place(body: RobotIn, directory: Directory) -> None:
    if body.unit is not None and body.unit not in directory.units:
        raise Problem(422, "invalid_input", errors=[FieldProblem(field="unit", code="unknown_unit")])
    areas = (directory.streets, directory.communities, directory.grids)
    if body.unit is None and body.area and not any(body.area in known for known in areas):
        raise Problem(422, "invalid_input", errors=[FieldProblem(field="area", code="unknown_area")])


def _after(at: Page) -> tuple[datetime, UUID] | None:
    if at.after is None:
        return None
    try:
        moment, message_id = at.after
        return datetime.fromisoformat(moment), UUID(message_id)
    except (ValueError, TypeError, AttributeError) as error:
        raise Problem(422, "invalid_input", errors=[FieldProblem(field="after", code="cursor")]) from error


def _robot(one: Robot, directory: Directory) -> RobotOut:
    return RobotOut(
        id=str(one.id),
        kind=one.kind,
        name=one.name,
        area=one.area,
        area_name=directory.name_of(one.area) if one.area else None,
        unit=one.unit,
        unit_name=directory.name_of(one.unit) if one.unit else None,
        url_hint=one.url_hint,
        signed=one.secret is not None,
        per_minute=one.per_minute,
        active=one.active,
        created_at=one.created_at,
        last_success_at=one.last_success_at,
        last_error=one.last_error,
    )
