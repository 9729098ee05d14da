"""What people on a street report, in their own words. Invented; a pool of sentences for each class."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SENTENCES: Final[Mapping[str, tuple[str, ...]]] = {
    "P0101": ("{place}上水井盖松动，车一过就响", "{place}井盖边缘开裂"),
    "P0102": ("{place}污水井盖翘起一角，有味道", "{place}污水井往外冒水"),
    "P0103": ("{place}雨水井盖移位，行人要绕开",),
    "P0104": ("{place}雨水箅子堵了，水排不下去", "{place}雨水箅子断了两根"),
    "P0111": ("{place}燃气井盖下沉，和路面不平",),
    "P0123": ("{place}有个井盖没有标识，边上塌了一圈",),
    "P0137": ("{place}路灯三盏不亮，晚上很黑", "{place}路灯白天也亮着", "{place}灯杆倾斜，看着不稳"),
    "P0146": ("{place}健身器材螺丝松了，孩子还在玩",),
    "P0301": ("{place}公厕地面积水，没有纸",),
    "P0305": ("{place}垃圾箱满了没人清，袋子堆到路边", "{place}果皮箱门坏了"),
    "P0402": ("{place}行道树枝压到电线", "{place}一棵树倒在路边"),
    "P0407": ("{place}座椅木条断了，钉子露在外面",),
    "0101": ("{place}楼顶在搭铁皮房", "{place}一楼院子往外扩建"),
    "0105": ("{place}临街阳台堆满纸箱",),
    "0107": ("{place}沿街拉绳子晒被子",),
    "0110": ("{place}垃圾袋堆在路边，狗在翻", "{place}墙角有暴露垃圾，味道大"),
    "0111": ("{place}有人倒装修垃圾，已经两天",),
    "0112": ("{place}路面全是落叶和烟头",),
    "0113": ("{place}人行道地砖翘起，老人差点绊倒", "{place}路面坑洼，电动车难走"),
    "0114": ("{place}路面撒了一地沙土",),
    "0117": ("{place}绿化带里很多塑料袋和饭盒",),
    "0120": ("{place}有人烧树叶，烟很大",),
    "0125": ("{place}河边漂着泡沫箱",),
    "0128": ("{place}音响叫卖声音太大",),
    "0129": ("{place}烧烤摊油烟大，开到半夜",),
    "0130": ("{place}餐馆往雨水口倒泔水",),
    "0136": ("{place}门前堆了建材，占了半边路",),
    "0137": ("{place}路边有死猫",),
    "0201": ("{place}墙上贴满小广告", "{place}有人往车上插卡片"),
    "0203": ("{place}新挂了一块大广告，没有批准",),
    "0206": ("{place}招牌松了，风一吹就晃",),
    "0301": ("{place}工地晚上还在打桩",),
    "0302": ("{place}施工材料占了人行道",),
    "0304": ("{place}施工扬尘大，没有洒水",),
    "0307": ("{place}围挡破了一个口子，里面看得见深坑",),
    "0401": ("{place}流动摊贩堵住路口",),
    "0405": ("{place}店铺把桌椅摆到门外", "{place}水果店的筐摆到盲道上"),
    "0406": ("{place}水果摊占了半条人行道",),
    "0409": ("{place}货车长期占着路边", "{place}小车停在人行道上"),
    "0410": ("{place}电动车停满盲道", "{place}共享单车倒了一片"),
    "0501": ("{place}水管爆了，水漫到路上",),
    "0502": ("{place}闻到很重的燃气味",),
    "0503": ("{place}下水道堵了，污水流到路面",),
    "0505": ("{place}路面塌了一个洞",),
    "0506": ("{place}积水过脚面，车熄火了",),
    "0508": ("{place}电线垂下来，伸手能碰到",),
    "2101": ("{place}上下楼因为漏水吵了几次", "{place}邻居在楼道堆东西，劝了不听"),
    "2102": ("{place}物业和住户因为停车费争执",),
    "2103": ("{place}几个工人说工资没结清",),
    "2201": ("{place}小车停在消防通道口",),
    "2202": ("{place}楼道里给电动车充电，拉了飞线",),
    "2203": ("{place}外墙瓷砖掉下来一大块",),
    "2204": ("{place}电梯停在三楼不动，里面没人",),
    "2301": ("{place}独居老人两天没出门，请帮忙看看",),
    "2302": ("{place}残疾住户轮椅下不了楼，请帮忙",),
    "2601": ("{place}电梯坏了三天，物业没有回音",),
}
"""By code. What is missing here people do not report by habit."""

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
DANGER_SHARE: Final = 0.3
DANGEROUS: Final = frozenset({"P0103", "0502", "0505", "0508", "2203", "P0402"})
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
    if not any(kind.code in SENTENCES for kind in kinds) or not spots:
        raise ValueError("a street without classes or named places has nothing to report")
    told = [kind for kind in kinds if kind.code in SENTENCES]
    tiles = sorted({kind.tile for kind in told})
    tile = rng.choices(tiles, [WEIGHTS[one] for one in tiles])[0]
    kind = rng.choice([one for one in told if one.tile == tile])
    spot = rng.choice(spots)
    danger = kind.code in DANGEROUS and rng.random() < DANGER_SHARE
    unsure = rng.random() < UNSURE_SHARE
    return Matter(
        spot=spot,
        kind=None if unsure else kind,
        text=rng.choice(SENTENCES[kind.code]).format(place=spot.name),
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
