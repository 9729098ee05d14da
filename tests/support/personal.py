"""Sentences as people of a street write them, with every name and number that must not leave marked in them.

Made, not collected: no line is anybody's. The generator is seeded, so every run measures the same sentences.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SEED: Final = 20261122
_PER_CLASS: Final = 60
_NEUTRAL: Final = 400


@dataclass(frozen=True, slots=True)
class Sentence:
    """`spans`: (class, start, end) of what must be hidden. Without spans nothing may be hidden."""

    text: str
    spans: tuple[tuple[str, int, int], ...] = ()
    own: tuple[str, ...] = ()


_SURNAMES: Final = (
    "王李张刘陈杨黄赵周吴徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟"
)
_GIVEN: Final = (
    *"伟芳娜敏静丽强磊军洋勇艳杰娟涛明超",
    *(
        "秀英",
        "桂兰",
        "建国",
        "志强",
        "海燕",
        "玉兰",
        "文杰",
        "晓东",
        "小红",
        "春梅",
        "国栋",
        "子涵",
        "家豪",
        "婉婷",
        "德胜",
        "丽华",
    ),
    *("俊杰", "雪梅"),
)
_DOUBLE: Final = ("欧阳静", "司徒健", "上官云", "诸葛平")
_PLACES: Final = (
    *(
        "阳光小区3栋2单元楼下",
        "东门路与南街路口",
        "菜市场后门",
        "北门社区广场",
        "滨江花园5号楼",
        "文化路12号门口",
        "老车站旁边",
    ),
    *("幼儿园对面", "凤城大道公交站", "桥头小卖部", "二小围墙外", "健身广场西侧", "向阳里7巷", "农贸市场东口"),
)
_MATTERS: Final = (
    *("垃圾堆了三天没人清", "路灯不亮", "井盖松动响个不停", "占道摆摊挡路", "违停堵住消防通道", "夜里施工吵得睡不着"),
    *("下水道堵了污水外溢", "树枝压到电线", "楼道堆放杂物", "有人乱贴小广告", "电动车飞线充电", "围墙开裂快倒了"),
    *("流浪狗追人", "楼上漏水没人管", "健身器材坏了", "公厕停水", "广场舞音响太大", "快递柜占了盲道"),
)
_ENDS: Final = ("，请尽快处理。", "，麻烦派人看看", "！", "，谢谢", "，急", "。", "，已经反映过两次了。", "")
_PROVINCES: Final = "粤京沪苏浙湘鄂桂赣闽川渝豫鲁"
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"


class _Maker:
    """Draws the parts; each method is one kind of thing."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)

    def one(self, of: Sequence[str]) -> str:
        return self.r.choice(of)

    def digits(self, count: int) -> str:
        return "".join(self.one("0123456789") for _ in range(count))

    def matter(self) -> str:
        return f"{self.one(_PLACES)}{self.one(_MATTERS)}"

    def name(self) -> str:
        return self.one(_DOUBLE) if self.r.random() < 0.04 else self.one(_SURNAMES) + self.one(_GIVEN)

    def mobile(self) -> str:
        head, middle, tail = "1" + self.one("356789") + self.digits(1), self.digits(4), self.digits(4)
        plain = head + middle + tail
        shapes: tuple[Callable[[], str], ...] = (
            *[lambda: plain] * 5,
            lambda: f"{head} {middle} {tail}",
            lambda: f"{head}-{middle}-{tail}",
            lambda: f"+86 {plain}",
            lambda: f"86-{plain}",
            lambda: f"{head}.{middle}.{tail}",
            lambda: f"{plain[:4]} {plain[4:7]} {plain[7:]}",
            lambda: " ".join(plain),
            lambda: plain.translate({ord(d): ord(d) + 0xFEE0 for d in "0123456789"}),
            lambda: plain.translate(dict(zip(map(ord, "0123456789"), "零一二三四五六七八九", strict=True))),
        )
        return self.r.choice(shapes)()

    def landline(self) -> str:
        area, number = self.one(("0763", "020", "010", "0755", "021")), self.digits(7)
        return self.one(
            (f"{area}-{number}", f"({area}){number}", f"{area}{number}", f"（{area}）{number}", f"{area} {number}")
        )

    def identity(self) -> str:
        day = f"19{self.digits(2)}0{self.one('123456789')}{self.r.randint(10, 28)}"
        whole = f"4418{self.digits(2)}{day}{self.digits(3)}{self.one('0123456789X')}"
        old = f"4418{self.digits(2)}{day[2:]}{self.digits(3)}"
        return self.one((whole, whole, whole, f"{whole[:6]} {whole[6:14]} {whole[14:]}", whole.lower(), old))

    def card(self) -> str:
        number = "62" + self.digits(17)
        return self.one((number, number[:16], " ".join(number[n : n + 4] for n in range(0, 19, 4))))

    def plate(self) -> str:
        place, letter = self.one(_PROVINCES), self.one(_LETTERS[:12])
        body = "".join(self.one(_LETTERS + "0123456789") for _ in range(4)) + self.one("0123456789")
        dot = self.one(("", "", "·", " ", "-"))
        shapes = (
            *(f"{place}{letter}{dot}{body}" for _ in range(4)),
            f"{place}{letter}{dot}{self.one('DF')}{self.digits(5)}",
            f"{place}{letter}{dot}{self.digits(5)}{self.one('DF')}",
            f"{place}{letter}{dot}{self.digits(4)}警",
            f"粤Z{dot}{self.digits(4)}{self.one('港澳')}",
            f"{place}{letter}{dot}{self.digits(4)}学",
            f"使{self.digits(6)}",
            f"WJ{place}{self.digits(5)}",
            f"{place}{letter}{body}".lower(),
        )
        return self.one(shapes)

    def mail(self) -> str:
        local = self.one(("wang.xm", "li_hong88", "chen2020", "a.b.c", "zhangsan")) + self.digits(1)
        site = self.one(("qq.com", "163.com", "example.com.cn", "mail.example.org"))
        return f"{local}{self.one(('@', '@', '＠'))}{site}"

    def chat(self) -> tuple[str, str]:
        account = self.one(("wxid_", "abc", "xm_", "lao-")) + self.digits(6)
        number = self.one("123456789") + self.digits(self.r.randint(5, 9))
        return self.r.choice(
            (
                ("微信", account),
                ("微信号：", account),
                ("加V信", account),
                ("QQ", number),
                ("QQ号是", number),
                ("扣扣", number),
            )
        )


