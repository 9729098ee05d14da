"""No door is told to whoever has nothing to do there; sentences stay sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.houses import without_house_numbers


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("阳光小区3栋2单元501室漏水", "阳光小区*栋*单元***室漏水"),
        ("文化路12号门口", "文化路**号门口"),
        ("向阳里7巷5号", "向阳里7巷*号"),
        ("滨江花园5号楼", "滨江花园*号楼"),
        ("三栋二单元五零一", "*栋*单元***"),
        ("3-2-501漏水", "*-*-***漏水"),
        ("阳光小区3栋501漏水", "阳光小区*栋***漏水"),
        ("A座1203室", "*座****室"),
        ("5弄18号", "*弄**号"),
        ("门牌１２号", "门牌**号"),
    ],
)
def test_house_numbers_go(text: str, told: str) -> None:
    assert without_house_numbers(text) == told
    assert without_house_numbers(told) == told


@pytest.mark.parametrize(
    "text",
    [
        *(
            "地铁1号线",
            "云溪001单元",
            "2026-11-22",
            "11月5号晚上",
            "110、12345",
            "第10085号井盖",
            "20米",
            "宽2-3米",
            "一号线",
            "19:30-20:30",
        ),
        *("10号车", "5楼平台", "鸣翠花苑南门", "23号下午", "", "东门路与南街路口", "回执R20261122-000012"),
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert without_house_numbers(text) == text


@given(st.text(st.sampled_from("0123456789一二三十栋单元号室楼-座AB 月第路东门小区"), max_size=30))
def test_twice_changes_nothing_more_and_nothing_grows(text: str) -> None:
    once = without_house_numbers(text)
    assert len(once) == len(text)
    assert without_house_numbers(once) == once
