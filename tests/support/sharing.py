"""How tests are shared out between processes: by module, so that what a module sets up is set up once.

The stories stay together, for their one clock only goes forwards. What takes long goes first: begun last, it would keep
one process at work while the others have nothing left.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from xdist.scheduler import LoadScopeScheduling

TOGETHER: Final = ("tests/e2e/stories/",)
FIRST: Final = (
    "tests/e2e/stories/",
    "tests/e2e/browser/test_accessible.py",
    "tests/e2e/browser/test_walk.py",
    "tests/e2e/api/test_canary.py",
    "tests/e2e/api/test_nobody_acts.py",
    "tests/e2e/api/test_alarms.py",
    "tests/e2e/weather/test_crowd.py",
    "tests/cluster/",
    "tests/e2e/phone/test_outbox.py",
    "tests/e2e/phone/test_form.py",
    "tests/integration/chassis/streams/test_worker.py",
    "tests/integration/chassis/outbox/test_repairs.py",
    "tests/integration/intake/test_keeping.py",
    "tests/integration/supervisor/test_watchdog.py",
    "tests/integration/dispatch/test_recompute.py",
    "tests/integration/dispatch/test_feed_under_fire.py",
    "tests/integration/fuzz/test_descriptions.py",
    "tests/integration/test_sixty_days.py",
    "tests/property/test_rulebook_file.py",
    "tests/architecture/test_docs.py",
)
"""What took longest by `--durations`, longest first; a name that is gone does no harm."""


class Shared(LoadScopeScheduling):
    """pytest-xdist's loadscope, but for folders that stay whole."""

    def _split_scope(self, nodeid: str) -> str:
        whole = next((folder for folder in TOGETHER if nodeid.startswith(folder)), None)
        return whole or super()._split_scope(nodeid)


def turn(path: PurePath) -> int:
    """The place of a module, by its path below the checkout, among those that are begun early; the rest come after."""
    return next((n for n, start in enumerate(FIRST) if path.as_posix().startswith(start)), len(FIRST))
