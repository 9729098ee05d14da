"""The clock of a running system's test database, set to moments that a story names. It goes forwards only."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import text

from services.chassis.db import Database, move_clock
from services.chassis.settings import DatabaseSettings

LOCAL = ZoneInfo("Asia/Shanghai")
WEEKS_WITHIN_S = 60.0
A_LITTLE = timedelta(seconds=20)
WEEKS_MADE = text(
    "SELECT bool_and(to_regclass(schema || '.outbox_p' || to_char(date_trunc('week', directory.grid_now()"
    " AT TIME ZONE 'UTC'), 'YYYYMMDD')) IS NOT NULL) FROM unnest(ARRAY['intake', 'dispatch', 'escalation']) AS schema"
)


def set_ahead(database_url: str, ahead: timedelta, *, weeks: bool = True) -> None:
    """Set how far the clock runs ahead; with `weeks`, wait until housekeeping has made the present one's tables."""

    async def move() -> None:
        database = Database(DatabaseSettings(url=database_url), "test")
        try:
            async with database.transaction() as tx:
                await move_clock(tx, ahead)
            if weeks:
                await _weeks(database)
        finally:
            await database.close()

    asyncio.run(move())


async def _weeks(database: Database) -> None:
    loop = asyncio.get_running_loop()
    give_up = loop.time() + WEEKS_WITHIN_S
    async with database.session() as tx:
        while not (await tx.execute(WEEKS_MADE)).scalar_one():
            assert loop.time() < give_up, "no week was made for today"
            await asyncio.sleep(0.1)


class MovedClock:
    """The street's wall clock. It stands at the moment said last, and runs on from there."""

    def __init__(self, database_url: str, first: str) -> None:
        self.url = database_url
        self._began = time.monotonic()
        self.said = moment(first)
        self.drift_s = 0.0
        set_ahead(database_url, self.said - datetime.now(UTC), weeks=False)

    def begins_at(self, words: str) -> None:
        """A new story: what was lost on the way before counts no more."""
        self.moves_to(words)
        self.drift_s = 0.0

    def moves_to(self, words: str) -> None:
        """'10:01', '01-05 10:01' or '2027-01-05 10:01': the day and the year stay where they are not said."""
        self._to(moment(words, self.said))

    def _to(self, at: datetime) -> None:
        now = self.said + timedelta(seconds=time.monotonic() - self._began)
        assert at > now, f"the clock goes forwards: it is {now.astimezone(LOCAL)} already, past {at.astimezone(LOCAL)}"
        self.drift_s = self.lost_s
        self.said, self._began = at, time.monotonic()
        set_ahead(self.url, at - datetime.now(UTC))

    def passes(self, words: str) -> None:
        """To a little after a moment at which something is due: what the machine then does counts as of that moment."""
        self._to(moment(words, self.said) + A_LITTLE)
        self.drift_s += A_LITTLE.total_seconds()

    @property
    def lost_s(self) -> float:
        """Seconds that the machine took for the story so far: its moments are good to these."""
        return self.drift_s + time.monotonic() - self._began


def moment(words: str, after: datetime | None = None) -> datetime:
    """An instant from words on the street's clock; what they leave out is that of `after`."""
    day, _, hour = words.rpartition(" ")
    base = (after or datetime.now(UTC)).astimezone(LOCAL)
    full = {0: f"{base:%Y-%m-%d}", 5: f"{base:%Y}-{day}", 10: day}[len(day)]
    return datetime.fromisoformat(f"{full} {hour}").replace(tzinfo=LOCAL).astimezone(UTC)
