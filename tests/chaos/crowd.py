"""Everybody who works or looks while things break: reporters, operators, screens, and the files that are imported."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import random
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.chaos.ledger import Ledger
from tests.chaos.load import Operator, Screen, Writer
from tests.chaos.stand import CHECKOUT, Stand, wait_for

REPORTERS: Final = ("wangge01", "wangge02", "zhibu01")
PER_SECOND: Final = 1.5
DESKS: Final = ("GS", "CS", "IC", "DP", "DC", "HU", "HU", "VF")
"""Roles of the operators; two of the same hold different posts."""
WATCHERS: Final = ("zhiban", "zhibu01", "shequ01")
ROWS_A_FILE: Final = 60
BETWEEN_FILES_S: Final = 12.0
IMPORT_TRIES: Final = 900
AT_WORK_WITHIN_S: Final = 300.0
MAPPING: Final = CHECKOUT / "deploy" / "import" / "pingshan.toml"


@dataclass(slots=True)
class Crowd:
    """All of them, with their ledgers. Build with `open_crowd`."""

    stand: Stand
    folder: Path
    seed: int
    reports: Ledger
    writers: list[Writer]
    operators: list[Operator]
    screens: list[Screen]
    ledgers: list[Ledger]
    imported: int = 0
    _files: int = field(default=0)

    @property
    def retries(self) -> int:
        """How often something had to be asked again."""
        return sum(one.retries for one in self.writers) + sum(one.retries for one in self.operators)

    def work(self, stop: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
        """What the workers do until asked to stop."""
        return [
            *(writer.run(stop=stop) for writer in self.writers),
            *(operator.run(stop) for operator in self.operators),
        ]

    async def at_work(self) -> None:
        """Wait until each kind of worker has done something."""

        async def begun() -> bool:
            return all(writer.sent for writer in self.writers) and any(one.done for one in self.operators)

        await wait_for("everybody at work", begun, AT_WORK_WITHIN_S)

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Screens follow the feed inside the block; then everybody goes home."""
        stop = asyncio.Event()
        tasks = [asyncio.create_task(screen.run(stop)) for screen in self.screens]
        try:
            yield
        finally:
            stop.set()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            people = [each.person for each in self.writers] + [each.person for each in self.operators]
            for person in [*people, *(each.person for each in self.screens)]:
                await person.close()
            for ledger in self.ledgers:
                ledger.close()
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def import_files(self, stop: asyncio.Event) -> int:
        """Import one file after another until asked to stop; answers the number of rows in them."""
        while not stop.is_set():
            file = self.folder / f"rows-{self.imported}.csv"
            write_rows(file, self.seed, self.imported)
            await self._until_imported(file)
            self.imported += ROWS_A_FILE
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), BETWEEN_FILES_S)
        return self.imported

    async def _until_imported(self, file: Path) -> None:
        """An import that is started again after each crash must end with every row there once."""
        words = ("import", str(file), "--mapping", str(MAPPING), "--clock", "now")
        for _ in range(IMPORT_TRIES):
            done = await asyncio.to_thread(self.stand.grid, *words, check=False)
            if done.returncode == 0:
                return
            await asyncio.sleep(1)
        raise AssertionError(f"the import never came through: {done.stderr[-1000:]}")


async def open_crowd(stand: Stand, folder: Path, seed: int, other_intake: int) -> Crowd:
    """Everybody signed in. Some reports go to intake's other process, at port `other_intake`."""
    reports, photos, acts = (Ledger(folder / f"{name}.jsonl") for name in ("reports", "photos", "deeds"))
    doors = ("", f"http://127.0.0.1:{other_intake}")
    writers = []
    for number, login in enumerate(REPORTERS):
        person = await stand.person(login)
        kinds, cells = await person.form()
        spots = [spot for cell in cells[:12] for spot in await person.places(cell)]
        writers.append(Writer(person, kinds, spots, reports, seed + number, PER_SECOND, photos, doors))
    operators = [
        Operator(await stand.person(login), account, acts, seed + 100 + number)
        for number, (login, account) in enumerate(await asyncio.to_thread(_operators, stand))
    ]
    screens = [Screen(await stand.person(login), seed + 200 + number) for number, login in enumerate(WATCHERS)]
    return Crowd(stand, folder, seed, reports, writers, operators, screens, [reports, photos, acts])


def _operators(stand: Stand) -> list[tuple[str, str]]:
    """Login and account of one person for each desk."""
    free = stand.accounts()
    chosen = []
    for role in DESKS:
        account = next(one for one in free if any(post["role"] == role for post in one["posts"]))
        free.remove(account)
        chosen.append((str(account["login"]), str(account["account_id"])))
    return chosen


def write_rows(file: Path, seed: int, first: int) -> None:
    """Rows of the mapping's shape, invented, numbered from `first`."""
    rng = random.Random(f"{seed} {first}")
    columns = [
        *("REC_ID", "REPORT_NUM", "CREATE_TIME", "DISTRICT_NAME", "DISTRICT_ID", "STREET_NAME", "STREET_ID"),
        *("COMMUNITY_NAME", "COMMUNITY_ID", "EVENT_TYPE_NAME", "EVENT_TYPE_ID", "MAIN_TYPE_NAME", "MAIN_TYPE_ID"),
        *("SUB_TYPE_NAME", "SUB_TYPE_ID", "DISPOSE_UNIT_NAME", "DISPOSE_UNIT_ID", "EVENT_SRC_NAME", "EVENT_SRC_ID"),
        *("OPERATE_NUM", "OVERTIME_ARCHIVE_NUM", "INTIME_TO_ARCHIVE_NUM", "INTIME_ARCHIVE_NUM"),
        *("EVENT_PROPERTY_NAME", "EVENT_PROPERTY_ID", "OCCUR_PLACE"),
    ]
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows(_row(rng, number) for number in range(first, first + ROWS_A_FILE))


def _row(rng: random.Random, number: int) -> list[object]:
    street, kind, unit = rng.randint(1, 4), rng.randint(1, 30), rng.randint(1, 9)
    at = f"2018-{rng.randint(2, 12):02d}-{rng.randint(1, 28):02d} 10:{rng.randint(0, 59):02d}:00"
    community = (f"{street}-{kind % 5}社区", 10_000 + street * 10 + kind % 5)
    return [
        *(90_000 + number, 1, at, "甲区", 1, f"{street}号街道", 100 + street, *community),
        *("市容", 5, "环境", 180, f"第{kind}类", 600 + kind, f"第{unit}单位", 1_500 + unit, "平台", 103),
        *(1, 0, 0, 1, "投诉", 2, "-"),
    ]