_NAME_FRAMES: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "name after a label": (
        *(
            ("联系人：", "，"),
            ("姓名:", "，"),
            ("我叫", "，"),
            ("我叫", "住在附近，"),
            ("本人", "，"),
            ("报案人", "，"),
            ("业主", "反映，"),
        ),
        *(
            ("房东叫", "，"),
            ("户主是", "，"),
            ("当事人：", "。"),
            ("我是", "，"),
            ("经办人 ", "，"),
            ("投诉人", "说，"),
        ),
    ),
    "name with a title": (
        ("", "先生说"),
        ("", "女士来电，"),
        ("隔壁的", "师傅说，"),
        ("找", "老师问过，"),
        ("", "阿姨反映，"),
    ),
    "name before a phone number": (("", "13812345678，"), ("", " 电话13912345678，"), ("请联系 ", "，13712345678，")),
    "name in English": (
        ("My name is ", ", "),
        ("Contact: ", ". "),
        ("name: ", ", "),
        ("Mr. ", " says "),
        ("I am called ", ". "),
    ),
    "name without a hint": (
        ("昨天", "把车停在门口，"),
        ("是", "扔的垃圾，"),
        ("跟", "吵了一架，"),
        ("听", "讲，"),
        ("小区里", "家的狗，"),
    ),
}
"""The last one is the limit of what shape and neighbours can tell; it is measured so that the limit has a figure."""


def sentences(seed: int = SEED) -> Iterator[Sentence]:
    """The corpus: every class, and sentences in which nothing names a person."""
    m = _Maker(seed)
    numbers: Mapping[str, Callable[[], tuple[str, str]]] = {
        "mobile": lambda: (m.one(("联系电话", "电话：", "手机", "打", "请拨 ", "", "可致电", "tel ")), m.mobile()),
        "landline": lambda: (m.one(("电话", "座机：", "固话 ", "打")), m.landline()),
        "identity number": lambda: (m.one(("身份证", "身份证号：", "证件 ", "ID ", "")), m.identity()),
        "bank card": lambda: (m.one(("卡号", "银行卡：", "打到 ", "账号")), m.card()),
        "plate": lambda: (m.one(("车牌", "一辆", "车主开的", "号牌是", "看到")), m.plate()),
        "mail": lambda: (m.one(("邮箱", "写信 ", "email: ", "发到")), m.mail()),
        "chat account": m.chat,
    }
    for kind, made in numbers.items():
        for _ in range(_PER_CLASS):
            lead, value = made()
            yield _placed(m, kind, lead, value, m.one(("，", "。", " ", "；", "的")))
    for kind, frames in _NAME_FRAMES.items():
        for _ in range(_PER_CLASS):
            before, after = m.r.choice(frames)
            value = _name_for(m, kind, after)
            yield _placed(m, kind, before, value, after)
    for _ in range(_PER_CLASS):
        yield _own(m)
    for _ in range(_NEUTRAL):
        yield Sentence(_neutral(m))


