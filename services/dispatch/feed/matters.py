"""What people on a street report, in their own words. Invented; one pool of sentences for each of the eight tiles."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SENTENCES: Final[Mapping[str, tuple[str, ...]]] = {
    "litter": (
        "{place}垃圾桶满了没人清，袋子堆到路边",
        "{place}有人乱倒装修垃圾，已经两天",
        "{place}路面撒了一地菜叶，味道大",
        "{place}绿化带里很多塑料袋和饭盒",
        "{place}墙角有积存杂物，下雨发臭",
    ),
    "road": (
        "{place}人行道地砖翘起，老人差点绊倒",
        "{place}路面坑洼积水，电动车难走",
        "{place}井盖松动，车一过就响",
        "{place}雨水箅子堵了，水排不下去",
        "{place}路沿石缺了一块",
    ),
    "light": (
        "{place}路灯三盏不亮，晚上很黑",
        "{place}路灯白天也亮着",
        "{place}灯杆倾斜，看着不稳",
        "{place}楼道口的灯一闪一闪",
    ),
    "stall": (
        "{place}水果摊占了半条人行道",
        "{place}烧烤摊油烟大，开到半夜",
        "{place}店铺把桌椅摆到门外",
        "{place}流动摊贩堵住路口",
        "{place}音响叫卖声音太大",
    ),
    "parking": (
        "{place}电动车停满盲道",
        "{place}共享单车倒了一片",
        "{place}小车停在消防通道口",
        "{place}货车长期占着路边",
    ),
    "construction": (
        "{place}工地晚上还在打桩",
        "{place}围挡破了一个口子，里面看得见深坑",
        "{place}施工扬尘大，没有洒水",
        "{place}渣土车带泥上路",
    ),
    "danger": (
        "{place}电线垂下来，伸手能碰到",
        "{place}外墙瓷砖掉下来一大块",
        "{place}水管爆了，水漫到路上",
        "{place}楼道里给电动车充电，拉了飞线",
    ),
    "dispute": (
        "{place}上下楼因为漏水吵了几次",
        "{place}邻居在楼道堆东西，劝了不听",
        "{place}独居老人两天没出门，请帮忙看看",
        "{place}物业电梯坏了三天没修",
    ),
}

WEIGHTS: Final[Mapping[str, int]] = {
    "litter": 30,
    "road": 16,
    "light": 9,
    "stall": 14,
    "parking": 16,
    "construction": 6,
    "danger": 3,
    "dispute": 6,
}

LANDMARKS: Final = ("东门北侧20米", "公交站旁", "垃圾房对面", "小超市门口", "二号门岗边", "宣传栏前", "")
DANGER_SHARE: Final = 0.4
UNSURE_SHARE: Final = 0.06
ON_THE_SPOT_SHARE: Final = 0.12
WITHOUT_PIN_SHARE: Final = 0.25
SPOT_NOTES: Final = ("当场清理完毕", "已劝离，现场恢复", "和店家说好，已收进店内", "帮忙扶正摆齐")


@dataclass(frozen=True, slots=True)
class Kind:
    """A class that the form offers."""

    scheme: str
    version: str
    code: str
    tile: str


@dataclass(frozen=True, slots=True)
class Spot:
    """A named place of the street."""

    name: str
    cell: str
    lng: float
    lat: float


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing seen: where, what, in which words."""

    spot: Spot
    kind: Kind | None
    text: str
    landmark: str
    danger: bool
    pin: tuple[float, float] | None
    done_with: tuple[str, str] | None  # (管扫劝帮, one line)


def draw_matter(rng: random.Random, kinds: Sequence[Kind], spots: Sequence[Spot]) -> Matter:
    """One matter. Raises ValueError when the street has no classes or no places."""
    if not kinds or not spots:
        raise ValueError("a street without classes or named places has nothing to report")
    tiles = sorted({kind.tile for kind in kinds} & set(SENTENCES))
    tile = rng.choices(tiles, [WEIGHTS[one] for one in tiles])[0]
    spot = rng.choice(spots)
    danger = tile == "danger" and rng.random() < DANGER_SHARE
    unsure = rng.random() < UNSURE_SHARE
    return Matter(
        spot=spot,
        kind=None if unsure else rng.choice([kind for kind in kinds if kind.tile == tile]),
        text=rng.choice(SENTENCES[tile]).format(place=spot.name),
        landmark=rng.choice(LANDMARKS),
        danger=danger,
        pin=None if rng.random() < WITHOUT_PIN_SHARE else _near(rng, spot),
        done_with=_on_the_spot(rng, tile, danger=danger),
    )


def _near(rng: random.Random, spot: Spot) -> tuple[float, float]:
    """Within some ten metres of the place: a phone's fix is never exact."""
    return round(spot.lng + rng.gauss(0, 5e-5), 7), round(spot.lat + rng.gauss(0, 5e-5), 7)


def _on_the_spot(rng: random.Random, tile: str, *, danger: bool) -> tuple[str, str] | None:
    acts = {"litter": "sao", "stall": "quan", "parking": "bang"}
    if danger or tile not in acts or rng.random() >= ON_THE_SPOT_SHARE:
        return None
    return acts[tile], rng.choice(SPOT_NOTES)
