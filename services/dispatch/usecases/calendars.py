"""Calendars are brought in, and what that means for running clocks is asked for in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.calendars import changes_between, first_moved, read_calendar, stored_name, was_confirmed
from services.chassis.audit import Audited, Entry, record
from services.chassis.db import grid_now
from services.chassis.directory.read import read_calendars
from services.chassis.directory.write import raise_revision, store_calendar
from services.dispatch.store import Tx, recomputes
from services.governance.worktime import CalendarChange


class AlreadyConfirmed(ValueError):
    """A year that rests on its notice cannot become provisional again; a correction is confirmed as well."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a file. `job`: the recompute it made necessary."""

    name: str
    new: bool
    changes: Mapping[str, CalendarChange]
    job: int | None


async def load_year(tx: Tx, text: str, name: str, by: str) -> Loaded:
    """Keep one year's file as its next revision. Raises RulebookFileError and AlreadyConfirmed before it writes."""
    file = read_calendar(text, name)
    before, (_, stored) = await recomputes.calendar_revisions(tx), await read_calendars(tx)
    kept_as = stored_name(file, stored)
    if was_confirmed(kept_as, stored) and not file.confirmed:
        raise AlreadyConfirmed(f"{name}: {file.calendar} {file.year} is confirmed already; set confirmed = true")
    changes = changes_between(stored, {**stored, kept_as: text})
    if not await store_calendar(tx, kept_as, text):
        return Loaded(kept_as, new=False, changes={}, job=None)
    await raise_revision(tx)
    job = await ask_recompute(tx, before, by)
    told = {"calendar": file.calendar, "year": file.year, "confirmed": file.confirmed, "notice": file.notice or ""}
    await record(tx, Entry(Audited.CALENDAR_LOADED, by, kept_as, details={**told, "job": job or 0}))
    return Loaded(kept_as, new=True, changes=changes, job=job)


async def ask_recompute(tx: Tx, before: Mapping[str, int], by: str) -> int | None:
    """The job that the change from these revisions to the newest makes necessary; None where nothing can move."""
    after = await recomputes.calendar_revisions(tx)
    if not before or before == after:
        return None
    texts = [await recomputes.calendar_texts(tx, revisions) for revisions in (before, after)]
    changes = changes_between(*texts)
    since = first_moved(changes, await grid_now(tx))
    if since is None:
        return None
    confirmed = any(change.confirmed for change in changes.values())
    return await recomputes.ask(tx, "calendar_confirmed" if confirmed else "calendar_changed", before, since, by)
