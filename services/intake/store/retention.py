"""Which photo files intake still needs; reports and what belongs to them are kept for good."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.housekeeping import Chore, RetentionSettings
from services.chassis.housekeeping.files import LooseFiles, nobody
from services.chassis.housekeeping.settings import days
from services.chassis.housekeeping.sweeps import Sweep, past
from services.chassis.pictures.folder import FolderStore
from services.chassis.pictures.store import PictureStore
from services.intake.media import PARTIAL, PHOTOS, MediaFiles
from services.intake.tables import photos

_DAILY = timedelta(days=1)


_OVER: Final = """
  SELECT r.report_id FROM intake.case_reports r
  JOIN intake.case_views v ON v.case_id = r.case_id
  LEFT JOIN intake.case_views m ON m.case_id = v.master
  WHERE v.closed_at < directory.grid_now() - CAST(:keep AS interval)
    AND (v.master IS NULL OR m.closed_at < directory.grid_now() - CAST(:keep AS interval))"""
"""Reports whose case, and the one it is part of, ended long enough ago."""
_LONGEST: Final = timedelta(days=730)


def vault_sweeps(kept: RetentionSettings) -> tuple[Sweep, ...]:
    """What of people goes by itself: who reported, and the raw words. The masked words stay with the report."""
    return (
        Sweep(
            "identities",
            "DELETE FROM intake.identities WHERE report_id IN ("  # noqa: S608 - our own words
            f"SELECT i.report_id FROM intake.identities i JOIN ({_OVER}) o USING (report_id) LIMIT :limit)",
            days(kept.identities),
        ),
        Sweep("old_identities", past("intake.identities", "given_at < {before}"), _LONGEST),
        Sweep(
            "raw_words",
            "UPDATE intake.vault SET sealed = NULL, text = '', place_words = '', note = '',"  # noqa: S608
            " erased_at = directory.grid_now() WHERE report_id IN ("
            f"SELECT w.report_id FROM intake.vault w JOIN ({_OVER}) o USING (report_id)"
            " WHERE w.erased_at IS NULL LIMIT :limit)",
            days(kept.raw_words),
        ),
    )


def photo_chores(media: Path, pictures: PictureStore, kept: RetentionSettings) -> tuple[Chore, ...]:
    """Photos no row names, what is left of uploads that ended, and uploads nobody went on with (below `media`)."""
    loose = days(kept.loose_files)
    files, partial = MediaFiles(media), FolderStore(media)

    async def unfinished(tx: AsyncConnection, names: Sequence[str]) -> set[str]:
        return await unfinished_uploads(tx, files, names)

    return (
        LooseFiles("photo_files", pictures, PHOTOS, loose, stored_photos, _DAILY),
        LooseFiles("ended_uploads", partial, PARTIAL, loose, unfinished, _DAILY),
        LooseFiles("given_up_uploads", partial, PARTIAL, days(kept.uploads), nobody, _DAILY),
    )


async def stored_photos(tx: AsyncConnection, files: Sequence[str]) -> set[str]:
    """Those of `files` (`xx/<report>/<name>.jpg` and its small copy) that a stored photo is."""
    reports = _ids(file.split("/")[1] for file in files if file.count("/") == 2)
    query = sa.select(photos.c.path).where(photos.c.report_id.in_(reports), photos.c.state == "stored")
    stored = {str(path).removeprefix("photos/") for path in (await tx.execute(query)).scalars()}
    return {file for file in files if file.replace(".thumb.jpg", ".jpg") in stored}


async def unfinished_uploads(tx: AsyncConnection, bench: MediaFiles, files: Sequence[str]) -> set[str]:
    """Those of `files` (`<report>-<name>`) whose photo is still to come."""
    reports = _ids(file[:36] for file in files)
    query = sa.select(photos.c.report_id, photos.c.photo_id).where(
        photos.c.report_id.in_(reports), photos.c.state == "named"
    )
    return {bench.bench(row.report_id, row.photo_id).partial.name for row in await tx.execute(query)} & set(files)


def _ids(words: Iterable[str]) -> set[UUID]:
    found = set()
    for word in words:
        try:
            found.add(UUID(word))
        except ValueError:  # no name of ours: nobody needs it
            continue
    return found
