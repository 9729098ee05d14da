"""How people behave: what they do with a case that offers them these actions, how often, and how they fill the form."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

# Of the actions a person may do, one is drawn by these weights. What is missing here nobody does by habit.
WEIGHTS: Final[Mapping[str, int]] = {
    "self_resolve_start": 3,
    "self_resolve_done": 8,
    "call_up": 6,
    "answer": 10,
    "accept": 6,
    "unfounded": 1,
    "confirm_done": 8,
    "file_dispatch": 10,
    "file": 4,
    "dispatch": 10,
    "decline": 1,
    "merge": 1,
    "unmerge": 1,
    "sign": 4,
    "respond": 9,
    "co_done": 10,
    "feedback": 8,
    "return": 1,
    "rule": 8,
    "verify_pass": 12,
    "verify_fail": 1,
    "close": 10,
    "answer_whistle": 8,
    "approve": 8,
    "reply_supervision": 6,
    "add_info": 6,
    "resume": 2,
}

WORDS: Final = (
    "现场看过，马上处理",
    "已安排人员到场",
    "按流程办理",
    "和当事人沟通过",
    "处理完毕，请核查",
    "现场恢复正常",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """An action and its filled form. `photos`: names of evidence fields that want a picture first."""

    action: str
    inputs: dict[str, Any]
    wants_picture: bool


def choose(rng: random.Random, case: Mapping[str, Any], now: datetime) -> Choice | None:
    """What this person does with the case; None: nothing by habit."""
    offered = [offer for offer in case["actions"] if offer["action"] in WEIGHTS]
    if not offered:
        return None
    offer = rng.choices(offered, [WEIGHTS[one["action"]] for one in offered])[0]
    return fill(rng, offer, now)


def fill(rng: random.Random, offer: Mapping[str, Any], now: datetime) -> Choice | None:
    """Fill the declared form; None when a required field has nothing to choose from."""
    inputs: dict[str, Any] = {}
    wants_picture = False
    for field in offer["inputs"]:
        if field["type"] == "evidence":
            wants_picture = wants_picture or field["required"]
            continue
        if field.get("value"):
            inputs[field["name"]] = field["value"]
            continue
        if not field["required"] and rng.random() < _SKIP.get(field["name"], 0.7):
            continue
        value = _value(rng, _fitting(field, inputs), now)
        if value is None and field["required"]:
            return None
        if value is not None:
            inputs[field["name"]] = value
    return Choice(offer["action"], inputs, wants_picture)


def _fitting(field: Mapping[str, Any], chosen: Mapping[str, Any]) -> Mapping[str, Any]:
    """The field with the choices that go with what is chosen so far: the category's own, and no unit twice."""
    category, lead = chosen.get("category"), chosen.get("lead_unit")
    fits = [one for one in field["choices"] if not one.get("of") or not category or one["of"] == category]
    fits = [one for one in fits if field["type"] != "units" or one["id"] != lead]
    return {**field, "choices": fits}


_SKIP: Final[Mapping[str, float]] = {"co_units": 0.75, "note": 0.4, "urgency": 1.0, "cell": 1.0}


def _value(rng: random.Random, field: Mapping[str, Any], now: datetime) -> Any:
    ids = [choice["id"] for choice in field["choices"]]
    match field["type"]:
        case "text":
            return rng.choice(WORDS)
        case "flag":
            return True
        case "datetime":
            return (now + timedelta(hours=rng.randint(4, 48))).astimezone(UTC).isoformat()
        case "choices" | "units":
            return [rng.choice(ids)] if ids else None
        case _:
            return rng.choice(ids) if ids else None
