"""Both languages say the same things, and nothing that can appear on a screen lacks a word."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

import pytest

from schemas.labels import LANGUAGES, PLACEHOLDER, Labels, UnknownLabel
from schemas.registry import kinds
from schemas.rulebook import read_rulebook
from schemas.rulebook_file import Tile
from schemas.webhooks import KINDS
from services.chassis.audit.actions import Audited
from services.governance import acts, cycle, errors, worktime
from services.governance.moves import EVERYDAY_ACTS, GRADES, MOVES, RESPONSE_MEANS, VERIFY_MEANS, WHISTLE_KINDS

GROUPS: dict[str, type[StrEnum]] = {
    "state": cycle.State,
    "stage": cycle.Stage,
    "tier": cycle.Tier,
    "urgency": cycle.Urgency,
    "nature": cycle.Nature,
    "intent": cycle.Intent,
    "clock_kind": cycle.ClockKind,
    "closed_as": cycle.ClosedKind,
    "flag": cycle.Flag,
    "role": cycle.Role,
    "action": cycle.Action,
    "rule": cycle.MachineRule,
    "clock_state": acts.ClockState,
    "task_state": acts.TaskState,
    "basis": worktime.Basis,
    "unit": worktime.LimitUnit,
    "audit": Audited,
}
RULEBOOKS = Path(__file__).parents[3] / "deploy" / "rulebooks"
PAGES = Path(__file__).parents[3] / "schemas" / "labels" / "pages"
ZH, EN = (Labels(lang) for lang in LANGUAGES)


def test_same_keys() -> None:
    assert set(ZH) == set(EN)


def test_same_placeholders() -> None:
    differing = [
        key
        for key in ZH
        if sorted(PLACEHOLDER.findall(ZH.under(key)[key])) != sorted(PLACEHOLDER.findall(EN.under(key)[key]))
    ]
    assert differing == []


def test_the_words_of_pages_agree_too() -> None:
    """Words that only a page's script reads lie beside the list, one file a language."""
    read = [json.loads((PAGES / f"{lang}.json").read_text("utf-8")) for lang in LANGUAGES]
    chinese, english = read
    assert set(chinese) == set(english)
    for key, words in chinese.items():
        assert sorted(PLACEHOLDER.findall(words)) == sorted(PLACEHOLDER.findall(english[key])), key
        assert words
        assert english[key]


@pytest.mark.parametrize("labels", [ZH, EN], ids=LANGUAGES)
def test_no_word_is_empty_or_untrimmed(labels: Labels) -> None:
    assert [key for key, words in labels.under("").items() if not words or words != words.strip()] == []


@pytest.mark.parametrize("group", GROUPS)
def test_every_member_has_a_word(group: str) -> None:
    assert [member for member in GROUPS[group] if f"{group}.{member.value}" not in ZH] == []


def test_every_move_its_fields_and_choices_have_words() -> None:
    wanted = {f"action.{move.label_id}" for move in MOVES}
    for move in MOVES:
        for field in move.inputs:
            wanted.add(f"input.{field.name}")
            wanted |= {f"{field.name}.{choice}" for choice in field.choices}
    assert sorted(key for key in wanted if key not in ZH) == []


def test_every_reason_the_machine_gives_has_a_word() -> None:
    """A breach names its clock, a recall its rule, a denied request what was asked; the rest are words of their own."""
    given = {
        "silent",
        "again",
        "declined",
        "direct",
        "no_answer",
        "extend_request",
        "suspend_request",
        "whistle",
        "void",
    }
    given |= {kind.value for kind in cycle.ClockKind} | {rule.value for rule in cycle.MachineRule} | set(WHISTLE_KINDS)
    given |= {*RESPONSE_MEANS, *VERIFY_MEANS, *EVERYDAY_ACTS, *GRADES}  # how it was done stands in the reason
    assert sorted(reason for reason in given if f"reason.{reason}" not in ZH) == []


def test_everybody_a_ladder_tells_has_a_word() -> None:
    book = read_rulebook((RULEBOOKS / "fengcheng.toml").read_text("utf-8"))
    told = {post for steps in book.ladders.values() for step in steps for post in step.tell}
    assert sorted(post for post in told if f"tell.{post}" not in ZH) == []


def test_every_field_of_inputs_has_a_word() -> None:
    assert [name for name in acts.Inputs.__slots__ if f"input.{name}" not in ZH] == []


def test_every_case_event_has_a_word_for_the_timeline() -> None:
    assert [kind for kind in kinds() if kind.startswith("case.") and f"fact.{kind}" not in ZH] == []


def test_every_webhook_and_tile_has_a_word() -> None:
    assert [kind for kind in KINDS if f"webhook.{kind}" not in ZH] == []
    assert [tile for tile in Tile.__args__ if f"tile.{tile}" not in ZH] == []


def test_every_refusal_says_what_to_do() -> None:
    def below(cls: type[errors.GovernanceError]) -> set[type[errors.GovernanceError]]:
        return {cls}.union(*(below(sub) for sub in cls.__subclasses__()))

    codes = {cls.code for cls in below(errors.GovernanceError)} - {"governance"}
    assert sorted(code for code in codes if f"problem.{code}" not in ZH) == []
    titles = {key for key in ZH.under("problem.") if not key.startswith("problem.field.") and key.count(".") == 1}
    assert sorted(key for key in titles if f"{key}.detail" not in ZH) == []


def test_words_that_must_not_appear() -> None:
    assert [key for key, words in ZH.under("").items() if "越级" in words] == []


def test_values_are_put_in() -> None:
    assert ZH.text("row.overdue", n=3) == "超期 3"
    assert EN.text("row.overdue", n=3) == "3 overdue"


def test_a_missing_value_or_key_is_named() -> None:
    with pytest.raises(UnknownLabel, match="'n' is missing"):
        ZH.text("row.overdue")
    with pytest.raises(UnknownLabel, match=r"no\.such"):
        ZH.text("no.such")
    with pytest.raises(UnknownLabel, match="fr-FR"):
        Labels("fr-FR")


def test_the_word_of_a_tier_comes_first() -> None:
    assert ZH.word("action", "answer", "street") == "受理"
    assert ZH.word("action", "answer", "moon") == "应答"
