"""A person's own notices: the list, how many are unread, reading them, and by which ways he wants to be told."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from schemas.api.notices import (
    ChoicesIn,
    ChoicesOut,
    MadeOut,
    NoticeOut,
    NoticePageOut,
    ReadIn,
    ReadOut,
    TestIn,
    UnreadOut,
)
from schemas.labels import LANGUAGES, Labels
from services.chassis.asgi import Answer, FieldProblem, Page, Problem, answer_once, encode_cursor, not_found, page
from services.chassis.auth import CurrentPerson, Person, RequestKeyOf
from services.escalation.api.desk import DeskOf
from services.escalation.notices.choosing import MAIL, Addresses, readable, sealed
from services.escalation.notices.notice import Notice
from services.escalation.notices.robots import KINDS
from services.escalation.notices.ways import Choices
from services.escalation.notices.words import post_word, said
from services.escalation.store import notices, outlets

MOST = 100
"""A bell shows 99+ and counts no further."""


def notices_router() -> APIRouter:
    """/api/v1/notices"""
    router = APIRouter(prefix="/api/v1/notices", tags=["notices"])

    @router.get("", summary="What the caller was told, newest first", response_model=NoticePageOut)
    async def mine(
        desk: DeskOf,
        person: CurrentPerson,
        at: Annotated[Page, Depends(page)],
        unread: bool = False,
        merged: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    ) -> NoticePageOut:
        async with desk.db.reading() as tx:
            found = await notices.mine(tx, person.account_id, at.limit + 1, _after(at), unread=unread, merged=merged)
            left = await notices.unread(tx, person.account_id, MOST)
        shown = found[: at.limit]
        labels = _labels(person)
        cursor = encode_cursor(shown[-1].id) if len(found) > at.limit else None
        return NoticePageOut(items=tuple(_out(one, labels) for one in shown), next=cursor, unread=left)

    @router.get("/unread", summary="How many the caller has not read", response_model=UnreadOut)
    async def unread_count(desk: DeskOf, person: CurrentPerson) -> UnreadOut:
        async with desk.db.reading() as tx:
            left = await notices.unread(tx, person.account_id, MOST)
            newest = await notices.mine(tx, person.account_id, 1, None, unread=True) if left else []
        return UnreadOut(unread=left, newest=newest[0].id if newest else None)

    @router.post("/read", summary="Mark one, or all up to one, as read", response_model=ReadOut)
    async def read(body: ReadIn, desk: DeskOf, person: CurrentPerson) -> ReadOut:
        if (body.id is None) == (body.upto is None):
            raise Problem(422, "invalid_input", errors=[FieldProblem(field="id", code="one_of_id_upto")])
        async with desk.db.transaction() as tx:
            if body.id is not None and not await notices.is_mine(tx, person.account_id, body.id):
                raise not_found()
            return ReadOut(read=await notices.mark_read(tx, person.account_id, one=body.id, upto=body.upto))

    return router


def choices_router(ways: tuple[str, ...]) -> APIRouter:
    """/api/v1/notices/choices. `ways`: by which single people can be told here at all."""
    router = APIRouter(prefix="/api/v1/notices/choices", tags=["notices"])

    @router.get("", summary="By which ways the caller wants to be told", response_model=ChoicesOut)
    async def choices(desk: DeskOf, person: CurrentPerson) -> ChoicesOut:
        async with desk.db.reading() as tx:
            known = (await outlets.choices_of(tx, [person.account_id])).get(person.account_id)
        return _chosen(readable(known, desk.robots.box), known.off if known else (), ways)

    @router.patch("", summary="Change one's own addresses and ways", response_model=ChoicesOut)
    async def choose(body: ChoicesIn, desk: DeskOf, person: CurrentPerson) -> ChoicesOut:
        box = desk.robots.box
        async with desk.db.transaction() as tx:
            known = (await outlets.choices_of(tx, [person.account_id])).get(person.account_id)
            given = body.model_dump(exclude_none=True, exclude={"off"})
            kept: Addresses = {key: value for key, value in {**readable(known, box), **given}.items() if value}  # type: ignore[assignment] # keys of Addresses alone
            off = body.off if body.off is not None else (known.off if known else ())
            await outlets.choose(tx, person.account_id, Choices(sealed(kept, box), tuple(off)))
        return _chosen(kept, tuple(off), ways)

    @router.post("/test", summary="Send oneself a test message", status_code=202, response_model=MadeOut)
    async def test(body: TestIn, desk: DeskOf, person: CurrentPerson, key: RequestKeyOf) -> Response:
        if body.way not in ways:
            raise Problem(422, "invalid_input", errors=[FieldProblem(field="way", code="way_off")])
        async with desk.db.transaction() as tx:

            async def work() -> Answer:
                known = (await outlets.choices_of(tx, [person.account_id])).get(person.account_id)
                mine = readable(known, desk.robots.box)
                if not mine.get("email" if body.way == MAIL else "phone"):
                    raise Problem(422, "invalid_input", errors=[FieldProblem(field="way", code="no_address")])
                made = await desk.robots.test(tx, body.way, person.account_id)
                return Answer.of(MadeOut(id=str(made)), 202)

            answer = await answer_once(tx, desk.keys, key, work)
        return answer.response()

    return router


def _after(at: Page) -> int | None:
    if at.after is None:
        return None
    if len(at.after) != 1 or not isinstance(at.after[0], int):
        raise Problem(422, "invalid_input", errors=[FieldProblem(field="after", code="cursor")])
    return at.after[0]


def _labels(person: Person) -> Labels:
    return Labels(person.lang if person.lang in LANGUAGES else LANGUAGES[0])


def _chosen(mine: Addresses, off: tuple[str, ...], ways: tuple[str, ...]) -> ChoicesOut:
    return ChoicesOut(**mine, off=off, ways=(*ways, *KINDS))


def _out(one: Notice, labels: Labels) -> NoticeOut:
    words = said(one, labels)
    return NoticeOut(
        id=one.id,
        kind=one.kind,
        title=words.title,
        about=words.about,
        notes=words.notes,
        case_no=one.case_no,
        post=post_word(one.post, labels),
        urgent=one.urgent,
        merged=one.merged,
        count=one.detail.get("count") if one.merged else None,
        planned_at=one.planned_at,
        at=one.at,
        read_at=one.read_at,
    )
