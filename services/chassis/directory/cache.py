"""One process's picture of the directory, never more than about a second old.

`directory_rev` rises with every write; a poll each second reads one row and loads the rest only when it rose. A
rulebook is parsed once per (version, calendar revision) and always comes from the table: a version that is not
there is an error, never some other version.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from services.chassis.asgi.probes import Missing, ReadyCheck
from services.chassis.asgi.problem import NotReady
from services.chassis.db import Database, is_transient
from services.chassis.directory.areas import CellHistory
from services.chassis.directory.model import Directory
from services.chassis.directory.read import (
    Head,
    read_calendars,
    read_cells,
    read_directory,
    read_head,
    read_rulebook_text,
)
from services.chassis.telemetry import logger
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.weather import Weather
from services.governance.acts import Post
from services.governance.rulebook import Rulebook

POLL_S = 1.0
RulebookLoader = Callable[[str, Mapping[str, str]], Rulebook]


class DirectoryNotLoaded(NotReady):
    """The directory was asked before its first load."""

    def __init__(self) -> None:
        super().__init__("directory", "the directory has not been read yet")


class UnknownRulebook(LookupError):
    """A rulebook version that the table does not hold. The caller must hold its work, not use another version."""

    def __init__(self, version: str) -> None:
        super().__init__(f"rulebook version {version!r} is not in the directory")
        self.version = version


class DirectoryCache:
    """Reads the directory; `run` keeps it fresh. Safe to share by all requests of one event loop."""

    def __init__(self, db: Database, load: RulebookLoader | None = None) -> None:
        self._db = db
        self._load = load or _schema_loader()
        self._directory: Directory | None = None
        self._cells: tuple[int, CellHistory] = (-1, CellHistory())
        self._calendars: tuple[str, Mapping[str, str]] = ("", {})
        self._rulebooks: dict[tuple[str, str], Rulebook] = {}
        self._loading: dict[tuple[str, str], asyncio.Future[Rulebook]] = {}
        self._lock = asyncio.Lock()
        self.pulse = Pulse("directory", Weather(db).excuse)

    def current(self) -> Directory:
        """The picture in hand. Raises DirectoryNotLoaded before the first load."""
        if self._directory is None:
            raise DirectoryNotLoaded
        return self._directory

    def posts_of(self, account_id: str, now: datetime) -> tuple[Post, ...]:
        """The posts an account holds at `now`; none before the first load (fail closed)."""
        return self._directory.posts_of(account_id, now) if self._directory else ()

    def covers_all(self, area: str) -> bool:
        """Whether an area code takes in every street there is; False before the first load."""
        return self._directory is not None and self._directory.covers_all(area)

    async def refresh(self) -> Directory:
        """Read again if the revision rose, or a day has begun that has other cells. May raise database errors."""
        async with self._lock:
            async with self._db.reading() as tx:
                head = await read_head(tx)
                if self._directory is None or not self._still(self._directory, head):
                    if self._cells[0] != head.cells:
                        self._cells = (head.cells, await read_cells(tx))
                    cells = self._cells[1]
                    await asyncio.to_thread(cells.on(head.day).warm)
                    directory, calendars = await read_directory(tx, head, cells), await read_calendars(tx)
                    self._directory, self._calendars = directory, calendars
            return self._directory

    @staticmethod
    def _still(known: Directory, head: Head) -> bool:
        """Whether a picture says what the tables say today."""
        era = known.history.era
        return known.rev == head.rev and known.day is not None and era(known.day) == era(head.day)

    async def run(self, stop: asyncio.Event) -> None:
        """Poll until `stop`. A database that is away for a while only makes the picture older."""
        while not stop.is_set():
            self.pulse.turn()
            try:
                await self.refresh()
            except Exception as error:
                if not is_transient(error):
                    raise
                logger("directory").warning("directory_stale", error=str(error))
            await _pause(stop, POLL_S)

    async def rulebook(self, version: str) -> Rulebook:
        """The rulebook of exactly this version, with today's calendars. Raises UnknownRulebook."""
        known = self._rulebooks.get((version, self._calendars[0]))
        if known is not None:
            return known
        if not self._has_heard_of(version):
            await self.refresh()  # it may have come since the last look, and its calendars with it
        revision, calendars = self._calendars
        loading = self._loading.get((version, revision))
        if loading is None:  # it takes long, and many may want it at once
            loading = asyncio.ensure_future(self._read_rulebook(version, revision, calendars))
            self._loading[(version, revision)] = loading
            loading.add_done_callback(lambda done: self._loaded((version, revision), done))
        return await asyncio.shield(loading)

    def _has_heard_of(self, version: str) -> bool:
        return self._directory is not None and any(each.version == version for each in self._directory.rulebooks)

    def _loaded(self, key: tuple[str, str], done: asyncio.Future[Rulebook]) -> None:
        del self._loading[key]
        if not done.cancelled() and done.exception() is not None:
            logger("directory").debug("rulebook_not_loaded", version=key[0])  # whoever waits is told why

    async def _read_rulebook(self, version: str, revision: str, calendars: Mapping[str, str]) -> Rulebook:
        async with self._db.reading() as tx:
            text = await read_rulebook_text(tx, version)
        if text is None:
            raise UnknownRulebook(version)
        loaded = await asyncio.to_thread(self._load, text, calendars)
        if loaded.version != version:
            raise UnknownRulebook(version)
        self._rulebooks[(version, revision)] = loaded
        self._forget_other_calendars(revision)
        return loaded

    async def current_rulebook(self, street: str, now: datetime) -> Rulebook:
        """The rulebook that new cases of a street take at `now`. Raises UnknownRulebook if the street has none."""
        version = self.current().rulebook_version(street, now)
        if version is None:
            raise UnknownRulebook(f"(current of street {street})")
        return await self.rulebook(version)

    def _forget_other_calendars(self, revision: str) -> None:
        for key in [key for key in self._rulebooks if key[1] != revision]:
            del self._rulebooks[key]


def directory_check(cache: DirectoryCache) -> ReadyCheck:
    """The directory has been read and holds a street."""

    async def probe() -> None:
        if not (await cache.refresh()).streets:
            raise Missing("the directory holds no street: `grid up` loads the sample street")

    return ReadyCheck("directory", probe)


def _schema_loader() -> RulebookLoader:
    from schemas.rulebook import reload_rulebook  # only processes that read rulebooks pay for it

    return reload_rulebook


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
