"""The permissions as they are printed, against a table written by hand."""

from __future__ import annotations

import tomllib
from pathlib import Path

from services.governance.cycle import Action
from services.governance.moves import MOVES

TABLE = tomllib.loads(Path(__file__).with_name("permissions.toml").read_text("utf-8"))
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cycle.md"
SIGNS = {"yes": "●", "ask": "○", "ok": "◆"}
Cells = dict[tuple[str, str], str]  # (action, role) → '● area, ○ area'


def cell(words: str) -> str:
    """'yes area, ask area' as it is printed."""
    parts = (part.strip().split() for part in words.split(","))
    return ", ".join(" ".join((SIGNS[mark], *scope)) for mark, *scope in parts)


def by_hand() -> Cells:
    cells: Cells = {}
    for action, row in TABLE["matrix"].items():
        words = [each.strip() for each in row.split("|")]
        cells |= {(action, r): cell(w) for r, w in zip(TABLE["roles"], words, strict=True) if w != "."}
    return cells


def printed() -> Cells:
    lines = PAGE.read_text("utf-8").split("## Permissions")[1].split("## ")[0].splitlines()
    rows = [[each.strip() for each in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    head, body = rows[0], rows[2:]
    return {
        (row[0].split("`")[1], role): each
        for row in body
        for role, each in zip(head[1:], row[1:], strict=True)
        if each != "–"
    }


def granted() -> Cells:
    """Read off the rows themselves, so that a stale page hides nothing."""
    cells: Cells = {}
    for move in MOVES:
        for mark, grants in (("yes", move.doing), ("ok", move.deciding), ("ask", move.asking)):
            for grant in grants:
                if (mark == "ok") != grant.approve or move.action in (Action.APPROVE, Action.DENY):
                    continue
                scope = "" if grant.scope.value == "street" else f" {grant.scope.value}"
                key = (move.action.value, grant.role.value)
                known = cells[key].split(", ") if key in cells else []
                cells[key] = ", ".join(dict.fromkeys([*known, f"{SIGNS[mark]}{scope}"]))
    return cells


def differing(one: Cells, other: Cells) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    return {key: (one.get(key), other.get(key)) for key in sorted({*one, *other}) if _bag(one, key) != _bag(other, key)}


def _bag(cells: Cells, key: tuple[str, str]) -> set[str]:
    return set(cells.get(key, "").split(", "))


def test_every_cell_is_what_was_decided() -> None:
    assert differing(granted(), by_hand()) == {}


def test_the_page_prints_it() -> None:
    assert differing(printed(), by_hand()) == {}
