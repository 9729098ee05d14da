"""GET /api/v1/export/cases.csv: the cases that the asker may take out of the house."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from services.chassis.audit import Audited, Entry, record
from services.chassis.auth import Person, require_role
from services.chassis.clock import LOCAL
from services.chassis.db import grid_now
from services.dispatch.api.wiring import Parts
from services.dispatch.store.export import Span
from services.dispatch.usecases.export import EXPORTERS, export_csv

router = APIRouter(prefix="/api/v1/export", tags=["export"])
Exporter = Annotated[Person, Depends(require_role(*EXPORTERS))]
When = Annotated[AwareDatetime | None, Query(description="by the time of opening")]


class CsvFile(StreamingResponse):
    """Its media type stands in the description of the route."""

    media_type = "text/csv; charset=utf-8"


@router.get("/cases.csv", response_class=CsvFile, summary="Cases as a file")
async def export_cases(person: Exporter, parts: Parts, since: When = None, until: When = None) -> CsvFile:
    """UTF-8 with a mark for spreadsheets. That it was asked for, and by whom, is recorded before the first line."""
    told = {"since": since and since.isoformat(), "until": until and until.isoformat()}
    async with parts.db.transaction() as tx:
        now = await grid_now(tx)
        await record(tx, Entry(Audited.CASES_EXPORTED, person.account_id, "cases.csv", details=told))
    lines = export_csv(parts.db, parts.directory, person.actor, person.lang, Span(since, until))
    name = f"cases-{now.astimezone(LOCAL):%Y%m%d-%H%M}.csv"
    return CsvFile(_encoded(lines), headers={"content-disposition": f'attachment; filename="{name}"'})


async def _encoded(lines: AsyncIterator[str]) -> AsyncIterator[bytes]:
    async for part in lines:
        yield part.encode()
