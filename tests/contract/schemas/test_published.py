"""What is committed under schemas/published is what the classes say, and a version only grows."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas import compat, publish
from schemas.topics import TOPICS
from services.chassis.topics import specs_of

Json = dict[str, Any]


def test_generated_files_are_fresh() -> None:
    assert [path.name for path in publish.stale(publish.wanted())] == []


def test_a_stale_or_left_over_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "PUBLISHED", tmp_path)
    (tmp_path / "old.json").write_text("{}")
    assert publish.stale({tmp_path / "new.json": "{}"}) == [tmp_path / "new.json", tmp_path / "old.json"]


def test_committed_schemas_are_compatible(capsys: pytest.CaptureFixture[str]) -> None:
    assert compat.main([]) == 0
    assert "BREAKS" not in capsys.readouterr().out


def test_the_topic_list() -> None:
    rows = tomllib.loads(publish.topics_toml())["topics"]
    assert [row["name"] for row in rows] == [name for t in TOPICS for name in (t.name, t.dlq)]
    live = [row for row in rows if not row["name"].endswith(".dlq")]
    assert {(row["partitions"], row["retention_ms"]) for row in live} == {(12, 14 * 86_400_000)}
    made = {spec.name: (spec.partitions, dict(spec.config)["retention.ms"]) for spec in specs_of(TOPICS, 1)}
    told = {row["name"]: (row["partitions"], str(row["retention_ms"])) for row in rows}
    assert told == made, "the list for operators is what `grid topics apply` makes"


SHAPE: Json = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "state": {"$ref": "#/$defs/State"},
        "at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}], "default": None},
        "rows": {"type": "array", "items": {"$ref": "#/$defs/Row"}},
    },
    "required": ["id", "state"],
    "$defs": {
        "State": {"type": "string", "enum": ["a", "b"]},
        "Row": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    },
}
EVENT = {"$ref": "../shapes/Thing.json"}


def compared(change: Callable[[Json], object]) -> list[compat.Change]:
    after = copy.deepcopy(SHAPE)
    change(after)
    files = {"events/sla.fired.v1.json": EVENT}
    return compat.changes({"shapes/Thing.json": SHAPE, **files}, {"shapes/Thing.json": after, **files})


BREAKING: dict[str, Callable[[Json], object]] = {
    "field gone": lambda s: s["properties"].pop("rows"),
    "type changed": lambda s: s["properties"].update(id={"type": "integer"}),
    "new required field": lambda s: (s["properties"].update(x={"type": "string"}), s["required"].append("x")),
    "required became optional": lambda s: s["required"].remove("id"),
    "optional became required": lambda s: s["required"].append("rows"),
    "word gone": lambda s: s["$defs"]["State"].update(enum=["a"]),
    "null gone": lambda s: s["properties"].update(at={"type": "string", "format": "date-time"}),
    "deep inside": lambda s: s["$defs"]["Row"]["properties"].update(n={"type": "string"}),
    "bound changed": lambda s: s["properties"]["id"].update(maxLength=3),
}
GROWING: dict[str, Callable[[Json], object]] = {
    "new optional field": lambda s: s["properties"].update(x={"type": "string"}),
    "new word": lambda s: s["$defs"]["State"].update(enum=["a", "b", "c"]),
    "new optional field deep inside": lambda s: s["$defs"]["Row"]["properties"].update(m={"type": "string"}),
}


@pytest.mark.parametrize("case", BREAKING)
def test_breaking(case: str) -> None:
    assert any(change.breaks for change in compared(BREAKING[case]))


@pytest.mark.parametrize("case", GROWING)
def test_growing_prints_who_goes_first(case: str) -> None:
    found = compared(GROWING[case])
    assert found
    assert not any(change.breaks for change in found)
    assert compat.rollout(found) == ["grid.sla.v1: 1. consumers (dispatch)  2. producers (escalation)  [1 kinds]"]


def test_no_difference_no_change() -> None:
    assert compared(lambda _: None) == []


def test_a_kind_that_is_gone_breaks() -> None:
    before = {"shapes/Thing.json": SHAPE, "events/sla.fired.v1.json": EVENT}
    assert [change.what for change in compat.changes(before, {"shapes/Thing.json": SHAPE})] == ["is gone"]


def test_publish_refuses_to_overwrite_a_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = compat.current()
    broken["shapes/SlaFiredV1.json"]["properties"]["gone_since"] = {"type": "string"}
    for name, schema in broken.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(schema))
    monkeypatch.setattr(publish, "PUBLISHED", tmp_path)
    monkeypatch.setattr(publish, "committed", lambda: compat.committed(tmp_path))
    assert publish.main([]) == 1
    assert "gone_since" in capsys.readouterr().out
    assert "gone_since" in (tmp_path / "shapes/SlaFiredV1.json").read_text()
