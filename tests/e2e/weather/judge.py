"""Compares what phones promised with what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from tests.e2e.weather.crowd import MARK, Promise

_REPORTS: Final = (
    "SELECT r.masked_text, r.report_id::text, l.key FROM intake.reports r JOIN intake.ledger l USING (report_id)"
    " WHERE r.masked_text LIKE %s"
)
_PHOTOS: Final = (
    "SELECT p.report_id::text, p.photo_id, p.sha256, p.state FROM intake.photos p JOIN intake.reports r"
    " USING (report_id) WHERE r.masked_text LIKE %s"
)
_TOLD: Final = (
    "SELECT convert_from(o.payload, 'UTF8')::jsonb ->> 'photo_id' FROM intake.outbox o"
    " WHERE o.headers ->> 'ce_type' = 'report.photo_added'"
)
_CASES: Final = "SELECT report_id::text, case_id::text FROM dispatch.case_reports"
_UNSENT: Final = "SELECT count(*) FROM intake.outbox WHERE published_at IS NULL"


@dataclass(frozen=True, slots=True)
class PhotoFound:
    """A photo's row."""

    report_id: str
    photo_id: str
    sha256: str
    state: str


@dataclass(frozen=True, slots=True)
class Found:
    """What the databases hold of one crowd. `reports`: (text, id, key); `told`: photos that were announced."""

    reports: Sequence[tuple[str, str, str]]
    photos: Sequence[PhotoFound]
    told: Sequence[str]
    cases: Sequence[tuple[str, str]]
    unsent: int

    @property
    def drained(self) -> bool:
        """Whether everything has gone all the way to the dispatch desk."""
        return not self.unsent and {one[1] for one in self.reports} <= {case[0] for case in self.cases}


def look(database_url: str, name: str) -> Found:
    """All of it in one snapshot."""
    with psycopg.connect(database_url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        mark = f"{MARK} {name} %"
        return Found(
            reports=[(row[0], row[1], row[2]) for row in connection.execute(_REPORTS, (mark,))],
            photos=[PhotoFound(*row) for row in connection.execute(_PHOTOS, (mark,))],
            told=[row[0] for row in connection.execute(_TOLD)],
            cases=[(row[0], row[1]) for row in connection.execute(_CASES)],
            unsent=connection.execute(_UNSENT).fetchall()[0][0],
        )


def judge(promises: Sequence[Promise], receipts: Mapping[str, str], found: Found) -> list[str]:
    """What is wrong; empty when every report exists once, as promised and as its receipt says."""
    ids: dict[str, list[str]] = {}
    for text, report_id, _key in found.reports:
        ids.setdefault(text, []).append(report_id)
    cases = Counter(report_id for report_id, _case in found.cases)
    told = Counter(found.told)
    rows = {(one.report_id, one.photo_id): one for one in found.photos}
    wrong = [f"{text}: nobody promised it" for text in ids.keys() - {one.text for one in promises}]
    for promise in promises:
        wrong += _wrong(promise, receipts.get(promise.key), ids.get(promise.text, []), cases)
        for report_id in ids.get(promise.text, [])[:1]:
            wrong += _wrong_photos(promise, report_id, rows, told)
    return wrong


def _wrong(promise: Promise, receipt: str | None, ids: Sequence[str], cases: Mapping[str, int]) -> list[str]:
    wrong = []
    if receipt is None:
        wrong.append(f"{promise.text}: no receipt")
    if len(ids) != 1:
        wrong.append(f"{promise.text}: there {len(ids)} times")
    elif receipt is not None and ids != [receipt]:
        wrong.append(f"{promise.text}: the receipt is for {receipt}, the report is {ids[0]}")
    return [*wrong, *(f"{promise.text}: in {cases.get(one, 0)} cases" for one in ids if cases.get(one, 0) != 1)]


def _wrong_photos(
    promise: Promise, report_id: str, rows: Mapping[tuple[str, str], PhotoFound], told: Mapping[str, int]
) -> list[str]:
    wrong = []
    for photo_id, sha256 in promise.photos.items():
        row = rows.get((report_id, photo_id))
        if row is None or row.state != "stored":
            wrong.append(f"{promise.text}: photo {photo_id} is {row.state if row else 'unknown'}")
        elif row.sha256 != sha256:
            wrong.append(f"{promise.text}: photo {photo_id} is another picture")
        if told.get(photo_id, 0) != 1:
            wrong.append(f"{promise.text}: photo {photo_id} was announced {told.get(photo_id, 0)} times")
    return wrong
