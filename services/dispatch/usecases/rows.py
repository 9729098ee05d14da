"""A list's row as its reader may see it: names for codes, and of a restricted case class and community only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.api.dispatch import CategoryNameOut, DueOut, QueueRow, RowRequestOut
from services.chassis.directory import Directory, DirectoryCache
from services.chassis.houses import without_house_numbers
from services.dispatch.store.lists import ListRow
from services.governance.cycle import Flag
from services.governance.rulebook import Rulebook

Rulebooks = Mapping[str, Rulebook]


async def rulebooks_of(cache: DirectoryCache, rows: Iterable[ListRow]) -> Rulebooks:
    """The rulebooks that the rows' cases keep; raises UnknownRulebook."""
    return {version: await cache.rulebook(version) for version in {row.rulebook for row in rows}}


def row_out(row: ListRow, directory: Directory, rulebooks: Rulebooks) -> QueueRow:
    """The row for the reader whose scope it was read for."""
    full = row.readable
    category = rulebooks[row.rulebook].categories.get(row.category) if row.category else None
    street = directory.streets.get(row.street)
    return QueueRow(
        case_no=row.case_no,
        version=row.version,
        sequence=row.sequence,
        state=row.state if full else None,
        stage=row.stage if full else None,
        tier=row.tier if full else None,
        urgency=row.urgency if full else None,
        category=CategoryNameOut(code=row.category, name=category.name if category else row.category)
        if row.category
        else None,
        summary=_words(row, row.summary) if full else "",
        address=_words(row, row.address) if full else _name(directory, row.community),
        owner_name=_name(directory, row.owner_code) if full else "",
        lead_unit=_name(directory, row.lead_unit) or None if full else None,
        community=row.community,
        unit=row.lead_unit if full else None,
        due=DueOut.model_validate(row.due) if row.due is not None and full else None,
        reports=row.reports if full else 0,
        photo=_photo(row) if full else None,
        hand_overs=row.hand_overs if full else 0,
        twice_at=row.twice_at if full else None,
        work_due_at=row.work_due_at if full else None,
        reply_at=row.reply_at if full else None,
        review_at=row.review_at if full else None,
        opened_at=row.opened_at if full else None,
        flags=tuple(row.flags) if full else (Flag.RESTRICTED,),
        grade=row.grade if full else None,
        requests=tuple(_request(each, directory) for each in row.asked or ()) if full else (),
        restricted=row.restricted,
        sample=street is not None and street.sample,
    )


def _request(asked: Mapping[str, Any], directory: Directory) -> RowRequestOut:
    by = directory.accounts.get(asked["account"]) if asked["account"] is not None else None
    return RowRequestOut.model_validate({**asked, "by_name": by.name if by is not None else None})


def _photo(row: ListRow) -> str | None:
    return f"/api/v1/cases/{row.case_no}/photos/{row.photo}?size=thumb" if row.photo else None


def _words(row: ListRow, text: str) -> str:
    return text if row.handled else without_house_numbers(text)


def _name(directory: Directory, code: str | None) -> str:
    return (directory.name_of(code) or code) if code else ""
