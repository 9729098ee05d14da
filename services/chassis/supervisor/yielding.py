"""Parts that let others go first where processors are scarce."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

NICE: Final = 8
"""About a sixth of what others get while all want to run, and everything while nobody else does."""
_TRIES: Final = 20
_AGAIN_S: Final = 0.1


async def let_others_go_first(pid: int) -> None:
    """For a process that has just been born, and is to lead a session of its own.

    Where the kernel shares processors out among sessions (`autogroup`), niceness counts only inside of one: the session
    has to be nice, too. It takes one such wish in a tenth of a second.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, pid, max(NICE, os.getpriority(os.PRIO_PROCESS, pid)))
        for _ in range(_TRIES):
            if os.getsid(pid) == pid and _taken(Path(f"/proc/{pid}/autogroup")):
                return
            await asyncio.sleep(_AGAIN_S)
    except ProcessLookupError:
        return  # it has ended already


def _taken(session: Path) -> bool:
    """False: the kernel wants to be asked again later. One that knows no such thing need not be asked."""
    try:
        session.write_text(str(NICE))
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
