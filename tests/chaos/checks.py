"""Checks of what people and tools did beside the reports: photos, acts, poison, pulses, state steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID

from schemas.topics import TOPICS
from services.governance.moves import MOVES
from tests.chaos.ledger import Deed, PhotoEntry, PoisonEntry, deeds, photos, poison
from tests.chaos.questions import (
    EVENTS_WITHOUT_FIRING,
    FIRINGS_WITHOUT_EVENT,
    OPERATIONS,
    OVERTAKEN,
    PHOTOS,
    PHOTOS_ARRIVED,
    PULSES_SEEN,
    SERVICES,
    STATE_STEPS,
)
from tests.chaos.violation import Connection, Violation, one, rows

ON_THE_SPOT: Final = ("self_resolve_done", "reported", "closed")
"""A report of something that was put right at once opens and closes its case in one step."""
IN_ONE_ACT: Final = ("file_dispatch", "auto_dispatch")
FILED: Final = "filed"
"""Filing and dispatching in one act are two facts: the case is filed in between."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The other ledgers of a run. What is missing is not checked."""

    photos: Sequence[PhotoEntry] = ()
    deeds: Sequence[Deed] = ()
    poison: Sequence[PoisonEntry] = ()
    pulses: Sequence[UUID] = ()
    media: Path | None = None

    @classmethod
    def read(cls, folder: Path, pulses: Sequence[UUID], media: Path) -> Beside:
        """From the files of a run."""
        return cls(
            tuple(photos(folder / "photos.jsonl")),
            tuple(deeds(folder / "deeds.jsonl")),
            tuple(poison(folder / "poison.jsonl")),
            pulses,
            media,
        )


def photos_kept(connection: Connection, beside: Beside) -> list[Violation]:
    """Each acknowledged photo is stored with its hash, its picture is there, and dispatch knows of it."""
    stored = {row[0]: row[2:] for row in rows(connection, PHOTOS)}
    arrived = {row[0] for row in rows(connection, PHOTOS_ARRIVED)}
    found = []
    for entry in beside.photos:
        sha256, state, path = stored.get(entry.report_id, (None, None, None))
        if not entry.acknowledged:
            continue
        if state != "stored" or sha256 != entry.sha256:
            found.append(Violation("photo lost", f"of report {entry.report_id}: {state}"))
        elif beside.media is not None and not (beside.media / str(path)).is_file():
            found.append(Violation("photo lost", f"of report {entry.report_id}: no file {path}"))
        elif entry.report_id not in arrived:
            found.append(Violation("photo lost", f"of report {entry.report_id}: dispatch does not know of it"))
    return found


def acts_done_once(connection: Connection, beside: Beside) -> list[Violation]:
    """An acknowledged act is there, once; a refused one is not; one without an answer is there once or not."""
    done = {row[0]: row[1:] for row in rows(connection, OPERATIONS)}
    found = [
        Violation("act doubled", f"{key}: {count} facts over {span} numbers in {cases} cases")
        for key, (count, span, cases, _) in done.items()
        if count != span or cases != 1
    ]
    for deed in beside.deeds:
        there = done.get(f"{deed.account}:{deed.key}")
        if deed.outcome == "done" and (there is None or there[3] != deed.case_no):
            found.append(Violation("act lost", f"{deed.action} of {deed.case_no} by {deed.account}"))
        if deed.outcome == "refused" and there is not None:
            found.append(Violation("refused act done", f"{deed.action} of {deed.case_no} by {deed.account}"))
    return found


def poison_kept(connection: Connection, beside: Beside) -> list[Violation]:
    """Dead letters and held events are exactly what was put there: no more, no less, each at every consumer."""
    wanted = beside.poison
    certain = {entry.key for entry in wanted if entry.acknowledged}
    fates = {entry.key: entry.fate for entry in wanted}
    found = []
    for table, fate in (("dead_letters", "dead"), ("held_events", "held")):
        there: Mapping[str, set[str]] = defaultdict(set)
        for service in SERVICES:
            for (key,) in rows(connection, f"SELECT convert_from(key, 'UTF8') FROM {service}.{table}"):
                there[key].add(service)
        strange = sorted(key for key in there if fates.get(key) != fate)
        found += [Violation(table, f"{key} in {', '.join(sorted(there[key]))}") for key in strange]
        missing = [e for e in wanted if e.fate == fate and e.key in certain and there[e.key] != _readers(e.topic)]
        found += [
            Violation(
                table, f"{e.key} of {e.topic} is in {sorted(there[e.key])} only, not in {sorted(_readers(e.topic))}"
            )
            for e in missing
        ]
    return found


def pulses_taken(connection: Connection, beside: Beside) -> list[Violation]:
    """What Kafka acknowledged was taken."""
    if not beside.pulses:
        return []
    seen = {row[0] for row in rows(connection, PULSES_SEEN, list(beside.pulses))}
    lost = [str(pulse) for pulse in beside.pulses if str(pulse) not in seen]
    return [Violation("pulse lost", f"{len(lost)}, such as {lost[0]}")] if lost else []


def steps_legal(connection: Connection, _: Beside) -> list[Violation]:
    """Each step of a case begins where the one before ended, and the table of moves has it."""
    found, at = [], dict[str, str]()
    for case_id, action, left, reached in rows(connection, STATE_STEPS):
        if left != at.get(case_id):
            found.append(Violation("illegal step", f"{case_id}: {action} leaves {left}, it was {at.get(case_id)}"))
        if left is not None and (action, left, reached) not in _legal():
            found.append(Violation("illegal step", f"{case_id}: {action} from {left} to {reached}"))
        at[case_id] = reached
    return found


def firings_told(connection: Connection, _: Beside) -> list[Violation]:
    """Each firing has its one event, and there are no others."""
    counts = {
        "firings without an event": one(connection, FIRINGS_WITHOUT_EVENT),
        "events without a firing": one(connection, EVENTS_WITHOUT_FIRING),
    }
    return [Violation("timers", f"{count} {what}") for what, count in counts.items() if count]


def order_kept(connection: Connection, _: Beside) -> list[Violation]:
    """The events of a key lie on one partition in the order of their numbers."""
    counts = {service: one(connection, query) for service, query in OVERTAKEN.items()}
    return [Violation("order on the topic", f"{count} of {service}") for service, count in counts.items() if count]


def _readers(topic: str) -> set[str]:
    return {service for each in TOPICS if each.name == topic for service in each.consumers}


@cache
def _legal() -> frozenset[tuple[str, str, str]]:
    """(action, from, to) of every row of the table."""
    steps = {
        (move.action.value, source.value, target.value)
        for move in MOVES
        for source in move.sources
        for target in move.targets
    }
    through = {
        step
        for action, source, target in steps
        if action in IN_ONE_ACT
        for step in ((action, source, FILED), (action, FILED, target))
    }
    return frozenset({*steps, *through, ON_THE_SPOT})
