"""What escalation hears: the case topic. Timers and deliveries follow it; nothing is decided here."""

from __future__ import annotations

from schemas.topics import CASE
from services.chassis.directory import DirectoryCache
from services.chassis.ids import IdSource
from services.escalation.usecases.follow import CaseFollower

GROUP = "grid-escalation"
TOPICS = (CASE.name,)


def follower(cache: DirectoryCache, ids: IdSource) -> CaseFollower:
    """The handler of this group."""
    return CaseFollower(ids, cache.rulebook, lambda code: cache.current().name_of(code))
