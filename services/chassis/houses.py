"""House numbers: for whoever has a share in the case. Everybody else reads the street and the 小区, and no door.

A number counts as one of a house by the word behind it (号楼, 栋, 单元, 室, 户 …) or by standing in a row of such
(3-2-501). Only its digits go, so a sentence stays a sentence; places that people know by name stay as they are.
"""

from __future__ import annotations

import re
from typing import Final

_DIGIT: Final = r"[0-9０-９]"
_WRITTEN: Final = "一二三四五六七八九零〇"
_NUMBER: Final = rf"(?:{_DIGIT}{{1,5}}|[{_WRITTEN}十百]{{1,5}})"
_NO_DOOR: Final = "[线路桥井院机车船码]|上午|下午|晚上|早上|凌晨|中午"
_KIND: Final = rf"(?:号楼|号院|号房|号铺|号门|栋|幢|座|单元|室|房|户|弄|号(?!{_NO_DOOR}))"
_BEHIND: Final = rf"(?:[A-Za-zＡ-Ｚ]?{_NUMBER}(?:[-－—之、]{_NUMBER})*|[A-Za-zＡ-Ｚ])(?=[ ]?(?:{_KIND}))"
_CELL: Final = rf"0{_DIGIT}{{2}}单元"
"""云溪001单元 is a cell of the grid (单元网格), written with three digits; nobody's staircase is."""
_HOUSE: Final = re.compile(rf"(?<![0-9０-９A-Za-z第月年])(?!{_CELL}){_BEHIND}")
_ROW: Final = re.compile(
    rf"(?<![0-9０-９\-.:：]){_DIGIT}{{1,3}}(?:[-－—]{_DIGIT}{{1,4}}){{1,3}}(?![0-9０-９\-－—.:：年月日米元时点])"
)
_DOOR: Final = re.compile(
    rf"(?<=[栋幢座楼元])[ ]?(?:{_DIGIT}{{3,4}}(?!{_DIGIT}|[年月日米元个人辆])"
    rf"|[{_WRITTEN}]{{3,4}}(?![{_WRITTEN}年月日米元个人辆]))"
)
_SIGN: Final = re.compile(r"[0-9０-９A-Za-zＡ-Ｚ一二三四五六七八九十百零〇]")


def without_house_numbers(text: str) -> str:
    """The text with each sign of a house number as `*`; text without one as it is."""
    for shape in (_ROW, _DOOR, _HOUSE):
        text = shape.sub(_hidden, text)
    return text


def _hidden(hit: re.Match[str]) -> str:
    return _SIGN.sub("*", hit.group())
