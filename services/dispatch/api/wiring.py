"""What the routes are given by `app.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.chassis.db import Database
from services.chassis.directory import DirectoryCache
from services.chassis.ids import IdSource
from services.dispatch.forward import Forwarder
from services.dispatch.live import Feed
from services.dispatch.media import EvidenceFiles


@dataclass(frozen=True, slots=True)
class Wiring:
    """The parts that routes use; one object per process, on `app.state.wiring`."""

    db: Database
    directory: DirectoryCache
    ids: IdSource
    feed: Feed
    files: EvidenceFiles
    forwarder: Forwarder


async def wiring(request: Request) -> Wiring:
    """The parts of this process."""
    found = request.app.state.wiring
    assert isinstance(found, Wiring), "app.state.wiring must be set by the composition root"
    return found


Parts = Annotated[Wiring, Depends(wiring)]
