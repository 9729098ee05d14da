"""The golden table: for every route, who gets which answer, over his own place and over a foreign one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.governance.cycle import Role

FILE = Path(__file__).with_name("access_table.toml")
ROLES = tuple(role.value for role in Role)
OTHERS = ("anonymous", "open311")


@dataclass(frozen=True, slots=True)
class Row:
    """`route` as 'dispatch GET /api/v1/cases'; `at` the situation of the case, `action` what is asked of it."""

    route: str
    at: str | None
    action: str | None
    own: Mapping[str, int]
    foreign: Mapping[str, int]

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.route, self.at, self.action)))


def read_table(file: Path = FILE) -> list[Row]:
    """Every row, in the order of the file. Raises ValueError for somebody who is missing or told twice."""
    return [_row(raw) for raw in tomllib.loads(file.read_text("utf-8"))["row"]]


def _row(raw: Mapping[str, object]) -> Row:
    own, foreign = raw["own"], raw["foreign"]
    assert isinstance(own, dict)
    assert isinstance(foreign, dict)
    who = (*ROLES, *OTHERS)
    return Row(
        str(raw["route"]),
        str(raw["at"]) if "at" in raw else None,
        str(raw["action"]) if "action" in raw else None,
        _told(own, who, str(raw["route"])),
        _told(foreign, ROLES, str(raw["route"])),
    )


def _told(by_status: Mapping[str, str], who: Iterable[str], route: str) -> dict[str, int]:
    """'everybody' stands for all who are not named otherwise."""
    everyone = set(who)
    told: dict[str, int] = {}
    rest: int | None = None
    for status, names in by_status.items():
        for name in names.split():
            if name == "everybody":
                rest = int(status)
            elif name in told or name not in everyone:
                raise ValueError(f"{route}: {name} is told twice, or is nobody here")
            else:
                told[name] = int(status)
    missing = everyone - told.keys()
    if missing and rest is None:
        raise ValueError(f"{route}: nothing is said of {sorted(missing)}")
    return {**dict.fromkeys(missing, rest or 0), **told}


def printed(row: Row) -> str:
    """The row as it stands in the file."""
    lines = ["[[row]]", f'route = "{row.route}"']
    lines += [f'{key} = "{value}"' for key, value in (("at", row.at), ("action", row.action)) if value]
    lines += [f"own = {_grouped(row.own)}", f"foreign = {_grouped(row.foreign)}"]
    return "\n".join(lines) + "\n"


def _grouped(told: Mapping[str, int]) -> str:
    """Fewer names: whoever is in the largest group is 'everybody'."""
    groups: dict[int, list[str]] = {}
    for who in (*ROLES, *OTHERS):
        if who in told:
            groups.setdefault(told[who], []).append(who)
    largest = max(groups.values(), key=len)
    told_as = {status: "everybody" if names is largest else " ".join(names) for status, names in groups.items()}
    return "{ " + ", ".join(f'{status} = "{names}"' for status, names in sorted(told_as.items())) + " }"
