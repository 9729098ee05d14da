"""Numbers that name a person leave nobody recognisable; everything else stays readable."""

from __future__ import annotations

import pytest

from services.intake.usecases.masking import mask


@pytest.mark.parametrize(
    ("raw", "masked"),
    [
        ("电话13812345678找我", "电话138****5678找我"),
        ("138 1234 5678", "138****5678"),
        ("138-1234-5678", "138****5678"),
        ("+86-138-1234-5678", "138****5678"),
        ("１３８１２３４５６７８", "138****5678"),
        ("0763-3366123", "0763-****6123"),
        ("（0763）3366123", "0763-****6123"),
        ("身份证441802199001011234。", "身份证441802********1234。"),
        ("44180219900101123X", "441802********123X"),
        ("441802900101123", "441802******123"),
        ("卡号6222021234567890123", "卡号622**************23"),
        ("写信 a.b@example.com", "写信 ***@example.com"),
    ],
)
def test_masks(raw: str, masked: str) -> None:
    assert mask(raw) == masked


@pytest.mark.parametrize(
    "text", ["3栋2单元1203", "价格150000元", "2026-11-22 19:40", "第10085号井盖", "110、119、120", "", "路口东侧20米"]
)
def test_leaves_other_numbers(text: str) -> None:
    assert mask(text) == text


def test_masking_twice_changes_nothing() -> None:
    once = mask("找13812345678或441802199001011234")
    assert mask(once) == once
