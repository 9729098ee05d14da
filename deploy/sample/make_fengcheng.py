"""Makes the files of the sample street in `fengcheng/`: the same seed gives the same street. Everything is made up.

Run `python deploy/sample/make_fengcheng.py` after changing it and commit what it wrote. Areas are a bent lattice:
neighbours share their corners and edge points exactly, so cells tile the street without gap or overlap.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shapely.geometry import Polygon
from shapely.ops import unary_union

SEED = 20260101
STREET = "441802001"
WEST, SOUTH = 113.0420, 23.6790
COLUMNS, ROWS = 9, 5
STEP_LNG, STEP_LAT = 0.0044, 0.0047  # about 450 m by 520 m
GRIDS = {
    ("001", "云溪社区"): (3, 3, 2, 2, 2),
    ("002", "锦岚社区"): (3, 3, 2, 2),
    ("003", "和源社区"): (3, 3, 2, 2, 2),
    ("004", "凤鸣社区"): (3, 3, 3, 2),
}
NUMERALS = "一二三四五六七八九十"
SINCE = "2024-01-01T00:00:00+08:00"
FIRST_WORDS = "鸣听望栖拾枕揽浣观映漱寻问倚涵"
LAST_WORDS = "翠星光"
SHOPS = ("便民超市", "文具店", "早餐铺", "洗衣房", "药房", "幼儿园", "家电维修部", "活动中心")
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"

Point = tuple[float, float]


@dataclass(frozen=True)
class Cell:
    """One quadrilateral of the lattice with its codes."""

    code: str
    name: str
    grid: str
    community: str
    ring: tuple[Point, ...]


@dataclass(frozen=True)
class Grid:
    code: str
    name: str
    community: str
    branch: str


# --- areas ---------------------------------------------------------------------------------------------------------
class Lattice:
    """Corners and edge points, each made once, so that two neighbours have the very same numbers."""

    def __init__(self, dice: random.Random) -> None:
        self._corners = {
            (column, row): _bent(dice, WEST + column * STEP_LNG, SOUTH + row * STEP_LAT, 0.22)
            for row in range(ROWS + 1)
            for column in range(COLUMNS + 1)
        }
        self._middles: dict[tuple[Point, Point], Point] = {}
        self._dice = dice

    def ring(self, column: int, row: int) -> tuple[Point, ...]:
        """Closed, counter-clockwise."""
        at = ((column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1))
        corners = [self._corners[key] for key in at]
        ring: list[Point] = []
        for here, there in zip(corners, corners[1:] + corners[:1], strict=True):
            ring += [here, self._middle(here, there)]
        return (*ring, ring[0])

    def _middle(self, a: Point, b: Point) -> Point:
        key = (min(a, b), max(a, b))
        if key not in self._middles:
            self._middles[key] = _bent(self._dice, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2, 0.07)
        return self._middles[key]


def _bent(dice: random.Random, lng: float, lat: float, share: float) -> Point:
    return (
        round(lng + dice.uniform(-share, share) * STEP_LNG, 6),
        round(lat + dice.uniform(-share, share) * STEP_LAT, 6),
    )


def areas(dice: random.Random) -> tuple[list[Grid], list[Cell]]:
    """A snake through the lattice, cut into communities and these into grids, keeps every area in one piece."""
    lattice = Lattice(dice)
    snake = [(c, r if c % 2 == 0 else ROWS - 1 - r) for c in range(COLUMNS) for r in range(ROWS)]
    grids: list[Grid] = []
    cells: list[Cell] = []
    for (number, name), sizes in GRIDS.items():
        community = STREET + number
        mine = [snake.pop(0) for _ in range(sum(sizes))]
        # numbered from left to right and top to bottom, as the field does
        order = {at: n for n, at in enumerate(sorted(mine, key=lambda at: (-at[1], at[0])), start=1)}
        for index, size in enumerate(sizes):
            grid = f"{community}{index + 1:02d}"
            short = name.removesuffix("社区")
            grids.append(
                Grid(grid, f"{short}第{NUMERALS[index]}网格", community, f"{short}第{NUMERALS[index]}网格党支部")
            )
            for column, row in [mine.pop(0) for _ in range(size)]:
                n = order[column, row]
                ring = lattice.ring(column, row)
                cells.append(Cell(f"{community}{n:03d}", f"{short}{n:03d}单元", grid, community, ring))
    return grids, sorted(cells, key=lambda cell: cell.code)


# --- places --------------------------------------------------------------------------------------------------------
def places(dice: random.Random, cells: Sequence[Cell]) -> Iterable[tuple[str, str, str, str, float, float]]:
    """Eight names a cell, each with a point inside it."""
    words = [first + last for last in LAST_WORDS for first in FIRST_WORDS]
    for index, cell in enumerate(cells):
        word, other = words[index], words[(index + 1) % len(words)]
        number = dice.randrange(1, 60)
        named = (
            (f"{word}花苑", "小区"),
            (f"{word}花苑{dice.randrange(1, 6)}栋", "楼栋"),
            (f"{word}花苑{dice.randrange(6, 12)}栋", "楼栋"),
            (f"{word}巷", "街巷"),
            (f"{word}巷{number}号", "门牌"),
            (f"{word}巷{number + dice.randrange(1, 30)}号", "门牌"),
            (f"{word}{SHOPS[index % len(SHOPS)]}", "单位"),
            (f"{word}巷与{other}路路口", "路口"),
        )
        for n, (name, kind) in enumerate(named, start=1):
            lng, lat = _inside(dice, cell.ring)
            yield f"{cell.code}-{n:02d}", name, kind, cell.code, lng, lat


def _inside(dice: random.Random, ring: Sequence[Point]) -> Point:
    """Somewhere between the middle and an edge point, well inside a star-shaped cell."""
    lng = sum(p[0] for p in ring[:-1]) / (len(ring) - 1)
    lat = sum(p[1] for p in ring[:-1]) / (len(ring) - 1)
    towards = ring[dice.randrange(len(ring) - 1)]
    share = dice.uniform(0.05, 0.7)
    return round(lng + (towards[0] - lng) * share, 6), round(lat + (towards[1] - lat) * share, 6)


# --- units and people ----------------------------------------------------------------------------------------------
UNITS = (
    ("zhifadui", "综合行政执法队", "station", STREET),
    ("chengguanban", "城市管理办公室", "office", STREET),
    ("yingjiban", "应急管理办公室", "office", STREET),
    ("zongzhi", "综合治理中心", "office", STREET),
    ("gongfuban", "公共服务办公室", "office", STREET),
    ("sifasuo", "司法所", "station", STREET),
    ("paichusuo", "派出所", "station", STREET),
    ("shijiansuo", "市场监督管理所", "station", STREET),
    ("gongdiansuo", "供电所", "utility", STREET),
    ("shuiwu", "凤水供水排水公司", "utility", STREET),
    ("ranqi", "凤燃燃气公司", "utility", STREET),
    ("huanwei", "凤洁环卫公司", "contractor", STREET),
    ("yuanlin", "凤林园林养护公司", "contractor", STREET),
    ("ludeng", "路灯养护所", "utility", STREET),
    ("wuye-yunxi", "云溪物业公司", "property", STREET + "001"),
    ("wuye-jinlan", "锦岚物业公司", "property", STREET + "002"),
    ("wuye-heyuan", "和源物业公司", "property", STREET + "003"),
    ("chengyuan-xuexiao", "凤城街道示范学校（兼职委员单位）", "member", STREET),
    ("chengyuan-yinhang", "凤城惠民银行（兼职委员单位）", "member", STREET),
    ("qu-chengguan", "区城市管理局", "district", ""),
    ("qu-zhujian", "区住房城乡建设局", "district", ""),
    ("qu-jiaotong", "区交通运输局", "district", ""),
)
STREET_POSTS = (
    ("shouli", (("IC", "受理员"), ("DP", "派遣员"))),
    ("shouli02", (("IC", "受理员"),)),
    ("paiqian", (("DP", "派遣员"),)),
    ("zhiban", (("DC", "值班长（白班）"),)),
    ("zhiban02", (("DC", "值班长（夜班）"),)),
    ("lingdao", (("SL", "分管领导"),)),
    ("lingdao02", (("SL", "带班领导"),)),
    ("lingdao03", (("SL", "街道领导"),)),
    ("lingdao04", (("SL", "党工委书记"),)),
    ("hecha", (("VF", "核查员"),)),
    ("hecha02", (("VF", "回访员"),)),
    ("gongwei", (("SC", "街道大工委秘书"),)),
    ("quji", (("DI", "区级平台值班员"),)),
    ("pingjia", (("EV", "评价员"),)),
    ("admin", (("AD", "系统管理员"),)),
    ("audit", (("AU", "审计员"),)),
    ("jumin01", (("RP", "居民"),)),
)
STREET_DUTIES = (
    ("duty_chief_day", "zhiban"),
    ("duty_chief_night", "zhiban02"),
    ("leader_in_charge", "lingdao"),
    ("duty_leader", "lingdao02"),
)


class People:
    """Posts and the roster 定格定岗定人定责, in the order they are made."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, str, str, str, str, str, str]] = []
        self.roster: list[tuple[str, str, str, str]] = []
        self._names: dict[str, str] = {}
        self._numbers: dict[str, str] = {}

    def post(self, login: str, role: str, area: str, unit: str, label: str) -> None:
        """A post; the person is made at the first. 示 (sample) in the name says that nobody is meant."""
        n = len(self._names)
        made = SURNAMES[n % len(SURNAMES)] + "示" + NUMERALS[n // len(SURNAMES)]
        number = "" if role == "RP" else self._numbers.setdefault(login, f"FC{len(self._numbers) + 1:03d}")
        self.posts.append((login, self._names.setdefault(login, made), role, area, unit, label, number))

    def duty(self, area: str, duty: str, login: str, branch: str = "") -> None:
        self.roster.append((area, duty, login, branch))


def people(grids: Sequence[Grid]) -> People:
    """Everybody of the street: branch secretary, worker and B角 of each grid, communities, the street, units."""
    all_ = People()
    for n, grid in enumerate(grids, start=1):
        for prefix, role, duty, label in (
            ("wangge", "GW", "worker", "网格员"),
            ("zhibu", "GS", "secretary", "网格党支部书记"),
            ("bjiao", "GW", "deputy", "网格员（B角）"),
        ):
            login = f"{prefix}{n:02d}"
            all_.post(login, role, grid.code, "", grid.name.removesuffix("网格") + label)
            all_.duty(grid.code, duty, login, grid.branch)
    for n, (number, name) in enumerate(GRIDS, start=1):
        login = f"shequ{n:02d}"
        all_.post(login, "CS", STREET + number, "", f"{name}大党委书记")
        all_.duty(STREET + number, "secretary", login, f"{name}大党委")
        all_.duty(STREET + number, "liaison_leader", "lingdao" if n == 1 else f"lingdao{n:02d}")
    for login, posts in STREET_POSTS:
        for role, label in posts:
            all_.post(login, role, "", "", label)
    for duty, login in STREET_DUTIES:
        all_.duty(STREET, duty, login)
    for code, name, kind, _ in UNITS:
        role = {"member": "MU", "district": "DI"}.get(kind, "HU")
        all_.post(code, role, "", code, f"{name}经办人")
    return all_


# --- files ---------------------------------------------------------------------------------------------------------
def _csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _geojson(path: Path, features: Iterable[tuple[dict[str, str], dict[str, Any]]]) -> None:
    rows = [{"type": "Feature", "properties": names, "geometry": shape} for names, shape in features]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n', encoding="utf-8")


def _cell_features(cells: Sequence[Cell]) -> Iterable[tuple[dict[str, str], dict[str, Any]]]:
    for cell in cells:
        yield {"code": cell.code, "name": cell.name, "grid": cell.grid}, _polygon(cell.ring)


def _grid_features(grids: Sequence[Grid], cells: Sequence[Cell]) -> Iterable[tuple[dict[str, str], dict[str, Any]]]:
    for grid in grids:
        outline = unary_union([Polygon(cell.ring) for cell in cells if cell.grid == grid.code])
        names = {"code": grid.code, "name": grid.name, "community": grid.community}
        yield names, _polygon(outline.exterior.coords)


def _polygon(ring: Iterable[Sequence[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(point) for point in ring]]}


def _street(path: Path) -> None:
    centre = (round(WEST + COLUMNS * STEP_LNG / 2, 4), round(SOUTH + ROWS * STEP_LAT / 2, 4))
    communities = "".join(f'\n[[communities]]\ncode = "{STREET}{number}"\nname = "{name}"\n' for number, name in GRIDS)
    path.write_text(
        "# 凤城街道, the sample street. Areas, places, units and people are made up; see ../make_fengcheng.py.\n"
        f'code = "{STREET}"\nname = "凤城街道"\ndistrict = "示例区"\ncity = "示例市"\nsample = true\n'
        f"since = {SINCE} # everybody holds his post since then\n"
        f"centre = {{ lng = {centre[0]}, lat = {centre[1]} }}\n"
        'rulebook = "../../rulebooks/fengcheng.toml"\ncalendars = "../../rulebooks/calendars"\n'
        'password = "fengcheng-2026" # of every sample account; only a sample street may have one\n'
        f"{communities}",
        encoding="utf-8",
    )


def main(folder: Path) -> None:
    """Write every file of the street into `folder`."""
    dice = random.Random(SEED)  # noqa: S311 - a seeded street, no secret
    folder.mkdir(parents=True, exist_ok=True)
    grids, cells = areas(dice)
    everybody = people(grids)
    _street(folder / "street.toml")
    _geojson(folder / "grids.geojson", _grid_features(grids, cells))
    _geojson(folder / "cells.geojson", _cell_features(cells))
    _csv(folder / "places.csv", ("id", "name", "kind", "cell", "lng", "lat"), places(dice, cells))
    _csv(folder / "units.csv", ("code", "name", "kind", "area"), UNITS)
    _csv(folder / "people.csv", ("login", "name", "role", "area", "unit", "label", "work_no"), everybody.posts)
    _csv(folder / "roster.csv", ("area", "duty", "login", "branch"), everybody.roster)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "fengcheng")
