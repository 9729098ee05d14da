"""Very many cases with what is said of them, made by COPY: three years of one street, a tenth of them still open.

The generator is seeded: the same seed and count give the same rows, but for the moment they are made at. Some words
stand in every seventh case, others in one of a hundred thousand.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import psycopg
from psycopg import sql

from services.dispatch.store.search_rows import Said, row_of
from tests.bench.many_cases import copy_line, kinds_of, stored_row
from tests.support.governance import STREET

SEED = 20261123
SPAN = timedelta(days=3 * 365)
COMMUNITIES, GRIDS = 25, 4  # of a street, of a community
OPEN_SHARE = 0.1
_UNITS = ("执法队", "环卫所", "应急办", "市政所", "园林所", "派出所", "市监所", "供电所")
_WHAT = ("垃圾堆放", "井盖松动", "占道经营", "路灯不亮", "污水外溢", "噪音扰民", "违章停车", "树枝断落", "墙皮脱落")
_MORE = ("没人清理", "味道很大", "影响通行", "老人摔倒", "多次反映", "有安全隐患", "请尽快处理", "昨晚就这样了")
_ROADS: tuple[str, ...] = ("云溪", "北门", "鸣翠", "临江", "建设", "人民", "解放", "团结", "和平", "青年")
_ROADS += ("滨河", "西山", "南塘", "东湖", "文昌", "学府", "站前", "环城", "工业", "兴业")
_CHARS = "福祥瑞安康泰和兴隆盛源丰华宏达恒信诚美佳乐欢悦馨雅静秀丽芳兰梅竹菊松柏林森江河湖海天地日月星辰金银铜铁"


class Speech:
    """What people write."""

    def __init__(self, seed: int = SEED) -> None:
        self.dice = random.Random(seed)

    def place(self) -> str:
        dice = self.dice
        return f"{dice.choice(_ROADS)}{dice.choice(('路', '街', '大道'))}{dice.randrange(1, 400)}号"

    def shop(self) -> str:
        return "".join(self.dice.choices(_CHARS, k=3)) + self.dice.choice(("便利店", "饭店", "花苑", "超市"))

    def text(self) -> str:
        dice = self.dice
        return f"{self.shop()}门口{dice.choice(_WHAT)}，{dice.choice(_MORE)}，{dice.choice(_MORE)}"


def fill(database_url: str, count: int, now: datetime) -> None:
    """So many cases and their search rows. `now`: the database's."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP INDEX dispatch.ix_search_rows_keys")
        first = stored_row(next(iter(kinds_of(now))))
        _copy(connection, "cases", list(first), _cases(count, now))
        _copy(connection, "search_rows", ["case_id", "opened_at", "words", "open_words", "keys"], _words(count, now))
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute(
            "CREATE INDEX ix_search_rows_keys ON dispatch.search_rows USING gin (keys) WITH (fastupdate = off)"
        )
        connection.execute("VACUUM (ANALYZE) dispatch.cases")
        connection.execute("VACUUM (ANALYZE) dispatch.search_rows")


def _copy(connection: psycopg.Connection[Any], table: str, columns: list[str], rows: Iterator[str]) -> None:
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier("dispatch", table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write(row)


def grid_of(number: int) -> str:
    """The grid of a case."""
    return f"{community_of(number)}{number // COMMUNITIES % GRIDS + 1:02d}"


def community_of(number: int) -> str:
    return f"{STREET}{number % COMMUNITIES + 1:03d}"


def unit_of(number: int) -> str:
    return f"unit{number % 97 % len(_UNITS)}"


def number_of(number: int, opened: datetime) -> str:
    return f"FC-{opened:%Y%m%d}-{number % 100_000:05d}"


def opened_of(number: int, count: int, now: datetime) -> datetime:
    return now - SPAN * (1 - (number + 1) / (count + 1))


@cache
def seen_of(number: int) -> frozenset[str]:
    grid, community, unit = grid_of(number), community_of(number), unit_of(number)
    return frozenset({f"s:{STREET}", f"c:{community}", f"g:{grid}", f"u:{unit}", f"p:person{number % 60}"})


def _cases(count: int, now: datetime) -> Iterator[str]:
    rows = [stored_row(case) for case in kinds_of(now)]
    for number in range(count):
        row, opened = rows[number % len(rows)], opened_of(number, count, now)
        live = number >= count * (1 - OPEN_SHARE)
        own = {
            "id": f"01900000-0000-7000-8000-{number:012x}",
            "case_no": number_of(number, opened),
            "opened_at": opened,
            "community": community_of(number),
            "grid": grid_of(number),
            "lead_unit": unit_of(number),
            "live": live,
            "state": row["state"] if live else "archived",
            "restricted": number % 211 == 0,
            "audience": sorted({*seen_of(number % 60_000), "s:*"}),
        }
        yield copy_line({**row, **own})


def _words(count: int, now: datetime) -> Iterator[str]:
    speech = Speech()
    for number in range(count):
        opened = opened_of(number, count, now)
        head = (
            number_of(number, opened),
            f"R{number:06d}",
            f"第{number % COMMUNITIES + 1}社区",
            _UNITS[number % 97 % 8],
        )
        case_id = f"01900000-0000-7000-8000-{number:012x}"
        said = Said(case_id, opened, head, (speech.place(), speech.text()), seen_of(number % 60_000))
        yield copy_line(row_of(said))
