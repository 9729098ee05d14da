"""What dispatch may forget: answers to repeated requests, sign-ins that ended, evidence nobody ever named."""

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
from services.chassis.housekeeping.sweeps import Sweep, Sweeps, answer_sweep, identity_sweeps, past
from services.chassis.pictures.folder import FolderStore
from services.chassis.pictures.store import PictureStore
from services.dispatch.tables import evidence

_DAILY = timedelta(days=1)
_FEED_KEEPS: Final = timedelta(days=2)
"""Longer than anybody may go on from where he was."""
_UNUSED: Final = """
  WITH unused AS (
    SELECT case_id, id FROM dispatch.evidence
    WHERE fact_id IS NULL AND at < directory.grid_now() - CAST(:keep AS interval) LIMIT :limit),
  free AS (
    SELECT id FROM dispatch.cases WHERE id IN (SELECT case_id FROM unused) FOR UPDATE SKIP LOCKED)
  DELETE FROM dispatch.evidence e USING unused u, free
  WHERE e.case_id = u.case_id AND e.id = u.id AND free.id = e.case_id AND e.fact_id IS NULL"""
"""An act holds its case's row, so one that is just about to name a piece keeps it."""


def sweeps(kept: RetentionSettings) -> tuple[Sweep, ...]:
    """Hourly. Of the shared schema `identity` dispatch is the one that keeps house."""
    turned = Sweep("turned", past("@schema.turned", "at < {before}"), _FEED_KEEPS)
    return (answer_sweep(kept), turned, *identity_sweeps(kept))


def evidence_chores(pictures: PictureStore, bench: Path, kept: RetentionSettings) -> tuple[Chore, ...]:
    """Pieces no act names, then the pictures no row names, and what a crash left where they are made."""
    unused = Sweep("evidence", _UNUSED, days(kept.unused_evidence))
    return (
        Sweeps((unused,), _DAILY, "unused-evidence"),
        LooseFiles("evidence_files", pictures, "", days(kept.loose_files), kept_evidence, _DAILY),
        LooseFiles("evidence_bench", FolderStore(bench), "", days(kept.loose_files), nobody, _DAILY),
    )


async def kept_evidence(tx: AsyncConnection, files: Sequence[str]) -> set[str]:
    """Those of `files` (`xx/<case>/<name>.jpg` and its small copy) that a piece of evidence is."""
    cases = _ids(file.split("/")[1] for file in files if file.count("/") == 2)
    rows = await tx.execute(sa.select(evidence.c.path).where(evidence.c.case_id.in_(cases)))
    paths = set(rows.scalars())
    return {file for file in files if file.replace(".thumb.jpg", ".jpg") in paths}


def _ids(words: Iterable[str]) -> set[UUID]:
    found = set()
    for word in words:
        try:
            found.add(UUID(word))
        except ValueError:  # no name of ours: nobody needs it
            continue
    return found