def _name_for(m: _Maker, kind: str, after: str) -> str:
    if kind == "name in English":
        return m.one(("John Smith", "Li Ming", "Wang Xiaoming", "Anna Lee", "Peter"))
    if kind == "name with a title" and m.r.random() < 0.7:
        return m.one(_SURNAMES[:40])
    return m.name()


def _placed(m: _Maker, kind: str, lead: str, value: str, after: str) -> Sentence:
    """Before the matter or behind it."""
    if m.r.random() < 0.5:
        head = lead
        return Sentence(f"{head}{value}{after}{m.matter()}{m.one(_ENDS)}", ((kind, len(head), len(head) + len(value)),))
    head = f"{m.matter()}，{lead}"
    return Sentence(f"{head}{value}{after}{m.one(_ENDS)}", ((kind, len(head), len(head) + len(value)),))


def _own(m: _Maker) -> Sentence:
    """The reporter's own name or number, known from the vault, where nothing hints at it."""
    name, phone = m.name(), "1" + m.one("3589") + m.digits(9)
    value = m.one((name, phone, f"{phone[:2]} {phone[2:6]} {phone[6:]}"))
    head = f"{m.matter()}，昨天"
    return Sentence(
        f"{head}{value}已经说过",
        (("the reporter's own, from the vault", len(head), len(head) + len(value)),),
        (name, phone),
    )


def _neutral(m: _Maker) -> str:
    """What looks like it and is not: house numbers, times, sums, public numbers, words that are surnames too."""
    return m.one(_TRAPS).format(m=m.matter(), n=m.r.randint(2, 99), h=m.r.randint(1, 23), k=m.digits(3)) + m.one(_ENDS)


_TRAPS: Final = (
    *(
        "{m}",
        "{m}，{n}号楼{n}单元{k}室也一样",
        "{m}，从11月{h}日晚上{h}点开始",
        "2026-11-{h}发现{m}",
        "{m}，大约{n}米长",
    ),
    *(
        "{m}，已打过12345和110",
        "{m}，罚款{n}00元",
        "第10{k}号井盖，{m}",
        "{m}，停了{n}辆车",
        "{h}:30左右{m}",
        "{m}，{n}0平方米",
    ),
    *(
        "高层住户都说{m}",
        "{m}，向社区反映过",
        "{m}，和物业说了",
        "方便的话看一下，{m}",
        "{m}，平时没人管",
        "石板路上{m}",
        "白天还好，晚上{m}",
    ),
    *(
        "{m}，金属栏杆断了",
        "{m}，车主不在",
        "{m}，黄线内停车",
        "{m}，万一伤人",
        "回执R20261122-000{k}，{m}",
        "20261122发现{m}",
    ),
    *(
        "{m}，G{k}路公交站",
        "{m}，{n}1弄{n}号",
        "我是这里的住户，{m}",
        "本人住附近，{m}",
        "{m}，时间2026年11月{h}日{h}时",
        "{m}，花了1500000元",
    ),
    *(
        "{m}，请联系物业",
        "{m}，电话打不通",
        "{m}，联系人不在",
        "{m}，老师傅们都知道",
        "{m}，业主群里有人说",
        "{m}，房东不管",
        "{m}，QQ群里有照片",
    ),
    *(
        "{m}，微信群里说过",
        "{m}，坐标113.06,23.69",
        "{m}，宽2.5米高1.8米",
        "{m}，今天零下三度",
        "{m}，一二三楼都漏",
        "京东仓库门口{m}",
        "{m}，苏A区",
    ),
    *(
        "{m}，向主任反映过",
        "{m}，和老板说了",
        "{m}，找过物业经理",
        "{m}，周边商户意见大",
        "{m}，派出所警官来过",
        "{m}，请书记看看",
        "{m}，叫了师傅没来",
    ),
)
