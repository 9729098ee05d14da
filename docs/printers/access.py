"""Who gets which answer: the golden table of the access tests, printed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from printers.tables import table
from schemas.labels import Labels
from services.governance.cycle import Role

FILE = Path(__file__).resolve().parents[2] / "tests" / "integration" / "access" / "access_table.toml"
ACT = "dispatch POST /api/v1/cases/{case_no}/actions/{action}"
SERVICES = ("intake", "dispatch", "escalation")


def page(zh: Labels, en: Labels) -> str:
    """One table per service, and one of the actions on a case."""
    rows: list[Mapping[str, Any]] = tomllib.loads(FILE.read_text("utf-8"))["row"]
    words = ((f"`{role.value}`", zh.word("role", role.value), en.word("role", role.value)) for role in Role)
    parts = [
        "# Who may do what",
        "",
        "Every route of every service, asked by the holder of every post: over his own place, and over a foreign one",
        "(another street, another community, another unit, another reporter). The tests ask all of it and fail on a",
        "route that is not here. `anonymous` is not signed in, `open311` a machine's key for Open311 alone; *others*",
        "are all whom the cell does not name.",
        "",
        "2xx: may. 409 and 422: may, but not as things stand, or with more in the form. 403: no right to it. 404: not",
        "there for him, whether it exists or not. 401: not signed in. A page of another site that acts with somebody's",
        "session gets 403 everywhere.",
        "",
        table(("role", "中文", "English"), words),
    ]
    for service in SERVICES:
        own = [row for row in rows if row["route"].startswith(f"{service} ") and row["route"] != ACT]
        parts += [f"## {service.capitalize()}", "", table(_HEAD, (_line(row) for row in own))]
    acts = [row for row in rows if row["route"] == ACT]
    head = ("action", "case", "own place", "foreign place")
    parts += [
        "## Actions on a case",
        "",
        "`POST /api/v1/cases/{case_no}/actions/{action}` with an empty form. *called*: at the street; *handling*: by",
        "a unit, with another's help; *closed*: by the branch itself; *restricted*: a quarrel still in its grid.",
        "",
        table(head, ((f"`{row['action']}`", row["at"], _told(row["own"]), _told(row["foreign"])) for row in acts)),
    ]
    return "\n".join(parts)


_HEAD = ("request", "case", "own place", "foreign place")


def _line(row: Mapping[str, Any]) -> Iterable[str]:
    request = row["route"].split(" ", 1)[1]
    of = row.get("at") or (f"`{row['action']}`" if "action" in row else "")
    return (f"`{request}`", of, _told(row["own"]), _told(row["foreign"]))


def _told(by_status: Mapping[str, str]) -> str:
    if list(by_status.values()) == ["everybody"]:
        return next(iter(by_status))
    return "; ".join(f"{status} {names.replace('everybody', '*others*')}" for status, names in by_status.items())
