"""A repeated request gets the first answer: later, at the same time, and after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from pydantic import BaseModel

from services.chassis.asgi import Answer, Problem, RequestKey, answer_once, idempotency_tables
from services.chassis.asgi.idempotency import fingerprint
from services.chassis.db import Database, metadata_for

pytestmark = pytest.mark.anyio
TABLE = idempotency_tables(metadata_for("dispatch"), "dispatch")


class Made(BaseModel):
    number: int


class Refused(Exception):
    """The work was not possible."""


def key(name: str = "k1", caller: str = "p1", body: bytes = b"{}") -> RequestKey:
    return RequestKey(caller, name, fingerprint("POST", "/api/v1/x", body))


class Work:
    """Counts how often it was really done."""

    def __init__(self, fails: int = 0, pause_s: float = 0.0) -> None:
        self.done = 0
        self._fails = fails
        self._pause_s = pause_s

    async def __call__(self) -> Answer:
        await asyncio.sleep(self._pause_s)
        if self._fails:
            self._fails -= 1
            raise Refused
        self.done += 1
        return Answer.of(Made(number=self.done), 201, {"etag": '"1"'})


@pytest.fixture
async def db(database: Database) -> Database:
    async with database.transaction() as tx:
        await tx.run_sync(lambda sync: TABLE.create(sync, checkfirst=True))
    return database


def once(db: Database, work: Callable[[], Awaitable[Answer]], at: RequestKey | None) -> Awaitable[Answer]:
    async def run() -> Answer:
        async with db.transaction() as tx:
            return await answer_once(tx, TABLE, at, work)

    return run()


async def test_a_repeat_gets_the_first_answer(db: Database) -> None:
    work = Work()
    first, again = await once(db, work, key()), await once(db, work, key())
    assert work.done == 1
    assert (again.status, again.body, again.media_type) == (first.status, first.body, first.media_type)
    assert again.headers == {"etag": '"1"', "idempotent-replayed": "true"}


async def test_without_a_key_the_work_is_done_each_time(db: Database) -> None:
    work = Work()
    await once(db, work, None)
    await once(db, work, None)
    assert work.done == 2


async def test_two_at_the_same_time_do_it_once(db: Database) -> None:
    work = Work(pause_s=0.2)
    answers = await asyncio.gather(*(once(db, work, key()) for _ in range(3)))
    assert work.done == 1
    assert {answer.body for answer in answers} == {b'{"number":1}'}


async def test_a_refusal_is_not_kept_and_a_waiting_repeat_does_the_work(db: Database) -> None:
    work = Work(fails=1, pause_s=0.2)
    results = await asyncio.gather(once(db, work, key()), once(db, work, key()), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Answer", "Refused"]
    assert work.done == 1


async def test_another_body_under_the_same_key_is_refused(db: Database) -> None:
    work = Work()
    await once(db, work, key())
    with pytest.raises(Problem) as refused:
        await once(db, work, key(body=b"[]"))
    assert (refused.value.status, refused.value.code) == (422, "idempotency_key_reused")


async def test_keys_belong_to_their_caller(db: Database) -> None:
    work = Work()
    await once(db, work, key(caller="p1"))
    await once(db, work, key(caller="p2"))
    assert work.done == 2
