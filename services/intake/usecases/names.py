"""Names of people in running words: only where the words around them say that a name stands there.

A surname alone proves nothing (高 is tall, 石 is stone), so a name counts after a label
(联系人：, 我叫), before a title (先生, 师傅), or right before a phone number. What is taken for a name in vain, and
which names are missed, is measured beside the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

Span = tuple[int, int]

_SURE: Final = (
    "王李张刘陈杨赵吴周徐孙朱胡郭何林罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田姜范"
    "姚谭廖邹熊陆郝孔崔康邱秦江顾侯邵孟龙雷钱汤尹黎贺赖龚樊兰殷施陶洪翟颜倪严牛芦季俞章鲁葛韦毛聂焦祝霍甘欧"
    "岳耿庄涂麦冼邝莫卓游闫柯詹蓝凌靳裴覃滕缪佘"
)
"""Surnames that are hardly ever anything else before a title."""
_ALSO: Final = "马黄高白万段钱汤武史安常乔文方石金温梅盛成单古辛车路关向和于时任应解连代项全左边房鲍祁骆沙巩桑管卜辜"
"""Surnames that are everyday words as well: they count after a label or with a given name before a title."""
_VERBS: Final = "向和于时任应解连代关全单成从"
"""Of these, what so often stands before a title (向主任反映) that it counts with a given name alone."""
_BARE: Final = "".join(sign for sign in _ALSO if sign not in _VERBS)
_DOUBLE: Final = "欧阳|司马|上官|诸葛|司徒|东方|皇甫|尉迟|公孙|慕容|令狐|夏侯|端木|南宫|百里"
_HAN: Final = "\u4e00-\u9fff"
_ENDS: Final = "的在住说是和与跟及把被给让向对从到有没来去也都就不今昨已电手联反投家们等将经要请因为至打称"
"""Words that follow a name and are hardly ever part of one."""
_TITLE: Final = (
    "先生|女士|小姐|太太|夫人|同志|师傅|老师(?!傅)|医生|大夫|老板|经理|阿姨|大妈|大娘|大爷|大伯|大叔|叔叔|伯伯|奶奶|爷爷|婆婆|"
    "大哥|大姐|大嫂|阿婆|阿公|阿伯|主任|书记|队长|警官|律师|某某|某"
)
_SURNAME: Final = rf"(?:{_DOUBLE}|[{_SURE}{_ALSO}])"
_LABEL: Final = (
    "(?:联系人|姓名|名字|报案人|举报人|反映人|上报人|报料人|投诉人|来电人|来访人|求助人|当事人|申请人|户主|业主|租户|租客|房东|"
    "房主|车主|机主|店主|商户|负责人|经办人|监护人|家属|伤者|死者|老人|患者|住户|收件人|紧急联系人)"
)
_FULL: Final = rf"(?:[{_HAN}]{{1,6}}·[{_HAN}]{{1,6}}|(?:{_DOUBLE})[{_HAN}]{{1,2}}|[{_SURE}{_ALSO}][{_HAN}]{{1,2}})"
_STOP: Final = rf"(?=$|[^{_HAN}]|[{_ENDS}])"

_AFTER_LABEL: Final = re.compile(rf"{_LABEL}(?:名字|姓名)?(?:[:：]|是|为|叫|系)[ ]?({_FULL})")
_BESIDE_LABEL: Final = re.compile(rf"{_LABEL}[ ]?({_FULL}){_STOP}")
_CALLED: Final = re.compile(rf"(?:我叫|名叫|叫做|叫作|本人叫|本人姓名|名字叫|姓名叫|我名叫)[:： ]?(?:是)?({_FULL})")
_I_AM: Final = re.compile(
    rf"(?:我是|本人是|本人)[:： ]?([{_SURE}][{_HAN}]{{1,2}})(?=$|[，,。；;、！!（( ]|电话|手机|联系)"
)
_TITLED: Final = re.compile(
    rf"({_DOUBLE}|[{_SURE}])(?:{_TITLE})|(?<![{_HAN}])([{_BARE}])(?:{_TITLE})"
    rf"|(?<![{_HAN}])({_SURNAME}[{_HAN}]{{1,2}})(?:{_TITLE})"
)
_TITLED_WHOLE: Final = re.compile(rf"((?:{_DOUBLE}|[{_SURE}])[{_HAN}]{{1,2}})(?:{_TITLE})")
_BEFORE_PHONE: Final = re.compile(
    rf"(?<![{_HAN}])({_FULL})(?=[，,、:：()（ ]*"
    r"(?:的?(?:联系电话|联系方式|电话|手机号码|手机号|手机|号码|微信)[:：是为]*[ ]*)?"
    r"(?:\+?86[ -]?)?1[3-9](?:[ .-]?[\d*]){9})"
)
_WESTERN: Final = re.compile(
    r"\b(?i:my name is|name is|name\s*[:：]|contact(?: person)?\s*[:：]|called|this is|mr\.?|mrs\.?|ms\.?|miss)"
    r"\s*([A-Z][a-z]+(?:[ -][A-Z][a-z]+){0,2})"
)
_LATIN_LABEL: Final = re.compile(rf"(?:{_LABEL}|我叫|姓名)(?:[:：]|是|为|叫)?[ ]?([A-Z][a-z]+(?: [A-Z][a-z]+){{0,2}})")
_LATIN: Final = re.compile("[A-Za-z]")
_HINTED: Final = (
    (re.compile(_LABEL), (_AFTER_LABEL, _BESIDE_LABEL, _LATIN_LABEL)),
    (re.compile("叫|姓名|名字|本人|我是"), (_CALLED, _I_AM, _LATIN_LABEL)),
    (re.compile(_TITLE), (_TITLED, _TITLED_WHOLE)),
    (re.compile(r"1[3-9][\d*]"), (_BEFORE_PHONE,)),
    (re.compile(r"(?i:name|contact|called|this is|\bm(?:r|s|rs|iss)\b)"), (_WESTERN,)),
)
"""Most texts hold no hint of a name, and cost no more than a look for one."""


def names_in(text: str) -> Iterator[Span]:
    """Where names stand; spans may overlap."""
    latin = _LATIN.search(text) is not None
    for hint, patterns in _HINTED if latin else _HINTED[:-1]:
        if hint.search(text) is None:
            continue
        for pattern in patterns:
            for hit in pattern.finditer(text):
                span = next(hit.span(n) for n in range(1, len(hit.groups()) + 1) if hit.group(n) is not None)
                yield _without_end(text, span) if pattern in (_AFTER_LABEL, _CALLED) else span


def _without_end(text: str, span: Span) -> Span:
    """A third sign that begins the next word is not of the name: 我叫王明住在…"""
    start, end = span
    if end - start == 3 and text[end - 1] in _ENDS and "·" not in text[start:end]:
        return start, end - 1
    return span
