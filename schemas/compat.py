"""Within a version a published shape only grows: `python -m schemas.compat [--against FOLDER]`.

Allowed: a new optional field, a new word in a word list, a new kind, a new version. Everything else would break a
consumer we do not know, or our own reading of what is still on a topic, and needs a new version. What is allowed is
printed with the order in which to roll it out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.shapes import Json, kind_files, shape_files
from schemas.topics import TOPICS

PUBLISHED = Path(__file__).parent / "published"
_COMPARED = (
    "type",
    "format",
    "const",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "additionalProperties",
)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `breaks` says why it is not allowed; None: allowed."""

    where: str
    what: str
    breaks: str | None = None


def current() -> dict[str, Json]:
    """What the classes of this checkout publish."""
    return {**shape_files(), **kind_files()}


def committed(folder: Path = PUBLISHED) -> dict[str, Json]:
    """What a folder of published schemas holds; empty where there is none yet."""
    return {
        path.relative_to(folder).as_posix(): json.loads(path.read_text("utf-8"))
        for path in sorted(folder.rglob("*.json"))
    }


def changes(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[Change]:
    """Every difference between two published sets, kind by kind."""
    found: list[Change] = []
    for name, old in before.items():
        if name.startswith("shapes/"):
            continue
        new = after.get(name)
        if new is None:
            found.append(Change(name, "is gone", "what was published stays readable: bring it back, retired"))
            continue
        old_shape, new_shape = _target(old, before), _target(new, after)
        found.extend(_compare(name, old_shape, new_shape, old_shape, new_shape))
    added = [name for name in after if name not in before and not name.startswith("shapes/")]
    found.extend(Change(name, "is new") for name in added)
    return list(dict.fromkeys(found))


def _target(pointer: Json, files: Mapping[str, Json]) -> Json:
    return files[pointer["$ref"].removeprefix("../")]


def _compare(where: str, old: Any, new: Any, old_root: Json, new_root: Json) -> Iterator[Change]:
    """Walk both schemas together; recursion ends because our classes hold no cycles."""
    old, new = _resolved(old, old_root), _resolved(new, new_root)
    yield from _words(where, old, new)
    for key in _COMPARED:
        if _plain(old.get(key)) != _plain(new.get(key)):
            yield Change(where, f"{key} was {old.get(key)!r}, is {new.get(key)!r}", "a type or bound may not change")
    yield from _alternatives(where, old, new, old_root, new_root)
    yield from _fields(where, old, new, old_root, new_root)
    if "items" in old and "items" in new:
        yield from _compare(f"{where}[]", old["items"], new["items"], old_root, new_root)
    if isinstance(old.get("additionalProperties"), dict) and isinstance(new.get("additionalProperties"), dict):
        yield from _compare(
            f"{where}{{}}", old["additionalProperties"], new["additionalProperties"], old_root, new_root
        )


def _fields(where: str, old: Json, new: Json, old_root: Json, new_root: Json) -> Iterator[Change]:
    before: Json = old.get("properties", {})
    after: Json = new.get("properties", {})
    required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
    for field in before:
        here = f"{where} {field}"
        if field not in after:
            yield Change(here, "is gone", "consumers read it: keep it")
            continue
        if (field in required_before) != (field in required_after):
            yield Change(here, "was required or optional and is not any more", "keep it as it was")
        yield from _compare(here, before[field], after[field], old_root, new_root)
    for field in after:
        if field not in before:
            breaks = "events still on the topic lack it: give it a default" if field in required_after else None
            yield Change(f"{where} {field}", "is new", breaks)


def _words(where: str, old: Json, new: Json) -> Iterator[Change]:
    before, after = set(old.get("enum", ())), set(new.get("enum", ()))
    if before == after:
        return
    for word in sorted(before - after):
        yield Change(where, f"word {word!r} is gone", "old events use it: keep it, retired")
    for word in sorted(after - before):
        yield Change(where, f"word {word!r} is new", None if before else "a list of words where any was allowed")


def _alternatives(where: str, old: Json, new: Json, old_root: Json, new_root: Json) -> Iterator[Change]:
    before, after = old.get("anyOf", []), new.get("anyOf", [])
    if len(before) != len(after):
        yield Change(where, f"had {len(before)} alternatives, has {len(after)}", "null or a type came or went")
        return
    for n, (one, other) in enumerate(zip(before, after, strict=True)):
        yield from _compare(where if n == 0 else f"{where} or", one, other, old_root, new_root)


def _resolved(node: Json, root: Json) -> Json:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].removeprefix("#/$defs/")]
    return node


def _plain(value: Any) -> Any:
    return True if isinstance(value, dict) else value


def rollout(found: list[Change]) -> list[str]:
    """Who goes first for the changes that are allowed."""
    kinds = sorted({change.where.split(" ")[0] for change in found if change.breaks is None})
    steps: list[str] = []
    for topic in TOPICS:
        mine = [name for name in kinds if name.removeprefix("events/").rsplit(".v", 1)[0] in topic.kinds]
        if mine:
            first, then = ", ".join(topic.consumers), ", ".join(topic.producers)
            steps.append(f"{topic.name}: 1. consumers ({first})  2. producers ({then})  [{len(mine)} kinds]")
    if any(name.startswith("webhooks/") for name in kinds):
        steps.append("webhooks: tell the receivers first, then escalation")
    return steps


def main(argv: list[str] | None = None) -> int:
    """0: compatible; 1: something breaks, each thing named."""
    parser = argparse.ArgumentParser(prog="python -m schemas.compat", description=__doc__)
    parser.add_argument("--against", type=Path, default=PUBLISHED, help="folder of the schemas published before")
    found = changes(committed(parser.parse_args(argv).against), current())
    for change in found:
        mark = "BREAKS" if change.breaks else "grows "
        sys.stdout.write(
            f"{mark} {change.where}: {change.what}" + (f": {change.breaks}" if change.breaks else "") + "\n"
        )
    broken = [change for change in found if change.breaks]
    if broken:
        sys.stdout.write("Make a new version (…V2 with `upcast` in V1) instead.\n")
    else:
        sys.stdout.writelines(f"rollout {step}\n" for step in rollout(found))
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
